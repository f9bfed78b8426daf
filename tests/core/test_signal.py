"""Signals call in order, and may be left while they speak."""

from typing import TYPE_CHECKING

from core.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable


def test_listeners_hear_in_order_until_they_leave() -> None:
    signal: Signal[int] = Signal()
    heard: list[tuple[str, int]] = []
    leave = signal.connect(lambda value: heard.append(("first", value)))
    signal.connect(lambda value: heard.append(("second", value)))
    signal.emit(1)
    leave()
    leave()
    signal.emit(2)
    assert heard == [("first", 1), ("second", 1), ("second", 2)]


def test_leaving_while_it_speaks_does_not_skip_anyone() -> None:
    signal: Signal[None] = Signal()
    heard: list[str] = []
    leaves: list[Callable[[], None]] = []

    def once(_: None) -> None:
        heard.append("once")
        leaves[0]()

    leaves.append(signal.connect(once))
    signal.connect(lambda _: heard.append("always"))
    signal.emit(None)
    signal.emit(None)
    assert heard == ["once", "always", "always"]
