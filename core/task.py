"""The recipe of a generation, which is stored in files, and the task that a technique gets."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from core.diffusion import seeded_noise
from core.errors import EditorError
from core.geometry import Rect
from core.params import Value
from core.versions.schema import KEY, Schema

if TYPE_CHECKING:
    from torch import Tensor

    from core.diffusion.model import Model

P = TypeVar("P")
RECIPE_SCHEMA = Schema("recipe")


@dataclass(frozen=True)
class ModifierSetting:
    """A modifier by id with its parameters."""

    id: str
    params: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a result except the pixels it starts from; JSON in files.

    ``model`` is a model id, or the path of a model folder or .safetensors file. ``model_hash`` is
    the identity of the weights that made the layer's pixels, empty before the first run.
    ``context`` is the canvas rectangle that the model gets, empty for automatic. A ``confined``
    edit changes nothing outside the painted region; another one fades out a little around it.
    ``verb`` is what the person asked for, and ``words`` are those that the technique has no
    parameter for, by their usual names: no pixel depends on either.
    """

    technique: str
    params: Mapping[str, Value] = field(default_factory=dict)
    model: str = "storybook"
    modifiers: tuple[ModifierSetting, ...] = ()
    seed: int = 0
    context: Rect = Rect(0, 0, 0, 0)
    model_hash: str = ""
    confined: bool = False
    verb: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def with_params(self, **changes: Value) -> "Recipe":
        """Return the recipe with some parameters changed."""
        return replace(self, params={**self.params, **changes})

    def to_json(self) -> dict[str, Any]:
        """What files and messages hold, with the version of the schema."""
        changed = {
            "params": dict(self.params),
            "context": list(self.context),
            "words": dict(self.words),
        }
        return RECIPE_SCHEMA.stamp({**asdict(self), **changed})

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Recipe":
        """The recipe in a file, of any version up to the present one.

        Raises EditorError for a recipe that lacks a field or holds a wrong kind of value,
        VersionError for one that a newer Sfumato wrote.
        """
        try:
            return _recipe(RECIPE_SCHEMA.migrate(data))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise EditorError(f"This recipe cannot be read: {error!r}.") from error

    @property
    def key(self) -> str:
        """A hash that is the same for recipes that give the same pixels with the same weights."""
        data = self.to_json()
        for name in (KEY, "model_hash", "verb", "words"):
            data.pop(name)
        if not self.confined:
            # As it was hashed before there were confined edits.
            data.pop("confined")
        text = json.dumps(data, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _recipe(data: Mapping[str, Any]) -> Recipe:
    modifiers = tuple(
        ModifierSetting(str(m["id"]), dict(m["params"])) for m in data.get("modifiers", ())
    )
    x, y, width, height = (int(number) for number in data.get("context", (0, 0, 0, 0)))
    return Recipe(
        technique=str(data["technique"]),
        params=dict(data.get("params", {})),
        model=str(data.get("model", "storybook")),
        modifiers=modifiers,
        seed=int(data.get("seed", 0)),
        context=Rect(x, y, width, height),
        model_hash=str(data.get("model_hash", "")),
        confined=bool(data.get("confined", False)),
        verb=str(data.get("verb", "")),
        words={str(name): str(text) for name, text in dict(data.get("words", {})).items()},
    )


@dataclass(frozen=True, eq=False)
class Task(Generic[P]):
    """What a technique gets: its checked parameters and pictures at the model's size.

    ``image`` is height x width x 3 float32 in 0..1; ``mask`` height x width float32 in 0..1 with
    1 = edit. Both have sides that the model accepts. ``origin`` is the crop's corner on the canvas
    in latent cells, which anchors the noise. ``pictures`` are read from the files that parameters
    name, by parameter; they are cropped like ``image`` and have its shape. ``models`` are those
    that parameters name, by parameter, on the device of the recipe's own model.
    """

    recipe: Recipe
    params: P
    image: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]
    origin: tuple[int, int] = (0, 0)
    pictures: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    models: Mapping[str, "Model"] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @cached_property
    def image_key(self) -> str:
        """A hash of the picture, for caches."""
        digest = hashlib.blake2b(np.ascontiguousarray(self.image).data, digest_size=16)
        return f"{self.image.shape}{digest.hexdigest()}"

    def noise(self, like: "Tensor", role: str = "start", step: int = 0) -> "Tensor":
        """Draw standard normal noise that depends on seed, role, step and origin alone.

        like: (b, c, h, w) float. Returns its shape, dtype and device; unbounded.
        """
        import torch

        shape = tuple(int(side) for side in like.shape)
        values = seeded_noise.gaussian(shape, self.seed, role, step, self.origin)
        return torch.from_numpy(values).to(like)
