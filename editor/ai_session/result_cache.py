"""Results kept in memory, so that a task that was run before costs nothing."""

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
"""Most results among the thumbnails of one layer."""


@dataclass(frozen=True, eq=False)
class Variant:
    """One result of a layer, with the recipe that leads back to it and its thumbnail.

    ``is_found``: the idle search found it, and it has not been on the canvas yet.
    """

    key: str
    recipe: "Recipe"
    thumbnail: "Pixels"
    seed_score: "SeedScore | None" = None
    is_found: bool = False


class ResultCache:
    """The last results by key within a budget of bytes, and the variants of each layer."""

    def __init__(self, budget: int = 256 << 20) -> None:
        self._results = TensorCache(budget)
        self._variants: dict[str, OrderedDict[str, Variant]] = {}

    def find(self, key: str, position: "Point") -> "Result | None":
        """The result of the task with this key, in a layer at this position, if it is kept."""
        if (key, position) not in self._results:
            return None
        found: Result = self._results.get((key, position), lambda: None)
        return found

    def keep(self, layer_id: str, result: "Result") -> None:
        """Keep a result and add it to the variants of its layer."""
        self._results.put((result.key, result.position), result)
        self.add_variant(layer_id, result)

    def add_variant(self, layer_id: str, result: "Result") -> None:
        """Add a result that a layer shows: it becomes the last of the layer's variants."""
        old = self._variants_of(layer_id).get(result.key)
        self._append_variant(layer_id, _make_variant(result, old.seed_score if old else None))

    def add_score(
        self, layer_id: str, result: "Result", seed_score: "SeedScore", is_found: bool
    ) -> None:
        """Add a result with its score; scored variants are sorted, the best last.

        Results that were found for another recipe, and never chosen, are removed.
        """
        self._results.put((result.key, result.position), result)
        variants = self._variants_of(layer_id)
        for variant in list(variants.values()):
            if (
                variant.is_found
                and variant.seed_score
                and variant.seed_score.unseeded_key != seed_score.unseeded_key
            ):
                del variants[variant.key]
        old = variants.get(result.key)
        is_new = is_found and (old is None or old.is_found)
        self._append_variant(layer_id, _make_variant(result, seed_score, is_new))
        for key in _rank(variants, seed_score.unseeded_key):
            variants.move_to_end(key)

    def _variants_of(self, layer_id: str) -> "OrderedDict[str, Variant]":
        return self._variants.setdefault(layer_id, OrderedDict())

    def _append_variant(self, layer_id: str, variant: Variant) -> None:
        variants = self._variants_of(layer_id)
        variants[variant.key] = variant
        variants.move_to_end(variant.key)
        while len(variants) > MAX_VARIANTS:
            variants.popitem(last=False)

    def variants(self, layer_id: str) -> list[Variant]:
        """The variants of a layer, the oldest first."""
        return list(self._variants.get(layer_id, {}).values())

    def clear(self) -> None:
        self._results.clear()
        self._variants.clear()


def _make_variant(
    result: "Result", seed_score: "SeedScore | None", is_found: bool = False
) -> Variant:
    return Variant(result.key, result.recipe, result.thumbnail, seed_score, is_found)


def _rank(variants: "Mapping[str, Variant]", unseeded_key: str) -> list[str]:
    """The keys of the variants that were scored for one recipe, the best last."""
    scores = {
        key: variant.seed_score.score
        for key, variant in variants.items()
        if variant.seed_score is not None and variant.seed_score.unseeded_key == unseeded_key
    }
    return sorted(scores, key=scores.__getitem__)
