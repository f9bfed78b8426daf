"""The models of one job: the recipe's own and those that its parameters name, opened together."""

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
    """Every model that a recipe needs at a time, its own first."""
    return [recipe.model, *(name for _, name in input_models(recipe))]


def open_models(
    recipe: "Recipe", shelf: "ModelCache", device: str, loading: "Callable[[str], None]"
) -> "JobModels":
    """The models of a recipe; ``loading`` hears the name of each that is not on the shelf yet.

    Raises ModelError naming the parameter whose model cannot be used.
    """
    wanted = model_names(recipe)

    def one(name: str) -> "Model":
        if (name, device) not in shelf:
            loading(name)
        return shelf.open(name, device, wanted)

    own, others = one(recipe.model), {}
    for field, name in input_models(recipe):
        try:
            others[field.name] = one(name)
        except ModelError as error:
            raise ModelError(f"{field.label}: {error}") from error
    return JobModels(own, others)


@dataclass(frozen=True)
class JobModels:
    """The recipe's own model, and the others by parameter; one model may play several parts."""

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
        """A hash of all weights; that of the only model is its own."""
        found = [model.identity for model in self._each()]
        if len(found) == 1:
            return found[0]
        return hashlib.blake2b(" ".join(found).encode(), digest_size=16).hexdigest()

    def forget_notes(self) -> None:
        for model in self._each():
            model.notes.clear()

    def wrap_others(self, modifiers: "Iterable[ModifierSetting]") -> "dict[str, Model]":
        """The others, by parameter, seen through modifiers as the recipe's own model is."""
        around = tuple(modifiers)
        return {name: wrap_model(model, around) for name, model in self.others.items()}

    def _each(self) -> "list[Model]":
        return list({id(model): model for model in (self.own, *self.others.values())}.values())
