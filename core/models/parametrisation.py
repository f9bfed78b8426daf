"""From a network's output (noise, velocity or content) to content and noise, once for all."""

from typing import TYPE_CHECKING

from core.diffusion.model import Level, Prediction
from core.diffusion.rectified_flow import scale_of, time_of
from core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("epsilon", "v_prediction", "sample")


def to_prediction(
    kind: str, output: "Tensor", z: "Tensor", level: Level, label: Level
) -> Prediction:
    """Content and noise of z at ``level``, from the output of a network that was given ``label``.

    output, z: (b, c, h, w) float, unbounded; the result is like them. Raises ModelError for an
    unknown kind, and for an output with values that are not finite.
    """
    _refuse_non_finite(output)
    if kind == "v_prediction":
        return _from_velocity(output, z, level, label)
    if kind == "sample":
        return Prediction(output, (z - level.signal * output) / max(level.noise, 1e-6))
    if kind == "epsilon":
        return Prediction((z - level.noise * output) / max(level.signal, 1e-6), output)
    raise ModelError(f"The model predicts {kind!r}; Sfumato knows {', '.join(KINDS)}.")


def flow_to_prediction(output: "Tensor", z: "Tensor", level: Level) -> Prediction:
    """Content and noise of z, from the output of a rectified flow: noise less content.

    The network was given z on the straight path, as in core.diffusion.rectified_flow; its label
    does not matter. output, z: (b, c, h, w) float, unbounded; the result is like them. Raises
    ModelError for an output with values that are not finite.
    """
    _refuse_non_finite(output)
    x, time = z / scale_of(level), time_of(level)
    return Prediction(x - time * output, x + (1 - time) * output)


def _refuse_non_finite(output: "Tensor") -> None:
    if not bool(output.isfinite().all()):
        raise ModelError(
            "The model gave values that are not numbers; "
            "run it at full precision or choose another model."
        )


def _from_velocity(output: "Tensor", z: "Tensor", level: Level, label: Level) -> Prediction:
    """Where label and level differ, the noise counts: it is what an inversion carries over."""
    eps = label.signal * output + label.noise * z
    if label == level:
        return Prediction(level.signal * z - level.noise * output, eps)
    return Prediction((z - level.noise * eps) / max(level.signal, 1e-6), eps)
