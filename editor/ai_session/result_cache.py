"""Results kept in memory, so that a seed, an undone edit or a stroke seen before costs nothing."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.diffusion.cache import TensorCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.geometry import Point
    from core.paint.tiles import Pixels
    from core.scoring.seed_search import SeedScore
    from core.task import Recipe
    from editor.ai_session.layer_results import Result

MAX_VARIANTS = 24
"""Results remembered for the thumbnails of one layer."""


@dataclass(frozen=True, eq=False)
class Variant:
    """One result of a layer as a thumbnail that leads back to it.

    ``is_found`` says that it was found while idle and has not been on the canvas yet.
    """

    key: str
    recipe: "Recipe"
    thumbnail: "Pixels"
    seed_score: "SeedScore | None" = None
    is_found: bool = False


class ResultCache:
    """The last results by key within a budget of bytes, and which layer tried them."""

    def __init__(self, budget: int = 256 << 20) -> None:
        self._results = TensorCache(budget)
        self._variants: dict[str, OrderedDict[str, Variant]] = {}

    def find(self, key: str, position: "Point") -> "Result | None":
        """The result of exactly this input, in a layer that lies at this position."""
        if (key, position) not in self._results:
            return None
        found: Result = self._results.get((key, position), lambda: None)
        return found

    def keep(self, layer_id: str, result: "Result") -> None:
        self._results.put((result.key, result.position), result)
        self.add_variant(layer_id, result)

    def add_variant(self, layer_id: str, result: "Result") -> None:
        """A layer shows (or would have shown) a result: it moves to the end of its thumbnails."""
        old = self._variants_of(layer_id).get(result.key)
        self._append_variant(layer_id, _make_variant(result, old.seed_score if old else None))

    def add_score(
        self, layer_id: str, result: "Result", seed_score: "SeedScore", is_found: bool
    ) -> None:
        """A result with its score: the best of its question are the layer's first thumbnails.

        What was found for another question, and never chosen, makes room.
        """
        self._results.put((result.key, result.position), result)
        tried = self._variants_of(layer_id)
        for one in list(tried.values()):
            if (
                one.is_found
                and one.seed_score
                and one.seed_score.unseeded_key != seed_score.unseeded_key
            ):
                del tried[one.key]
        old = tried.get(result.key)
        is_new = is_found and (old is None or old.is_found)
        self._append_variant(layer_id, _make_variant(result, seed_score, is_new))
        for key in _rank(tried, seed_score.unseeded_key):
            tried.move_to_end(key)

    def _variants_of(self, layer_id: str) -> "OrderedDict[str, Variant]":
        return self._variants.setdefault(layer_id, OrderedDict())

    def _append_variant(self, layer_id: str, variant: Variant) -> None:
        tried = self._variants_of(layer_id)
        tried[variant.key] = variant
        tried.move_to_end(variant.key)
        while len(tried) > MAX_VARIANTS:
            tried.popitem(last=False)

    def variants(self, layer_id: str) -> list[Variant]:
        """What a layer has tried, the oldest first."""
        return list(self._variants.get(layer_id, {}).values())

    def clear(self) -> None:
        self._results.clear()
        self._variants.clear()


def _make_variant(
    result: "Result", seed_score: "SeedScore | None", is_found: bool = False
) -> Variant:
    return Variant(result.key, result.recipe, result.thumbnail, seed_score, is_found)


def _rank(variants: "Mapping[str, Variant]", unseeded_key: str) -> list[str]:
    """The keys of what was judged for one question, the best last."""
    scores = {
        key: one.seed_score.score
        for key, one in variants.items()
        if one.seed_score is not None and one.seed_score.unseeded_key == unseeded_key
    }
    return sorted(scores, key=scores.__getitem__)
