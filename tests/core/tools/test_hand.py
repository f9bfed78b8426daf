"""The Hand tool moves the view and changes nothing."""

from tests.core.tools.driving import context, document, drag


def test_the_view_is_moved_as_far_as_the_drag() -> None:
    made = document()
    moved: list[tuple[float, float]] = []
    given = context(made, "hand", panned=lambda dx, dy: moved.append((dx, dy)))
    drag(given, "hand", (10, 10), (14, 7))
    assert moved[0] == (4, -3)
    assert not made.history.done
