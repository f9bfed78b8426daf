"""Checkpoint files: refuses those that could run code or are no files, reads headers and hashes."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelError

PICKLES = {".ckpt", ".pt", ".pth", ".bin", ".pkl"}
SAFE = ".safetensors"
SAMPLE = 1 << 16
"""Bytes that a fingerprint reads at the start, middle and end of a file."""
MAX_ENTRIES = 2000
"""Files and folders that one folder of a checkpoint may hold."""
MAX_JSON_BYTES = 1 << 26
"""Of a configuration, an index or a vocabulary; the largest vocabularies have 20 MB."""


@dataclass(frozen=True)
class Weights:
    """What the header of a .safetensors file says: shapes by name, and its free texts."""

    shapes: Mapping[str, tuple[int, ...]]
    texts: Mapping[str, str]

    @property
    def values(self) -> int:
        """How many numbers the file holds."""
        return sum(_product(shape) for shape in self.shapes.values())


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product


def is_regular(path: Path) -> bool:
    """Whether a path leads to a plain file; reading from a pipe or a device may never end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; one that cannot be reached does not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Whether a path leads to anything; one that cannot be reached does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_safetensors(path: Path) -> bool:
    """Whether a plain file begins as .safetensors files do, whatever it is called."""
    start = _first_bytes(path, 9)
    return len(start) == 9 and start[8:] == b"{" and not start[6:8].strip(b"\0")


def is_pickle(path: Path) -> bool:
    """Whether a file would be unpickled: by its name, or by its first bytes."""
    if path.suffix.lower() in PICKLES:
        return not is_safetensors(path)
    start = _first_bytes(path, 4)
    return start[:1] == b"\x80" or start == b"PK\x03\x04"


def refuse_pickle(path: Path) -> None:
    """Raises ModelError for a file that would be unpickled."""
    if is_pickle(path):
        raise ModelError(
            f"{path.name}: this checkpoint is a pickle; Sfumato opens safetensors only."
        )


def _first_bytes(path: Path, count: int) -> bytes:
    if not is_regular(path):
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError:
        return b""


def read_weights(path: Path) -> Weights:
    """The header of a .safetensors file. Raises ModelError when it is damaged or no plain file."""
    from safetensors import SafetensorError, safe_open

    if not is_regular(path):
        raise ModelError(f"{path.name} is not a plain file.")
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - not a dictionary
            return Weights(shapes, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        raise ModelError(f"{path.name} is damaged or cut short ({error}).") from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a checkpoint. Raises ModelError when there is none."""
    name = f"{path.parent.name}/{path.name}"
    if not is_regular(path):
        raise ModelError(f"{name} is missing, or is not a plain file.")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ModelError(f"{name} is unreasonably large.")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{name} is damaged: it is not JSON.") from error
    if not isinstance(found, dict):
        raise ModelError(f"{name} is damaged: it holds no settings.")
    return found


def checkpoint_files(path: Path) -> list[Path]:
    """The file itself, or the plain files of a folder and of the folders in it, sorted.

    A checkpoint is no deeper, so that a path such as / is not searched. Raises ModelError for a
    folder with unreasonably many entries.
    """
    if not is_folder(path):
        return [path]
    return sorted(file for folder in (path, *_folders(path)) for file in _files(folder))


def _folders(path: Path) -> Iterator[Path]:
    return (Path(entry.path) for entry in _entries(path) if entry.is_dir())


def _files(path: Path) -> Iterator[Path]:
    return (Path(entry.path) for entry in _entries(path) if entry.is_file())


def _entries(path: Path) -> list["os.DirEntry[str]"]:
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                found.append(entry)
                if len(found) > MAX_ENTRIES:
                    raise ModelError(f"{path} is no checkpoint: it holds too many files.")
    except OSError:
        return found
    return found


def fingerprint(path: Path) -> str:
    """A hash of the weights' names, sizes, headers and 64 KiB from the middle and end of each.

    Not of every byte: a checkpoint of several GB would take as long to hash as to load. Raises
    ModelError for a folder with unreasonably many entries.
    """
    digest = hashlib.blake2b(digest_size=16)
    for file in checkpoint_files(path):
        if file == path or file.suffix.lower() in {SAFE, ".json"}:
            digest.update(file.name.encode("utf-8", "surrogateescape"))
            for part in _parts(file):
                digest.update(part)
    return digest.hexdigest()


def _parts(file: Path) -> list[bytes]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        parts = [str(size).encode()]
        for start in (0, size // 2, max(0, size - SAMPLE)):
            stream.seek(start)
            parts.append(stream.read(SAMPLE))
    return parts
