"""What an inversion takes, and what opened attention layers cost when nobody uses them."""

import time
from statistics import median
from typing import TYPE_CHECKING, Any

from core import catalog
from core.diffusion.attention import IdleControl
from core.editing.inversion import Source, invertible_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from core.bench.picture_metrics import Floats
    from core.diffusion.model import Model

STEPS = 20
INVERSIONS, CALLS = 5, 30


def overheads(model: "Model", picture: "Floats", prompt: str) -> dict[str, float]:
    """Seconds of a DDIM inversion of STEPS steps; a call with idle hooks over one without.

    Medians; the calls with and without take turns.
    """
    x0, words = model.encode(picture), model.embed([prompt])
    inverted = [_seconds(lambda: _invert(model, x0, words)) for _ in range(INVERSIONS)]
    told = {"ddim_inversion_20_steps_s": round(median(inverted), 3)}
    if "attention" in model.capabilities:
        told["idle_attention_ratio"] = round(_idle_ratio(model, x0, words), 3)
    return told


def _invert(model: "Model", x0: "Tensor", words: Any) -> None:
    def no_noise(role: str, step: int) -> "Tensor":
        raise AssertionError(f"DDIM inversion draws no noise, yet asked for {role} {step}")

    levels, empty = invertible_levels(model.levels(STEPS)), model.embed([""])
    source = Source(model, x0, words, levels, 1.0, empty, no_noise)
    for _ in catalog.inverters["ddim"]().run(source):
        pass


def _idle_ratio(model: "Model", x0: "Tensor", words: Any) -> float:
    denoise, level = model.denoiser(words), invertible_levels(model.levels(STEPS))[STEPS // 2]
    plain, hooked = [], []
    for _ in range(CALLS):
        plain.append(_seconds(lambda: denoise(x0, level)))
        with model.attention(IdleControl()):
            hooked.append(_seconds(lambda: denoise(x0, level)))
    return median(hooked) / median(plain)


def _seconds(work: "Callable[[], object]") -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
