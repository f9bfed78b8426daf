"""Results kept in memory, so that a seed, an undone edit or a stroke seen before costs nothing."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store import Store

if TYPE_CHECKING:
    from core.engine.task import Recipe
    from core.geometry import Point
    from core.pixels import Pixels
    from editor.landing import Result

TRIED = 24
"""Results remembered for the thumbnails of one layer."""


@dataclass(frozen=True, eq=False)
class Tried:
    """One result of a layer as a thumbnail that leads back to it."""

    key: str
    recipe: "Recipe"
    thumbnail: "Pixels"


class Results:
    """The last results by key within a budget of bytes, and which layer tried them."""

    def __init__(self, budget: int = 256 << 20) -> None:
        self._store = Store(budget)
        self._tried: dict[str, OrderedDict[str, Tried]] = {}

    def find(self, key: str, position: "Point") -> "Result | None":
        """The result of exactly this input, in a layer that lies at this position."""
        if (key, position) not in self._store:
            return None
        found: Result = self._store.get((key, position), lambda: None)
        return found

    def keep(self, layer_id: str, result: "Result") -> None:
        self._store.put((result.key, result.position), result)
        self.tried_by(layer_id, result)

    def tried_by(self, layer_id: str, result: "Result") -> None:
        """A layer shows (or would have shown) a result: it moves to the end of its thumbnails."""
        tried = self._tried.setdefault(layer_id, OrderedDict())
        tried[result.key] = Tried(result.key, result.recipe, result.thumbnail)
        tried.move_to_end(result.key)
        while len(tried) > TRIED:
            tried.popitem(last=False)

    def tried(self, layer_id: str) -> list[Tried]:
        """What a layer has tried, the oldest first."""
        return list(self._tried.get(layer_id, {}).values())

    def clear(self) -> None:
        self._store.clear()
        self._tried.clear()
