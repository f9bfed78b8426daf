"""Attention maps: which layers show best where a token is, how to collect them, their grids."""

from collections.abc import Callable, Sequence
from math import log2, sqrt
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.diffusion.attention import AttentionLayer, AttentionStates, IdleControl

if TYPE_CHECKING:
    from torch import Tensor


MAP_SIDE = 16
"""Attention maps of about this side tell best where a word is, as published."""

EVERY_ROW = slice(None)
LatentSize = tuple[int, int]
"""Height and width of a latent."""


def latent_size(z: "Tensor") -> LatentSize:
    """Height and width of a latent, (b, c, h, w) float, unbounded."""
    return z.shape[-2], z.shape[-1]


def has_map_side(queries: int, cells: LatentSize) -> bool:
    """Whether the maps of a layer with so many queries come nearest to 16 a side."""
    return _shrunk(queries, cells) == 1 << max(0, round(log2(min(cells) / MAP_SIDE)))


def _shrunk(queries: int, cells: LatentSize) -> int:
    return round(sqrt(cells[0] * cells[1] / queries))


def map_to_grid(attention: "Tensor", cells: LatentSize) -> "Tensor":
    """The attention of queries as a grid of their layer.

    attention: (rows, queries) float, 0..1, with any leading sides; returns (rows, h, w).
    """
    shrunk = _shrunk(attention.shape[-1], cells)
    return attention.reshape(*attention.shape[:-1], cells[0] // shrunk, cells[1] // shrunk)


def resize_map(grid: "Tensor", size: Sequence[int], mode: str = "nearest") -> "Tensor":
    """A grid (height, width) float, any value, at another resolution, same dtype."""
    from torch.nn.functional import interpolate

    return interpolate(grid[None, None], size=tuple(size), mode=mode)[0, 0]


def mean_over_heads(maps: "Tensor") -> "Tensor":
    """Maps (rows, heads, queries, tokens) float, 0..1, as (rows, queries, tokens)."""
    return maps.mean(1)


def all_heads(maps: "Tensor") -> "Tensor":
    """Maps (rows, heads, queries, tokens) float, 0..1, as they are."""
    return maps


class MapExchange:
    """Gives a branch the cross-attention maps of another for the tokens that they share.

    ``weights`` makes, for a number of tokens, a matrix (tokens, tokens) float32, 0..1: by column
    what a map takes of the maps lent, all 0 where it stays.
    """

    def __init__(self, weights: Callable[[int], npt.NDArray[np.float32]]) -> None:
        self.weights = weights
        self._known: Tensor | None = None

    def __call__(self, own: "Tensor", lent: "Tensor") -> "Tensor":
        """The maps after the exchange; all are (heads, queries, tokens) float, 0..1."""
        import torch

        length = own.shape[-1]
        if self._known is None or len(self._known) != length:
            self._known = torch.from_numpy(self.weights(length))
        self._known = weights = self._known.to(lent)
        return (lent @ weights).where(weights.any(0), own)


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
    """A control that adds up the cross-attention maps of the first row.

    It computes them aside, so that the network's result is the same to the bit. ``end_step`` takes
    the mean over layers of about 16 a side and all calls so far, enlarges the map of every token
    and divides it by its highest value; the sum of these is small enough to be cached with a path.
    """

    def __init__(self, z: "Tensor") -> None:
        self.cells = latent_size(z)
        self._sum: Tensor | None = None
        self._steps: Tensor | None = None
        self._count = 0

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        if place.is_cross and has_map_side(query.shape[-2], self.cells):
            maps = (query[0] @ key[0].mT * query.shape[-1] ** -0.5).softmax(-1).mean(0)
            self._sum = maps if self._sum is None else self._sum + maps
        return query, key, value

    def end_step(self) -> None:
        """Count what was added up so far as the maps of one more step."""
        from torch.nn.functional import interpolate

        if self._sum is None:
            return
        grids = map_to_grid(self._sum.mT, self.cells)
        grids = grids / grids.amax((-2, -1), keepdim=True).clamp(min=1e-8)
        full = interpolate(grids[None], size=self.cells, mode="bicubic").clamp(0, 1)[0]
        self._steps = full if self._steps is None else self._steps + full
        self._count += 1

    def of(self, tokens: Sequence[int]) -> "Tensor | None":
        """The mean map of some tokens, by their indices: (1, 1, h, w) float, 0..1.

        None where no map was collected or no token is given.
        """
        if self._steps is None or not tokens:
            return None
        return self._steps[list(tokens)].mean(0)[None, None] / self._count
