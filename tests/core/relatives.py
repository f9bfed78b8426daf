"""Tiny random Storybooks that share a codec, and one that has another."""

from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp
from typing import Any

from core.models.opening import open_model
from core.storybook.random_model import build_random


def folders(home: Path) -> tuple[Path, Path]:
    """Two models of one family: other weights, the same latents."""
    one, two = build_random(home / "one"), build_random(home / "two", seed=1)
    copytree(one / "vae", two / "vae", dirs_exist_ok=True)
    return one, two


@cache
def relatives() -> tuple[Any, Any]:
    """Both, opened."""
    one, two = folders(Path(mkdtemp()))
    return open_model(str(one)), open_model(str(two))


@cache
def stranger() -> Any:
    """A model of the same shapes whose latents mean something else."""
    return open_model(str(build_random(Path(mkdtemp()) / "stranger", seed=2)))
