"""Signals call in order, and a listener may leave during a call."""

from typing import TYPE_CHECKING

from core.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable


def test_listeners_are_called_in_order_until_they_leave() -> None:
    signal: Signal[int] = Signal()
    received: list[tuple[str, int]] = []
    leave = signal.connect(lambda value: received.append(("first", value)))
    signal.connect(lambda value: received.append(("second", value)))
    signal.emit(1)
    leave()
    leave()
    signal.emit(2)
    assert received == [("first", 1), ("second", 1), ("second", 2)]


def test_leaving_during_a_call_does_not_skip_anyone() -> None:
    signal: Signal[None] = Signal()
    received: list[str] = []
    leaves: list[Callable[[], None]] = []

    def once(_: None) -> None:
        received.append("once")
        leaves[0]()

    leaves.append(signal.connect(once))
    signal.connect(lambda _: received.append("always"))
    signal.emit(None)
    signal.emit(None)
    assert received == ["once", "always", "always"]
