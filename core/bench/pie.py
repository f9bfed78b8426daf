"""Reads a folder of PIE-Bench, the data set of Direct Inversion (arXiv 2310.01506).

It holds mapping_file.json with run-length masks, and annotation_images/.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import FileError

SIDE = 512
CATEGORIES = (
    "random",
    "change object",
    "add object",
    "delete object",
    "change content",
    "change pose",
    "change colour",
    "change material",
    "change background",
    "change style",
)


@dataclass(frozen=True)
class PieEdit:
    """One edit; the mask (512 x 512) is True where the picture is to change."""

    id: str
    kind: str
    path: Path
    source_prompt: str
    prompt: str
    blended_words: tuple[str, ...]
    mask: npt.NDArray[np.bool_]

    def picture(self) -> npt.NDArray[np.float32]:
        """Read the picture, 512 x 512 x 3 float32 in 0..1.

        Raises FileError when it cannot be read.
        """
        try:
            with Image.open(self.path) as image:
                rgb = image.convert("RGB").resize((SIDE, SIDE))
        except (OSError, SyntaxError) as error:
            raise FileError(f"{self.path}: this picture cannot be read: {error}.") from error
        pixels: npt.NDArray[np.float32] = np.asarray(rgb, np.float32) / np.float32(255)
        return pixels


def read_pie(folder: Path) -> Iterator[PieEdit]:
    """Read the edits of a PIE-Bench folder. Raises FileError naming the entry that is wrong."""
    path = folder / "mapping_file.json"
    try:
        entries: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(f"{path} is not PIE-Bench's mapping file: {error}.") from error
    for name, entry in entries.items():
        try:
            yield _edit(folder, name, entry)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise FileError(f"{path}: entry {name} cannot be used: {error!r}.") from error


def _edit(folder: Path, name: str, entry: dict[str, Any]) -> PieEdit:
    runs = entry["mask"]
    runs = [int(n) for n in (runs.split() if isinstance(runs, str) else runs)]
    return PieEdit(
        name,
        CATEGORIES[int(entry["editing_type_id"])],
        folder / "annotation_images" / entry["image_path"],
        _plain(entry["original_prompt"]),
        _plain(entry["editing_prompt"]),
        tuple(str(entry.get("blended_word", "")).split()),
        decode_mask(runs),
    )


def _plain(prompt: str) -> str:
    """A prompt without the brackets that mark edited words."""
    return prompt.replace("[", "").replace("]", "")


def decode_mask(runs: Sequence[int], side: int = SIDE) -> npt.NDArray[np.bool_]:
    """Decode pairs of start and length on the flattened grid to a (side, side) bool mask, 0..1.

    The outermost pixels always belong to it. Raises ValueError when a length is missing.
    """
    if len(runs) % 2:
        raise ValueError("a run-length mask is pairs of start and length")
    mask = np.zeros(side * side, bool)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        mask[start : start + length] = True
    square = mask.reshape(side, side)
    square[[0, -1], :] = True
    square[:, [0, -1]] = True
    return square
