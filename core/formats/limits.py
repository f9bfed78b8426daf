"""How much one file may ask for: checked before anything is decoded, in one place.

A few bytes can describe pictures, layers and nested lists without end. What is beyond these limits
is refused in one sentence, and nothing of it is decoded.
"""

import json
from typing import Any

from core.errors import FileError
from core.paint.document import MAX_SIDE

MAX_PIXELS = 1 << 29
"""Pixels of one picture: 2 GB as RGBA, a little over 23,000 x 23,000."""
MAX_ALL_PIXELS = 1 << 31
"""Pixels of all pictures in one file, where they are packed as tightly as they can be."""
PIXELS_PER_BYTE = 64
"""How many more pixels a file may hold for each of its bytes: painted ones need at least these."""
MAX_ENTRIES = 20_000
"""Entries of an archive."""
MAX_LAYERS = 10_000
MAX_DEPTH = 64
"""Groups within groups."""
MAX_LIST_BYTES = 16 << 20
"""Bytes of a layer list."""
MAX_TEXT_BYTES = 32 << 20
"""Bytes of what Sfumato adds to a layer list."""
MAX_NAME = 4096
"""Characters of a layer's name; what is longer is cut."""
MAX_NESTING = 64
"""Lists within lists of JSON."""
MAX_BYTES = 4 << 30
"""Bytes of all entries of an archive, unpacked."""
MAX_KEPT_BYTES = 1 << 30
"""Bytes of entries that are kept unread for a newer Sfumato."""


def refuse_size(name: str, width: int, height: int) -> None:
    """Raises FileError for a picture that no canvas can hold."""
    if width < 1 or height < 1:
        raise FileError(f"{name} is damaged: it declares {width} x {height} pixels.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise FileError(
            f"{name} is {width} x {height} pixels; "
            f"Sfumato opens up to {MAX_SIDE} a side and {MAX_PIXELS >> 20} million in all."
        )


def refuse_total(name: str, pixels: int, file_bytes: int) -> None:
    """Raises FileError for a file whose pictures together are out of proportion to it."""
    if pixels > MAX_ALL_PIXELS + PIXELS_PER_BYTE * file_bytes:
        raise FileError(
            f"{name} was not opened: its {file_bytes:,} bytes declare {pixels >> 20:,} million "
            "pixels, more than can be opened."
        )


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError when it is none, or nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _is_deeper(value, MAX_NESTING):
        raise ValueError("it is nested too deeply")
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and mappings lie more than so many deep in each other."""
    level = [value]
    for _ in range(depth):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return False
        level = inner
    return any(isinstance(item, (dict, list)) for item in level)
