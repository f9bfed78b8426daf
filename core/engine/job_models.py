"""The models of one job: the recipe's own and those that its parameters name."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.ai.recipe_inputs import input_models
from core.errors import ModelError
from core.modifiers.wrapping import wrap_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from core.diffusion.model import Model
    from core.engine.model_cache import ModelCache
    from core.task import ModifierSetting, Recipe


def model_names(recipe: "Recipe") -> list[str]:
    """Name every model that a recipe needs at the same time, its own first."""
    return [recipe.model, *(name for _, name in input_models(recipe))]


def open_models(
    recipe: "Recipe", cache: "ModelCache", device: str, report_loading: "Callable[[str], None]"
) -> "JobModels":
    """Open the models of a recipe; ``report_loading`` gets the name of each that is not loaded.

    Raises ModelError naming the parameter whose model cannot be used.
    """
    needed = model_names(recipe)

    def open_model(name: str) -> "Model":
        if (name, device) not in cache:
            report_loading(name)
        return cache.open(name, device, needed)

    own, others = open_model(recipe.model), {}
    for field, name in input_models(recipe):
        try:
            others[field.name] = open_model(name)
        except ModelError as error:
            raise ModelError(f"{field.label}: {error}") from error
    return JobModels(own, others)


@dataclass(frozen=True)
class JobModels:
    """The recipe's own model, and the others by parameter; a model may stand for several."""

    own: "Model"
    others: "Mapping[str, Model]"

    @property
    def calls(self) -> int:
        return sum(model.calls for model in self._each())

    @property
    def notes(self) -> list[str]:
        return [note for model in self._each() for note in model.notes]

    @property
    def identity(self) -> str:
        """A hash of all weights; that of a single model is its identity."""
        identities = [model.identity for model in self._each()]
        if len(identities) == 1:
            return identities[0]
        return hashlib.blake2b(" ".join(identities).encode(), digest_size=16).hexdigest()

    def forget_notes(self) -> None:
        """Clear the notes of earlier jobs."""
        for model in self._each():
            model.notes.clear()

    def wrap_others(self, modifiers: "Iterable[ModifierSetting]") -> "dict[str, Model]":
        """Wrap the other models in modifiers, as the recipe's own model is; by parameter."""
        settings = tuple(modifiers)
        return {name: wrap_model(model, settings) for name, model in self.others.items()}

    def _each(self) -> "list[Model]":
        """Every model once."""
        return list({id(model): model for model in (self.own, *self.others.values())}.values())
