"""Which models there are, what they can do, and how to open one; no torch before one is opened."""

from dataclasses import dataclass
from pathlib import Path

from core import catalog
from core.catalog import Backend, ModelDefaults
from core.diffusion.model import Model
from core.errors import ModelError
from core.models.checkpoint_kind import (
    INDEX,
    STABLE_DIFFUSION,
    check_checkpoint,
    is_weights_file,
    pipeline_class,
    refuse_foreign_folder,
)
from core.models.checkpoints import check_folder
from core.models.files import is_folder, is_regular, is_there
from core.settings import files_in_models_folder


@dataclass(frozen=True)
class ModelEntry:
    """A model as a chooser shows it; ``note`` says why it cannot be used, empty when it can."""

    name: str
    label: str
    note: str = ""


def backend_of(name: str) -> type[Backend]:
    """The backend that opens a model id or path. Raises ModelError when none does."""
    catalog.load("models")
    found = next((backend for backend in catalog.backends if backend.opens(name)), None)
    if found is not None:
        return found
    path = Path(name)
    if not is_there(path):
        raise ModelError(f"There is no model called {name[:200]!r}, and no such file or folder.")
    if is_folder(path):
        refuse_foreign_folder(path)
    raise ModelError(f"{name} is no model that Sfumato knows: choose a folder or a .safetensors.")


def check_model(name: str) -> None:
    """Judge a model by what its files hold, without loading them, quick enough for a window.

    Raises ModelError with one sentence when it cannot be used.
    """
    kind = backend_of(name)
    path = Path(name)
    if kind.id == name or not is_there(path):
        return
    if is_folder(path) and pipeline_class(path) in STABLE_DIFFUSION:
        check_folder(path)
    elif not is_folder(path):
        check_checkpoint(path)


def open_model(name: str, device: str = "cpu") -> Model:
    """Load a model. Raises ModelError with one sentence when it cannot be used."""
    return backend_of(name).load(name, device)


def capabilities_of(name: str) -> frozenset[str]:
    """What a model can do, known from its backend without loading it."""
    return backend_of(name).capabilities


def model_defaults(name: str) -> ModelDefaults:
    """The settings a new recipe starts with, known without loading the model."""
    return backend_of(name).defaults


def warn_of_unknown_words(name: str, *texts: str) -> str:
    """Name the words that a model does not know, in one sentence; empty when there are none."""
    try:
        kind = backend_of(name)
    except ModelError:
        return ""
    words = list(dict.fromkeys(kind.unknown_words(name, " ".join(texts))))
    if not words:
        return ""
    named = ", ".join(f"“{word}”" for word in words)
    return f"{kind.label} does not know {named}: it paints the nearest thing that it knows."


def available_models() -> list[ModelEntry]:
    """The built-in models, then every checkpoint in the models folder."""
    catalog.load("models")
    built_in = [
        ModelEntry(b.id, b.label, b.why_unavailable()) for b in catalog.backends if b.opens(b.id)
    ]
    return sorted(built_in, key=lambda model: model.name == "toy") + _own()


def _own() -> list[ModelEntry]:
    found = files_in_models_folder()
    return [ModelEntry(str(path), path.stem) for path in found if is_checkpoint(path)]


def is_checkpoint(path: Path) -> bool:
    """Whether a path is a .safetensors file, by name or content, or a diffusers folder."""
    return (is_regular(path) and is_weights_file(path)) or is_regular(path / INDEX)
