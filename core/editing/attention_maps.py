"""Where words look: which attention maps tell it, and how they lie on the latent."""

from collections.abc import Sequence
from math import log2, sqrt
from typing import TYPE_CHECKING

from core.diffusion.attention import AttentionLayer, AttentionStates

if TYPE_CHECKING:
    from torch import Tensor


MAP_SIDE = 16
"""Attention maps of about this side tell best where a word is, as published."""

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
