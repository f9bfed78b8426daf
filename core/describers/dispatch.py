"""Chooses the describers that suit a model, and describes pictures with them."""

from typing import TYPE_CHECKING

from core import catalog
from core.catalog import Describer, backends, describers
from core.errors import ModelError

if TYPE_CHECKING:
    from core.paint.tiles import Pixels


def usable_describers(model: str) -> list[type[Describer]]:
    """Return the describers that work for a model, those made for its pictures first."""
    return [kind for kind in _describers_for(model) if not kind.why_unavailable()]


def missing_for_describer(model: str) -> str:
    """Say what to do before a picture can be described for a model; empty when it can be."""
    return (
        ""
        if usable_describers(model)
        else " ".join(kind.why_unavailable() for kind in _describers_for(model))
    )


def describe_picture(pixels: "Pixels", model: str) -> str:
    """Describe a picture (height x width x 3 uint8, 0..255); empty when no describer is sure.

    Raises ModelError when there is no describer, or when its files cannot be used.
    """
    kinds = usable_describers(model)
    if not kinds:
        raise ModelError(missing_for_describer(model))
    return next(filter(None, (kind().describe(pixels) for kind in kinds)), "")


def _describers_for(model: str) -> list[type[Describer]]:
    """The describers made for the model's pictures, then those for any picture."""
    catalog.load("describers", "models")
    own = [kind for kind in describers if any(backends[w].opens(model) for w in kind.worlds)]
    return own + [kind for kind in describers if not kind.worlds]
