"""Measures the time of an inversion, and the cost of attention hooks that change nothing."""

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


def measure_overheads(model: "Model", picture: "Floats", prompt: str) -> dict[str, float]:
    """Measure a DDIM inversion of STEPS steps in seconds, and the ratio of a call with idle hooks.

    The figures are medians; calls with and without hooks take turns. picture: height x width x 3
    float32, 0..1.
    """
    x0, embeddings = model.encode(picture), model.embed([prompt])
    seconds = [_measure_seconds(lambda: _invert(model, x0, embeddings)) for _ in range(INVERSIONS)]
    figures = {"ddim_inversion_20_steps_s": round(median(seconds), 3)}
    if "attention" in model.capabilities:
        figures["idle_attention_ratio"] = round(_idle_ratio(model, x0, embeddings), 3)
    return figures


def _invert(model: "Model", x0: "Tensor", embeddings: Any) -> None:
    def no_noise(role: str, step: int) -> "Tensor":
        raise AssertionError(f"DDIM inversion draws no noise, yet {role} {step} was drawn")

    levels, empty = invertible_levels(model.levels(STEPS)), model.embed([""])
    source = Source(model, x0, embeddings, levels, 1.0, empty, no_noise)
    for _ in catalog.inverters["ddim"]().run(source):
        pass


def _idle_ratio(model: "Model", x0: "Tensor", embeddings: Any) -> float:
    denoise, level = model.denoiser(embeddings), invertible_levels(model.levels(STEPS))[STEPS // 2]
    plain, hooked = [], []
    for _ in range(CALLS):
        plain.append(_measure_seconds(lambda: denoise(x0, level)))
        with model.attention(IdleControl()):
            hooked.append(_measure_seconds(lambda: denoise(x0, level)))
    return median(hooked) / median(plain)


def _measure_seconds(work: "Callable[[], object]") -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
