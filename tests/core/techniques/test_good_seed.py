"""Good seed: one noise is the plain sampler, more are never worse, and chances are chances."""

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from core import catalog
from core.diffusion.eta_step import step_mean, step_sigma
from core.diffusion.model import Model
from core.errors import EditorError
from core.params import from_json
from core.techniques.good_seed import GoodSeed, NoiseSearch, sample_rows
from tests.core.inverting import kept, network, result, task
from tests.core.verifiers.judging import case

catalog.load("verifiers")


def given(seed: int = 1, **changes: Any) -> Any:
    return task(GoodSeed, seed, **{"prompt": "a cat", "steps": 5, **changes})


@pytest.mark.parametrize("search", ["bank", "steering"])
def test_one_noise_is_the_plain_sampler_and_costs_no_more(search: str) -> None:
    model, edit = network(), given(count=1, search=search)
    levels, x0 = model.levels(5), model.encode(edit.image)
    z = edit.noise(x0)
    for i, (here, there) in enumerate(zip(levels, levels[1:], strict=False)):
        prediction = model.denoiser("a cat")(z, here)
        noise = step_sigma(here, there) * edit.noise(x0, "steer", i)
        z = prediction.at(there) if search == "bank" else step_mean(prediction, here, there) + noise
    calls = model.calls
    assert np.allclose(result(GoodSeed, model, edit), model.decode(z), atol=1e-4)
    assert model.calls == calls + 5


@pytest.mark.parametrize("verifier", catalog.verifiers.ids())
def test_a_larger_bank_is_never_worse(verifier: str) -> None:
    model = network()
    score = catalog.verifiers[verifier]().judge(case(model, given()))
    found = []
    for count in (1, 2, 4, 8):
        image = result(GoodSeed, model, given(count=count, verifier=verifier))
        found.append(float(score(model.encode(image))))
    assert all(after >= before - 0.05 for before, after in zip(found, found[1:], strict=False))
    assert found[-1] > found[0]


def test_a_larger_bank_holds_the_smaller_and_first_the_seeds_own() -> None:
    model = network()
    small, large = (noises(model, given(count=count)) for count in (3, 5))
    assert torch.equal(large[:3], small)
    assert torch.equal(small[:1], given().noise(model.encode(given().image)))
    assert len({float(noise.sum()) for noise in large}) == 5


def noises(model: Model, edit: Any) -> torch.Tensor:
    return NoiseSearch(edit, model, model.encode(edit.image), model.levels(5)).draw_noises()


def test_a_bank_costs_a_call_a_step_and_one_to_judge() -> None:
    model = network()
    calls = model.calls
    result(GoodSeed, model, given(count=4))
    assert model.calls == calls + 6


def test_a_verifier_that_comes_later_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pixel is what it wants: the bank's picture with the brightest one is kept."""

    class Bright:
        id, label, claim = "bright", "Bright", "is bright"
        needs: ClassVar[frozenset[str]] = frozenset()
        needs_prompt = False

        @staticmethod
        def gain(score: float, than: float) -> float:
            return score - than

        def judge(self, case: Any) -> Any:
            return lambda x0: x0[:, 0, 0, 0]

    with pytest.raises(EditorError, match="agreement, likeness"):
        from_json(GoodSeed.Params, {"verifier": "bright"})
    monkeypatch.setattr(catalog.verifiers, "_items", dict(catalog.verifiers._items))
    catalog.verifiers.register(Bright)  # type: ignore[arg-type]
    assert from_json(GoodSeed.Params, {"verifier": "bright"}).verifier == "bright"
    model = network()
    one, best = (given(count=count, verifier="bright") for count in (1, 8))
    first, found = (model.encode(result(GoodSeed, model, edit)) for edit in (one, best))
    assert found[0, 0, 0, 0] > first[0, 0, 0, 0]


def test_rows_are_drawn_by_their_weights() -> None:
    weights = torch.tensor([0.1, 0.6, 0.0, 0.3])
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1000, 4, 1, 1, 1, generator=generator)
    counts = torch.bincount(torch.cat([sample_rows(weights, n) for n in noise]), minlength=4) / 4000
    assert torch.allclose(counts, weights, atol=0.03)


def test_pressure_leads_towards_the_reward() -> None:
    """The likeness to the picture of what steering ends with, over some seeds."""
    model, picture = network(), kept(network(), given())
    means = []
    for pressure in (0.0, 100.0):
        changes = {"search": "steering", "verifier": "likeness", "pressure": pressure}
        edits = [given(seed, count=6, steps=10, **changes) for seed in range(4)]
        found = [result(GoodSeed, model, edit) for edit in edits]
        means.append(np.mean([np.square(image - picture).mean() for image in found]))
    assert means[1] < means[0]


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    nought, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(GoodSeed, model, nought), kept(model, nought))
    assert model.calls == calls


@pytest.mark.parametrize("search", ["bank", "steering"])
def test_outside_the_mask_the_picture_stays(search: str) -> None:
    model, edit = network(), given(search=search)
    edit.mask[:] = 0
    assert np.allclose(result(GoodSeed, model, edit), kept(model, edit), atol=1e-6)
