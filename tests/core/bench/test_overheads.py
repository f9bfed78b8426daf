"""Overheads are measured on a network with attention, and without where there is none."""

import numpy as np

from core import catalog
from core.bench.overheads import CALLS, INVERSIONS, STEPS, measure_overheads
from core.models.opening import open_model
from tests.core.inverting import SIDE, network

catalog.load("inverters")
PICTURE = np.full((SIDE, SIDE, 3), 0.5, np.float32)


def test_both_figures_and_their_calls() -> None:
    model = network()
    calls = model.calls
    found = measure_overheads(model, PICTURE, "a cat")
    assert found["ddim_inversion_20_steps_s"] > 0
    assert found["idle_attention_ratio"] > 0
    steps = STEPS - 1
    assert model.calls - calls == INVERSIONS * steps + 2 * CALLS


def test_a_model_without_attention_has_no_hooks_to_measure() -> None:
    assert set(measure_overheads(open_model("toy"), PICTURE, "")) == {"ddim_inversion_20_steps_s"}
