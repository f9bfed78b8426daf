"""Which describers can put a picture into words that suit a model, and what they say."""

from typing import TYPE_CHECKING

from core import catalog
from core.catalog import Describer, backends, describers
from core.errors import ModelError

if TYPE_CHECKING:
    from core.paint.tiles import Pixels


def fitting(model: str) -> list[type[Describer]]:
    """The describers that can be asked for a model, those who know its pictures best first."""
    return [kind for kind in _suited(model) if not kind.missing()]


def lacking(model: str) -> str:
    """What to do before a picture can be described for a model; empty when it can be."""
    return "" if fitting(model) else " ".join(kind.missing() for kind in _suited(model))


def described(pixels: "Pixels", model: str) -> str:
    """What a picture (height x width x 3) shows; empty when nobody is sure.

    Raises ModelError when there is nobody to ask, or when their files cannot be used.
    """
    kinds = fitting(model)
    if not kinds:
        raise ModelError(lacking(model))
    return next(filter(None, (kind().describe(pixels) for kind in kinds)), "")


def _suited(model: str) -> list[type[Describer]]:
    """Those made for the model's pictures, then those for any."""
    catalog.load("describers", "models")
    own = [kind for kind in describers if any(backends[w].opens(model) for w in kind.worlds)]
    return own + [kind for kind in describers if not kind.worlds]
