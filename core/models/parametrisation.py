"""From what a network says (noise, velocity or content) to content and noise, once for all."""

from typing import TYPE_CHECKING

from core.diffusion.model import Level, Prediction
from core.diffusion.rectified_flow import scale_of, time_of
from core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("epsilon", "v_prediction", "sample")


def to_prediction(kind: str, said: "Tensor", z: "Tensor", level: Level, label: Level) -> Prediction:
    """Content and noise of z at ``level``, said by a network that was told ``label``.

    Raises ModelError for an unknown kind, or when the network says something that is no number.
    """
    _refuse_no_numbers(said)
    if kind == "v_prediction":
        return _from_velocity(said, z, level, label)
    if kind == "sample":
        return Prediction(said, (z - level.signal * said) / max(level.noise, 1e-6))
    if kind == "epsilon":
        return Prediction((z - level.noise * said) / max(level.signal, 1e-6), said)
    raise ModelError(f"The model predicts {kind!r}; Sfumato knows {', '.join(KINDS)}.")


def flow_to_prediction(said: "Tensor", z: "Tensor", level: Level) -> Prediction:
    """Content and noise of z, said by a rectified flow: noise less content, whatever its label.

    The network has seen z on the straight path, as core.diffusion.rectified_flow does.
    """
    _refuse_no_numbers(said)
    x, time = z / scale_of(level), time_of(level)
    return Prediction(x - time * said, x + (1 - time) * said)


def _refuse_no_numbers(said: "Tensor") -> None:
    if not bool(said.isfinite().all()):
        raise ModelError(
            "The model gave values that are not numbers; "
            "run it at full precision or choose another model."
        )


def _from_velocity(said: "Tensor", z: "Tensor", level: Level, label: Level) -> Prediction:
    """Where label and level differ, the noise counts: it is what an inversion carries over."""
    eps = label.signal * said + label.noise * z
    if label == level:
        return Prediction(level.signal * z - level.noise * said, eps)
    return Prediction((z - level.noise * eps) / max(level.signal, 1e-6), eps)
