"""The files and other models that a recipe's parameters name, and whether they have changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core import params
from core.catalog import params_of, techniques
from core.params import Field
from core.task import Recipe

WEIGHTS = {".safetensors", ".json"}


def input_files(recipe: Recipe) -> Iterator[tuple[Field, Path]]:
    """Iterate over the files that a recipe names, each with its parameter."""
    for kind in _params_of(recipe):
        yield from params.named_files(kind, recipe.params)


def input_models(recipe: Recipe) -> Iterator[tuple[Field, str]]:
    """Iterate over the models that a recipe's parameters name, each with the parameter."""
    for kind in _params_of(recipe):
        yield from params.named_models(kind, recipe.params)


def names_paths(recipe: Recipe) -> bool:
    """Whether a recipe names any file, or a model that does not come with the program."""
    named = [recipe.model, *(name for _, name in input_models(recipe))]
    return any(input_files(recipe)) or any(Path(name).name != name for name in named)


def input_stamps(recipe: Recipe) -> str:
    """Return a text that changes when a file or a model that the recipe names is replaced."""
    return "".join(_stamps(recipe))


def has_all_inputs(recipe: Recipe) -> bool:
    """Whether everything that the recipe names can be found."""
    return all(_stamps(recipe))


def file_stamp(path: Path) -> str:
    """Return a text of a file's time and size; empty when there is no such file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_mtime_ns}/{status.st_size} "


def _params_of(recipe: Recipe) -> list[type[Any]]:
    """The technique's parameter class; an empty list when the technique is not installed."""
    return [params_of(techniques[recipe.technique])] if recipe.technique in techniques else []


def _stamps(recipe: Recipe) -> Iterator[str]:
    yield from (file_stamp(path) for _, path in input_files(recipe))
    yield from (_stamp_of_model(name) for _, name in input_models(recipe))


def _stamp_of_model(name: str) -> str:
    """A text of the weights at a path; a model with an id comes with the program."""
    path = Path(name)
    if not path.is_absolute():
        return f"{name} "
    own = file_stamp(path)
    if not own or not path.is_dir():
        return own
    found = sorted(file for file in path.rglob("*") if file.suffix in WEIGHTS)
    return "".join(file_stamp(file) for file in found)
