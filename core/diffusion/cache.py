"""A cache of tensors with a limit in bytes, for trajectories, embeddings and the like."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class TensorCache:
    """A cache that discards the least recently used values once ``budget`` bytes are held."""

    def __init__(self, budget: int = 256 << 20) -> None:
        self.budget = budget
        self.held = 0
        self._items: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value under key, made now if it is not there."""
        if key not in self._items:
            self.put(key, make())
        self._items.move_to_end(key)
        return self._items[key][0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value under key; the least recently used ones go where the budget is exceeded."""
        self.discard(key)
        size = _bytes(value)
        self._items[key] = (value, size)
        self.held += size
        while self.held > self.budget and len(self._items) > 1:
            self.discard(next(iter(self._items)))

    def discard(self, key: Hashable) -> None:
        """Remove the value under key, if there is one."""
        _, size = self._items.pop(key, (None, 0))
        self.held -= size

    def clear(self) -> None:
        self._items.clear()
        self.held = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._items


def _bytes(value: Any) -> int:
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(_bytes(item) for item in value.values())
    if isinstance(value, (tuple, list)):
        return sum(_bytes(item) for item in value)
    if hasattr(value, "__dict__"):
        return sum(_bytes(item) for item in vars(value).values())
    return 64
