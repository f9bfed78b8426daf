"""Morph: both ends are what they should be, and between them noise keeps its strength."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.latent_masks import last_steps
from core.diffusion.model import Level, Model
from core.editing.inversion import Branches, ReplayPath, invertible_levels
from core.inverters.ddim import DdimInversion
from core.techniques.morph import Ends, Morph, interpolate_embeddings, mix_ends
from tests.core.inverting import SIDE, inverted, kept, network, result, source, task

WORDS = {"prompt": "a dog", "source_prompt": "a red apple", "steps": 8, "bound": 10.0}


def given(**changes: Any) -> Any:
    return task(Morph, **{**WORDS, **changes})


def test_the_start_is_the_inverted_picture_replayed() -> None:
    model, edit = network(), given(share=0.0, strength=1.0)
    from_picture = source(model, model.encode(edit.image), 8)
    path, _ = inverted(DdimInversion, from_picture)
    assert isinstance(path, ReplayPath)
    (z,) = path.begin(1)
    for i in range(len(path.levels) - 1):
        z = model.denoiser("a red apple")(z, path.levels[i]).at(path.levels[i + 1])
    assert np.allclose(result(Morph, model, edit), model.decode(z), atol=1e-4)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_the_end_is_the_prompts_own_picture(strength: float) -> None:
    model, edit = network(), given(share=1.0, strength=strength)
    wanted = model.decode(own(model, edit))
    assert np.allclose(result(Morph, model, edit), wanted, atol=1e-3)


def own(model: Model, edit: Any) -> torch.Tensor:
    embeddings, empty = model.embed(["a dog"]), model.embed([""])
    denoise = Branches(model, embeddings, (edit.params.guidance,), empty)
    levels = invertible_levels(model.levels(edit.params.steps))
    z: torch.Tensor = edit.noise(model.encode(edit.image))
    for here, there in zip(levels, levels[1:], strict=False):
        z = denoise(z, here).at(there)
    return z


def other() -> Any:
    """A picture that is not the gradient."""
    y, x = np.mgrid[:SIDE, :SIDE] / np.float32(9)
    return np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=2).astype(np.float32) / 2 + 0.5


def real(**changes: Any) -> Any:
    """A morph to another real picture."""
    return replace(given(picture="other.png", **changes), pictures={"picture": other()})


def there_and_back(model: Model, image: Any, prompt: str, strength: float) -> Any:
    """A picture inverted to a level and replayed, both with its words alone."""
    denoise, z = model.denoiser(prompt), model.encode(image)
    levels = last_steps(invertible_levels(model.levels(8)), strength)
    for there, here in zip(levels[-2::-1], levels[:0:-1], strict=True):
        z = denoise(z, here, there).at(there)
    for here, there in zip(levels, levels[1:], strict=False):
        z = denoise(z, here).at(there)
    return model.decode(z)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_between_real_pictures_the_ends_are_their_round_trips(strength: float) -> None:
    model = network()
    start, end = (real(share=share, strength=strength) for share in (0.0, 1.0))
    first = there_and_back(model, start.image, "a red apple", strength)
    second = there_and_back(model, other(), "a dog", strength)
    assert np.allclose(result(Morph, model, start), first, atol=1e-3)
    assert np.allclose(result(Morph, model, end), second, atol=1e-3)
    assert not np.allclose(first, second, atol=0.1)


@pytest.mark.parametrize("changes", [{}, {"fresh": 0.5}, {"bound": 1.0}, {"strength": 0.4}])
def test_from_either_picture_the_way_is_the_same(changes: dict[str, Any]) -> None:
    model, there = network(), real(share=0.3, **changes)
    words = {"prompt": "a red apple", "source_prompt": "a dog"}
    back = real(share=0.7, **words, **changes)
    back = replace(back, image=other(), pictures={"picture": there.image})
    assert np.allclose(result(Morph, model, there), result(Morph, model, back), atol=1e-3)


def test_guidance_pulls_between_the_pictures_and_not_at_them() -> None:
    model = network()
    pulled = [
        not np.allclose(*(result(Morph, model, real(share=s, guidance=g)) for g in (1.0, 9.0)))
        for s in (0.0, 0.5, 1.0)
    ]
    assert pulled == [False, True, False]


def test_calls_between_real_pictures_are_up_up_and_down() -> None:
    model, edit = network(), real(strength=0.5)
    calls = model.calls
    result(Morph, model, edit)
    assert model.calls - calls == 3 * (len(last_steps(invertible_levels(model.levels(8)), 0.5)) - 1)


def test_outside_the_mask_the_other_picture_is_not_seen() -> None:
    model, edit = network(), real(share=1.0)
    edit.mask[:] = 0
    assert np.allclose(result(Morph, model, edit), kept(model, edit), atol=1e-6)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    nought, calls = given(strength=0.0), model.calls
    assert np.array_equal(result(Morph, model, nought), kept(model, nought))
    assert model.calls == calls


def test_calls_are_up_whole_and_down() -> None:
    model, edit = network(), given(strength=0.5)
    calls, whole = model.calls, invertible_levels(model.levels(8))
    result(Morph, model, edit)
    assert model.calls - calls == 2 * (len(last_steps(whole, 0.5)) - 1) + len(whole) - 1


@pytest.mark.parametrize("fresh", [0.0, 0.5])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_content_is_shared_out_and_noise_keeps_its_variance(share: float, fresh: float) -> None:
    level = Level(0.6, 0.8, 500)
    generator = torch.Generator().manual_seed(0)
    first, second, noise = (torch.randn(1, 4, 128, 128, generator=generator) for _ in range(3))
    red, blue = torch.full_like(first, 1.0), torch.full_like(first, -0.5)
    ends = Ends(level.mix(red, first), red), Ends(level.mix(blue, second), blue)
    params = Morph.Params(share=share, fresh=fresh, bound=10.0)
    z = mix_ends(*ends, level, noise, params)
    cosine, sine = np.cos(share * np.pi / 2), np.sin(share * np.pi / 2)
    nu = sine / (cosine + sine)
    assert float(z.mean()) == pytest.approx(0.6 * (1 - nu - 0.5 * nu), abs=0.02)
    assert float(z.std()) == pytest.approx(0.8, abs=0.01)


def test_latents_are_clipped_before_and_after() -> None:
    level, far = Level(0.6, 0.8, 500), torch.full((1, 1, 1, 1), 9.0)
    ends = Ends(far, 0 * far), Ends(far, 0 * far)
    at = Morph.Params(share=0.5, bound=2.0)
    assert float(mix_ends(*ends, level, far, at)) == 2.0
    assert float(mix_ends(Ends(far, 0 * far), Ends(-far, 0 * far), level, far, at)) == 0.0
    near = Ends(far, -far), Ends(0 * far, 0 * far)
    mix = 2 * np.sqrt(0.5) + 0.6 * (0.5 - np.sqrt(0.5)) * -9
    assert float(mix_ends(*near, level, far, at)) == pytest.approx(min(2.0, mix))


def test_embeddings_move_with_the_share() -> None:
    model = network()
    embeddings = model.embed(["a cat", "a dog"])
    for share, row in ((0.0, 0), (1.0, 1)):
        assert torch.allclose(
            interpolate_embeddings(embeddings, share).tokens[0], embeddings.tokens[row]
        )
    middle = interpolate_embeddings(embeddings, 0.5).tokens
    assert torch.allclose(middle[0], embeddings.tokens.mean(0), atol=1e-6)


def test_outside_the_mask_the_picture_stays() -> None:
    model, edit = network(), given(strength=0.5)
    edit.mask[:] = 0
    assert np.allclose(result(Morph, model, edit), kept(model, edit), atol=1e-6)
