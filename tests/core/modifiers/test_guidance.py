"""Guidance: the published arithmetic, in one network call."""

import pytest
import torch

from core.diffusion.model import Level
from core.errors import EditorError
from core.models.opening import open_model
from core.models.toy import Toy
from core.modifiers.wrapping import wrap_model
from core.task import ModifierSetting

LEVEL = Level(0.6, 0.8, 500)


def toy() -> Toy:
    model = open_model("toy")
    assert isinstance(model, Toy)
    return model


def latent(batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 192, 2, 2, generator=torch.Generator().manual_seed(5))


def test_classifier_free_guidance_is_the_published_line() -> None:
    model = toy()
    z = latent()
    guided = wrap_model(model, [ModifierSetting("cfg", {"scale": 4.0, "negative_prompt": "rain"})])
    seen = guided.denoiser("sun")(z, LEVEL)
    assert model.calls == 1
    towards, against = model.denoiser("sun")(z, LEVEL), model.denoiser("rain")(z, LEVEL)
    assert torch.allclose(seen.eps, against.eps + 4 * (towards.eps - against.eps), atol=1e-5)
    assert torch.allclose(seen.x0, against.x0 + 4 * (towards.x0 - against.x0), atol=1e-5)
    rebuilt = LEVEL.mix(seen.x0, seen.eps)
    assert torch.allclose(rebuilt, z, atol=1e-5)


def test_scale_one_is_the_prompt_alone() -> None:
    model = toy()
    plain, one = model.denoiser("sun"), wrap_model(model, [ModifierSetting("cfg", {"scale": 1})])
    assert torch.equal(one.denoiser("sun")(latent(), LEVEL).x0, plain(latent(), LEVEL).x0)


def test_cfgpp_guides_the_content_and_renoises_unguided() -> None:
    model = toy()
    z = latent()
    guided = wrap_model(model, [ModifierSetting("cfg++", {"scale": 0.6})]).denoiser("sun")
    seen = guided(z, LEVEL)
    assert model.calls == 1
    towards, without = model.denoiser("sun")(z, LEVEL), model.denoiser("")(z, LEVEL)
    assert torch.allclose(seen.x0, without.x0 + 0.6 * (towards.x0 - without.x0), atol=1e-5)
    assert torch.allclose(seen.eps, without.eps, atol=1e-6)


def test_cfgpp_on_the_way_up_is_mirrored() -> None:
    model = toy()
    z = latent()
    up = Level(0.5, 0.866, 600)
    guided = wrap_model(model, [ModifierSetting("cfg++", {"scale": 0.6})]).denoiser("sun")
    seen = guided(z, LEVEL, up)
    towards, without = model.denoiser("sun")(z, LEVEL), model.denoiser("")(z, LEVEL)
    assert torch.allclose(seen.eps, without.eps + 0.6 * (towards.eps - without.eps), atol=1e-5)
    assert torch.allclose(seen.x0, without.x0, atol=1e-6)


def test_a_batch_of_prompts_is_guided_each_by_itself() -> None:
    model = toy()
    z = latent(2)
    guided = wrap_model(model, [ModifierSetting("cfg", {"scale": 3.0})])
    both = guided.denoiser(model.embed(["sun", "snow"]))(z, LEVEL)
    for row, prompt in enumerate(("sun", "snow")):
        alone = guided.denoiser(prompt)(z[row : row + 1], LEVEL)
        assert torch.allclose(both.x0[row : row + 1], alone.x0, atol=1e-5)


def test_nothing_wrapped_is_the_model_itself() -> None:
    model = toy()
    assert wrap_model(model, []) is model
    assert wrap_model(model, [ModifierSetting("cfg", {"scale": 2})]).native == model.native


def test_unknown_modifiers_and_parameters_are_named() -> None:
    with pytest.raises(EditorError, match="no modifier called 'gone'"):
        wrap_model(toy(), [ModifierSetting("gone")])
    with pytest.raises(EditorError, match="Guidance scale must lie between"):
        wrap_model(toy(), [ModifierSetting("cfg", {"scale": 99})])
