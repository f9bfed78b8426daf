"""A model wrapped in modifiers: it makes its denoisers through them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core import catalog
from core.diffusion.model import Conditioning, Denoise, KnownRegion, Model
from core.params import from_json
from core.task import ModifierSetting

if TYPE_CHECKING:
    from core.diffusion.model import MakeDenoise


class WrappedModel:
    """Everything of the model it wraps, with denoisers made through modifiers."""

    def __init__(self, model: Model, modifiers: Iterable[catalog.Modifier]) -> None:
        self._model = model
        self._modifiers = tuple(modifiers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def denoiser(self, prompt: str | Conditioning, known: KnownRegion | None = None) -> Denoise:
        embeddings = self._model.embed([prompt]) if isinstance(prompt, str) else prompt

        def plain(given: Conditioning) -> Denoise:
            return self._model.denoiser(given, known)

        make: MakeDenoise = plain
        for modifier in self._modifiers:
            make = modifier.wrap(make, self._model)
        return make(embeddings)


def wrap_model(model: Model, modifiers: Iterable[ModifierSetting]) -> Model:
    """The model with modifiers by id applied in order, the first one innermost.

    Raises EditorError naming an unknown modifier or a parameter out of range.
    """
    catalog.load("modifiers")
    kinds = [(catalog.modifiers[item.id], item.params) for item in modifiers]
    built = [kind(from_json(catalog.params_of(kind), params)) for kind, params in kinds]
    return WrappedModel(model, built) if built else model
