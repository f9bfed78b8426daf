"""The models of one job: the recipe's own and those that its parameters name, opened together."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.ai.recipe_inputs import models
from core.errors import ModelError
from core.modifiers.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from core.diffusion.model import Model
    from core.engine.model_cache import Shelf
    from core.task import Recipe, Wrapped


def names(recipe: "Recipe") -> list[str]:
    """Every model that a recipe needs at a time, its own first."""
    return [recipe.model, *(name for _, name in models(recipe))]


def opened(
    recipe: "Recipe", shelf: "Shelf", device: str, loading: "Callable[[str], None]"
) -> "Cast":
    """The models of a recipe; ``loading`` hears the name of each that is not on the shelf yet.

    Raises ModelError naming the parameter whose model cannot be used.
    """
    wanted = names(recipe)

    def one(name: str) -> "Model":
        if (name, device) not in shelf:
            loading(name)
        return shelf.open(name, device, wanted)

    own, others = one(recipe.model), {}
    for field, name in models(recipe):
        try:
            others[field.name] = one(name)
        except ModelError as error:
            raise ModelError(f"{field.label}: {error}") from error
    return Cast(own, others)


@dataclass(frozen=True)
class Cast:
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

    def steered(self, modifiers: "Iterable[Wrapped]") -> "dict[str, Model]":
        """The others, by parameter, seen through modifiers as the recipe's own model is."""
        around = tuple(modifiers)
        return {name: wrapped(model, around) for name, model in self.others.items()}

    def _each(self) -> "list[Model]":
        return list({id(model): model for model in (self.own, *self.others.values())}.values())
