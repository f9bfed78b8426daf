"""Attention maps: which layers show best where a token is, collecting maps, and their grids."""

from collections.abc import Callable, Sequence
from math import log2, sqrt
from typing import TYPE_CHECKING

from core.diffusion.attention import AttentionLayer, AttentionStates, IdleControl

if TYPE_CHECKING:
    from torch import Tensor


MAP_SIDE = 16
"""Attention maps of about this side tell best where a word is, as published."""

EVERY_ROW = slice(None)
LatentSize = tuple[int, int]
"""Height and width of a latent."""


def latent_size(z: "Tensor") -> LatentSize:
    return z.shape[-2], z.shape[-1]


def has_map_side(queries: int, cells: LatentSize) -> bool:
    """Whether the maps of a layer with so many queries come nearest to 16 a side."""
    return _shrunk(queries, cells) == 1 << max(0, round(log2(min(cells) / MAP_SIDE)))


def _shrunk(queries: int, cells: LatentSize) -> int:
    return round(sqrt(cells[0] * cells[1] / queries))


def map_to_grid(look: "Tensor", cells: LatentSize) -> "Tensor":
    """A look (..., queries) as a picture (..., height, width) at its own resolution."""
    shrunk = _shrunk(look.shape[-1], cells)
    return look.reshape(*look.shape[:-1], cells[0] // shrunk, cells[1] // shrunk)


def resize_map(picture: "Tensor", size: Sequence[int], mode: str = "nearest") -> "Tensor":
    """A picture (height, width) at another resolution."""
    from torch.nn.functional import interpolate

    return interpolate(picture[None, None], size=tuple(size), mode=mode)[0, 0]


def mean_over_heads(maps: "Tensor") -> "Tensor":
    """Maps (rows, heads, queries, tokens) float, 0..1, as (rows, queries, tokens)."""
    return maps.mean(1)


def all_heads(maps: "Tensor") -> "Tensor":
    """Maps (rows, heads, queries, tokens) float, 0..1, as they are."""
    return maps


class AttentionMapCollector:
    """Collects the attention maps of some layers, in the order of the network's calls.

    It takes layers of one kind, ``is_cross``; where ``cells`` is given, the latent's size, only
    those of about 16 a side; of their maps the network's ``rows``, so that a call without these
    rows adds nothing. ``reduce`` says what is kept of a layer's maps.
    """

    def __init__(
        self,
        *,
        is_cross: bool = True,
        cells: LatentSize | None = None,
        rows: slice = EVERY_ROW,
        reduce: Callable[["Tensor"], "Tensor"] = mean_over_heads,
    ) -> None:
        self.is_cross = is_cross
        self.cells = cells
        self.rows = rows
        self.reduce = reduce
        self.collected: list[Tensor] = []

    def is_wanted(self, place: AttentionLayer, queries: int) -> bool:
        """Whether the maps of a layer with so many queries are collected."""
        if place.is_cross != self.is_cross:
            return False
        return self.cells is None or has_map_side(queries, self.cells)

    def add(self, place: AttentionLayer, maps: "Tensor") -> None:
        """The maps of one layer, (rows, heads, queries, keys) float, 0..1."""
        rows = maps[self.rows]
        if self.is_wanted(place, maps.shape[-2]) and len(rows):
            self.collected.append(self.reduce(rows))

    def clear(self) -> None:
        self.collected.clear()

    def mean(self) -> "Tensor":
        """The mean of all that is collected, (rows, queries, keys) float, 0..1."""
        import torch

        return torch.stack(self.collected).mean(0)


class AttentionRecorder(AttentionMapCollector, IdleControl):
    """A control that changes nothing and collects attention maps."""

    def maps(self, place: AttentionLayer, maps: "Tensor") -> "Tensor":
        self.add(place, maps)
        return maps


class MeanAttentionMap:
    """An attention control that changes nothing, not a bit, and remembers where words look.

    What it remembers is the mean over heads, layers of about 16 a side, and calls.
    """

    def __init__(self, z: "Tensor") -> None:
        self.cells = latent_size(z)
        self._sum: Tensor | None = None
        self._count = 0

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        if place.is_cross and has_map_side(query.shape[-2], self.cells):
            seen = (query[0] @ key[0].mT * query.shape[-1] ** -0.5).softmax(-1).mean(0)
            self._sum = seen if self._sum is None else self._sum + seen
            self._count += 1
        return query, key, value

    def of(self, words: Sequence[int]) -> "Tensor | None":
        """Where words by their places look, (1, 1, h, w) in latent cells; None if nothing does."""
        if self._sum is None or not words:
            return None
        look = self._sum[:, list(words)].mean(-1) / self._count
        return resize_map(map_to_grid(look, self.cells), self.cells)[None, None]
