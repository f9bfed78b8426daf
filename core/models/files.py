"""Checkpoint files: refuses those that could run code, and hashes the others."""

import hashlib
from pathlib import Path

from core.errors import ModelError

PICKLES = {".ckpt", ".pt", ".pth", ".bin", ".pkl"}
SAMPLE = 1 << 16
"""Bytes that a fingerprint reads at the start, middle and end of a file."""


def refuse_pickle(path: Path) -> None:
    """Raises ModelError for a file that would be unpickled."""
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"{path.name}: this checkpoint is a pickle; Sfumato opens safetensors only."
        )


def fingerprint(path: Path) -> str:
    """A hash of the weights' names, sizes, headers and 64 KiB from the middle and end of each.

    Not of every byte: a checkpoint of several GB would take as long to hash as to load.
    """
    digest = hashlib.blake2b(digest_size=16)
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    for file in found:
        if file.suffix in {".safetensors", ".json"}:
            digest.update(file.name.encode())
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
