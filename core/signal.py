"""Signals that call connected functions at once, and values that signal a change."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Calls every connected function with one value, in the order of connection."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def connect(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Start calling listener; the returned function stops it."""
        self._listeners.append(listener)
        return lambda: self.disconnect(listener)

    def disconnect(self, listener: Callable[[T], object]) -> None:
        """Stop calling listener; nothing happens when it is not connected."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def emit(self, value: T) -> None:
        """Call every function that is connected now with a value."""
        for listener in tuple(self._listeners):
            listener(value)


class Observable(Generic[T]):
    """A value that others hold on to; ``changed`` carries the new one after ``set``."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.changed: Signal[T] = Signal()

    def set(self, value: T) -> None:
        """Exchange the value and call who listens."""
        self.value = value
        self.changed.emit(value)
