"""FreeU: trust the network's backbone more and its skip connections less."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from core.catalog import Paper, modifiers
from core.diffusion.model import Conditioning, Denoise, Level, MakeDenoise, Model, Prediction
from core.params import Range

if TYPE_CHECKING:
    from torch import Tensor


@modifiers.register
class FreeU:
    """Cleaner shapes without training (FreeU, arXiv 2309.11497); needs a network of blocks.

    In the two deepest stages on the way up, half the backbone's channels count for more and the
    coarsest frequencies of the skip connections for less. The defaults suit Stable Diffusion 2.1;
    for 1.5 the paper has 1.5, 1.6, 0.9, 0.2.
    """

    id: ClassVar[str] = "freeu"
    label: ClassVar[str] = "Backbone and skips (FreeU)"
    paper: ClassVar[Paper | None] = Paper("FreeU", "2309.11497")
    calls: ClassVar[int] = 1

    @dataclass(frozen=True)
    class Params:
        backbone_1: Annotated[float, Range(0, 3, "Backbone, deepest stage", step=0.1)] = 1.4
        backbone_2: Annotated[float, Range(0, 3, "Backbone, second stage", step=0.1)] = 1.6
        skip_1: Annotated[float, Range(0, 3, "Skips, deepest stage", step=0.1)] = 0.9
        skip_2: Annotated[float, Range(0, 3, "Skips, second stage", step=0.1)] = 0.2

    def __init__(self, params: Any) -> None:
        self.params: FreeU.Params = params

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise:
        return partial(self._rescale, make, model)

    def _rescale(self, make: MakeDenoise, model: Model, words: Conditioning) -> Denoise:
        denoise, tap = make(words), _Tap(self.params)

        def rescaled(z: "Tensor", level: Level, label: Level | None = None) -> Prediction:
            with model.features(tap):
                return denoise(z, level, label)

        return rescaled


class _Tap:
    """Rescales what the first two blocks on the way up join, leaves every output."""

    def __init__(self, params: FreeU.Params) -> None:
        self.scales = {
            "up_blocks.0": (params.backbone_1, params.skip_1),
            "up_blocks.1": (params.backbone_2, params.skip_2),
        }

    def __call__(self, name: str, output: "Tensor") -> None:
        return None

    def join(self, name: str, backbone: "Tensor", skip: "Tensor") -> "tuple[Tensor, Tensor]":
        scales = self.scales.get(name.split(".resnets")[0])
        if scales is None:
            return backbone, skip
        stressed = backbone.clone()
        stressed[:, : backbone.shape[1] // 2] *= scales[0]
        return stressed, coarse_scaled(skip, scales[1])


def coarse_scaled(features: "Tensor", scale: float) -> "Tensor":
    """Features (..., height, width) with their four coarsest frequencies scaled."""
    if scale == 1:
        return features
    import torch

    seen = torch.fft.fftn(features.float(), dim=(-2, -1))
    for row in (0, -1):
        for column in (0, -1):
            seen[..., row, column] *= scale
    scaled: Tensor = torch.fft.ifftn(seen, dim=(-2, -1)).real.to(features)
    return scaled
