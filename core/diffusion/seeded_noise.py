"""Noise from a counter-based generator: the same cell gets the same number on every device.

Noise is drawn in tiles of 64 x 64 latent cells keyed by (seed, role, step, sample, tile), so it
depends neither on batch size nor on where a crop was cut: moving a mask reveals the same noise.
"""

import hashlib

import numpy as np
import numpy.typing as npt

TILE = 64


def gaussian(
    shape: tuple[int, ...],
    seed: int,
    role: str = "start",
    step: int = 0,
    origin: tuple[int, int] = (0, 0),
) -> npt.NDArray[np.float32]:
    """Standard normal noise of shape (batch, channels, height, width), float32, unbounded.

    ``origin`` is the (x, y) of the crop in latent cells on the canvas.
    """
    batch, channels, height, width = shape
    out = np.empty(shape, np.float32)
    for sample in range(batch):
        key = (seed, role, step, sample)
        out[sample] = _window(key, channels, origin, (height, width))
    return out


def _window(
    key: tuple[int, str, int, int], channels: int, origin: tuple[int, int], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    (left, top), (height, width) = origin, size
    first_column, first_row = left // TILE, top // TILE
    columns = range(first_column, -(-(left + width) // TILE))
    rows = range(first_row, -(-(top + height) // TILE))
    lines = [np.concatenate([_tile(key, channels, x, y) for x in columns], axis=2) for y in rows]
    whole = np.concatenate(lines, axis=1)
    y, x = top - first_row * TILE, left - first_column * TILE
    return whole[:, y : y + height, x : x + width]


def _tile(key: tuple[int, str, int, int], channels: int, x: int, y: int) -> npt.NDArray[np.float32]:
    digest = hashlib.blake2b(repr((*key, x, y)).encode(), digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return generator.standard_normal((channels, TILE, TILE), np.float32)
