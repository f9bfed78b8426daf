"""FreeU: the same as diffusers' own, and nothing at one; afterwards the network is as before."""

import pytest
import torch

from core.diffusion.model import Model, Prediction
from core.errors import ModelError
from core.models.opening import open_model
from core.modifiers.freeu import FreeU, scale_low_frequencies
from core.modifiers.wrapping import wrap_model
from core.params import to_json
from core.task import ModifierSetting
from tests.core.inverting import network

ONES = FreeU.Params(1.0, 1.0, 1.0, 1.0)


def seen(model: Model, side: int = 8) -> Prediction:
    z = torch.randn(2, 16, side, side, generator=torch.Generator().manual_seed(1))
    return model.denoiser(model.embed(["cat", "dog"]))(z, model.levels(10)[3])


def rescaled(values: FreeU.Params) -> Model:
    return wrap_model(network(), [ModifierSetting("freeu", to_json(values))])


@pytest.mark.parametrize("side", [8, 12])
def test_it_is_the_rescaling_of_diffusers(side: int) -> None:
    values = FreeU.Params(1.3, 1.7, 0.8, 0.3)
    found = seen(rescaled(values), side)
    unet = network().unet
    unet.enable_freeu(s1=0.8, s2=0.3, b1=1.3, b2=1.7)
    try:
        wanted = seen(network(), side)
    finally:
        unet.disable_freeu()
    assert torch.allclose(found.x0, wanted.x0, atol=1e-5)
    assert not torch.allclose(found.x0, seen(network(), side).x0, atol=1e-3)


@pytest.mark.parametrize("name", list(to_json(ONES)))
def test_each_scale_counts(name: str) -> None:
    changed = FreeU.Params(**{**to_json(ONES), name: 2.0})  # type: ignore[arg-type]
    assert not torch.allclose(seen(rescaled(changed)).x0, seen(network()).x0, atol=1e-3)


def test_scales_of_one_change_nothing() -> None:
    assert torch.equal(seen(rescaled(ONES)).x0, seen(network()).x0)


def test_the_network_is_as_before_afterwards() -> None:
    before = seen(network())
    seen(rescaled(FreeU.Params()))
    assert torch.equal(seen(network()).x0, before.x0)


def test_a_model_without_blocks_says_so() -> None:
    toy = wrap_model(open_model("toy"), [ModifierSetting("freeu")])
    with pytest.raises(ModelError, match="no blocks"):
        toy.denoiser("cat")(torch.zeros(1, 192, 2, 2), toy.levels(4)[2])


def test_flat_features_are_scaled_and_chequers_stay() -> None:
    assert torch.allclose(
        scale_low_frequencies(torch.ones(1, 1, 8, 8), 0.5), torch.full((1, 1, 8, 8), 0.5)
    )
    chequers = torch.tensor([1.0, -1.0]).repeat(4)
    chequers = (chequers[:, None] * chequers)[None, None]
    assert torch.allclose(scale_low_frequencies(chequers, 0.0), chequers, atol=1e-6)
