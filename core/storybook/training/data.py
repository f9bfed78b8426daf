"""Loads packed shards, and draws batches of whole-scene and brush examples from them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from core.storybook.text import TextEncoder

UNCONDITIONAL_SHARE = 0.1
BRUSH_SHARE = 0.5
THING_WEIGHT = 4.0
OUTSIDE_WEIGHT = 0.1


class Batch(NamedTuple):
    """Clean latents, tokens, mask (1 = to be painted) and each cell's weight in the loss."""

    x0: "Tensor"
    tokens: "Tensor"
    mask: "Tensor"
    weight: "Tensor"


class Pool:
    """Packed shards; the tokens of a shard's prompts are embedded once and stored next to it."""

    def __init__(self, folder: Path, encoder: "TextEncoder") -> None:
        import torch

        self.folder = folder
        self.encoder = encoder
        self.tokens = encoder.embed([""]).half()
        self.latents = torch.zeros(0)
        self.cells = torch.zeros(0)
        self.prompts = torch.zeros(0)

    def load(self, limit: int = 1000) -> int:
        """Load the first shards; return the number of examples."""
        import torch

        latents, cells, prompts, tokens = [], [], [], [self.tokens]
        known = len(self.tokens)
        for path in sorted(self.folder.glob("shard-*.npz"))[:limit]:
            with np.load(path) as arrays:
                local = torch.from_numpy(arrays["prompts"])
                latents.append(torch.from_numpy(arrays["latents"]))
                cells.append(torch.from_numpy(arrays["cells"]))
            prompts.append(torch.where(local >= 0, local + known, -1).long())
            tokens.append(self._embed(path))
            known += len(tokens[-1])
        self.latents, self.cells = torch.cat(latents), torch.cat(cells)
        self.prompts, self.tokens = torch.cat(prompts), torch.cat(tokens)
        return len(self.latents)

    def _embed(self, path: Path) -> "Tensor":
        """Tokens of a shard's prompts."""
        import torch

        stored = path.with_suffix(".tokens.npy")
        if not stored.exists():
            texts: list[str] = json.loads(path.with_suffix(".json").read_text())
            parts = [self.encoder.embed(texts[i : i + 256]) for i in range(0, len(texts), 256)]
            np.save(stored, torch.cat(parts).half().numpy())
        return torch.from_numpy(np.load(stored))

    def batch(self, size: int, random: "Generator") -> Batch:
        """Draw a batch: half whole scenes, half brush examples, some without a prompt."""
        import torch

        rows = torch.randint(len(self.latents), (size,), generator=random)
        prompts = self.prompts[rows]
        chance = torch.rand(4, size, generator=random)
        thing = (chance[0] < 0.5).long()
        has_thing = prompts.gather(1, 2 + thing[:, None])[:, 0] >= 0
        thing = torch.where(has_thing, thing, 0)
        is_empty = prompts[:, 2] < 0
        is_brush = chance[1] < BRUSH_SHARE
        column = torch.where(is_brush & ~is_empty, 2 + thing, (chance[2] < 0.5).long())
        number = prompts.gather(1, column[:, None])[:, 0]
        number = torch.where(chance[3] < UNCONDITIONAL_SHARE, 0, number)
        cells = self.cells[rows].float()
        footprint = cells[torch.arange(size), thing]
        mask = _brush_mask(footprint, random)
        mask = torch.where((is_brush & (mask.sum((1, 2)) > 0))[:, None, None], mask, 1.0)
        weight = mask * (1 + (THING_WEIGHT - 1) * cells.amax(1)) + OUTSIDE_WEIGHT * (1 - mask)
        x0 = self.latents[rows].float()
        return Batch(x0, self.tokens[number].float(), mask[:, None], weight[:, None])


def _brush_mask(footprint: "Tensor", random: "Generator") -> "Tensor":
    """A random mask for a thing: its cells, with a margin, its box, or a blob where it is empty."""
    import torch
    from torch.nn.functional import max_pool2d

    count = len(footprint)
    near = max_pool2d(footprint[:, None], 3, 1, 1)[:, 0]
    wide = max_pool2d(footprint[:, None], 5, 1, 2)[:, 0]
    box = near.amax(1, keepdim=True) * near.amax(2, keepdim=True)
    blob = _blobs(count, footprint.shape[-1], random)
    kind = torch.randint(10, (count,), generator=random)[:, None, None]
    mask = torch.where(kind < 4, near, torch.where(kind < 7, wide, box))
    mask = torch.where(kind == 0, footprint, mask)
    is_bare = footprint.sum((1, 2)) == 0
    return torch.where(is_bare[:, None, None], blob, mask)


def _blobs(count: int, side: int, random: "Generator") -> "Tensor":
    """Random discs, the masks of places without a thing."""
    import torch

    line = torch.arange(side) + 0.5
    centre = torch.rand(2, count, 1, 1, generator=random) * side
    radius = (0.15 + 0.3 * torch.rand(count, 1, 1, generator=random)) * side
    distance = torch.hypot(line[None, :, None] - centre[0], line[None, None, :] - centre[1])
    return (distance < radius).float()
