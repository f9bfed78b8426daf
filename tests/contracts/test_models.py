"""What every model backend owes, on tiny random weights where it needs weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core import catalog
from core.catalog import Backend, backends
from core.diffusion.attention import AttentionLayer, AttentionStates
from core.models.opening import available_models, backend_of, open_model
from core.settings import Settings, folders, save
from core.storybook.random_model import build_random
from tests import tiny, tiny_flow

catalog.load("models")
IDS = catalog.backends.ids()
FLOWS = {"diffusers-sd3": "sd3", "diffusers-flux": "flux"}
CAPABILITIES = {
    "attention",
    "joint-attention",
    "self-attention",
    "gradient",
    "inpaint",
    "embedded-guidance",
}
ATTENTION = {"attention", "joint-attention"}


@pytest.fixture(scope="module", params=IDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("model")
    if request.param == "storybook":
        return open_model(str(build_random(folder / "storybook")))
    if request.param == "diffusers-unet":
        return open_model(str(tiny.saved(folder, "v_prediction")))
    if request.param in FLOWS:
        return open_model(str(tiny_flow.saved(folder, FLOWS[request.param])))
    return open_model(request.param)


@pytest.fixture
def picture(model: Any) -> Any:
    return np.random.default_rng(1).random((model.native, model.native, 3), np.float32)


def test_facts_are_there(model: Any) -> None:
    assert model.id in IDS
    assert model.label
    assert model.identity
    assert model.native % model.multiple == 0
    assert model.multiple % model.factor == 0


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_levels_run_from_noise_to_content(model: Any, steps: int) -> None:
    levels = model.levels(steps)
    assert len(levels) == steps + 1
    ratios = [level.noise / max(level.signal, 1e-9) for level in levels]
    assert all(a > b for a, b in zip(ratios, ratios[1:], strict=False))
    circles = [level.signal**2 + level.noise**2 for level in levels]
    lines = [level.signal + level.noise for level in levels]
    assert circles == pytest.approx([1] * len(levels)) or lines == pytest.approx([1] * len(levels))
    assert levels[-1].noise < 0.05


def test_encode_and_decode_fit_together(model: Any, picture: Any) -> None:
    z = model.encode(picture)
    side = model.native // model.factor
    assert tuple(z.shape) == (1, model.channels, side, side)
    assert z.dtype == torch.float32
    back = model.decode(z)
    assert back.shape == picture.shape
    assert back.dtype == np.float32
    assert 0 <= back.min() <= back.max() <= 1
    small = model.preview(z)
    assert small.ndim == 3
    assert small.shape[0] == small.shape[1]


def test_pictures_need_not_be_square(model: Any) -> None:
    wide = np.full((model.multiple, 2 * model.multiple, 3), 0.5, np.float32)
    assert model.decode(model.encode(wide)).shape == wide.shape


def test_a_call_is_counted_and_the_same_twice(model: Any, picture: Any) -> None:
    z = model.encode(picture)
    level = model.levels(4)[1]
    denoise = model.denoiser("a cat")
    before = model.calls
    first, again = denoise(z, level), denoise(z, level)
    assert model.calls == before + 2
    assert torch.equal(first.x0, again.x0)
    assert torch.allclose(level.mix(first.x0, first.eps), z, atol=1e-4)
    assert not first.x0.requires_grad


def test_one_latent_is_shown_to_two_prompts_in_one_call(model: Any, picture: Any) -> None:
    z = model.encode(picture)
    level = model.levels(4)[1]
    words = model.embed(["a cat", "a dog"])
    assert len(words) == 2
    before = model.calls
    both = model.denoiser(words)(z, level)
    assert model.calls == before + 1
    for row, prompt in enumerate(("a cat", "a dog")):
        alone = model.denoiser(prompt)(z, level)
        assert torch.allclose(both.x0[row : row + 1], alone.x0, atol=1e-4)


def test_words_matter_and_may_be_missing(model: Any, picture: Any) -> None:
    z = model.encode(picture)
    level = model.levels(4)[0]
    cat, nothing = (model.denoiser(words)(z, level).x0 for words in ("cat", ""))
    assert not torch.equal(cat, nothing)
    model.denoiser("very " * 300 + "long")(z, level)


def test_a_prompt_that_is_too_long_is_cut_at_a_word_and_told(model: Any) -> None:
    model.notes.clear()
    assert model.fits("cat")
    model.embed(["cat"])
    assert model.notes == []
    long = " ".join(["cat"] * 400)
    words = model.embed([long])
    if model.fits(long):
        assert model.notes == []
        return
    (note,) = model.notes
    assert note.startswith("The prompt is too long")
    assert model.fits(words.prompts[0])
    assert not model.fits(words.prompts[0] + " cat")
    assert set(words.prompts[0].split()) == {"cat"}


def test_the_label_may_be_another_than_the_level(model: Any, picture: Any) -> None:
    z = model.encode(picture)
    levels = model.levels(6)
    seen = model.denoiser("cat")(z, levels[3], levels[2])
    assert bool(seen.x0.isfinite().all())
    assert torch.allclose(levels[3].mix(seen.x0, seen.eps), z, atol=1e-3)


class Watching:
    """A control that changes nothing and remembers what it saw."""

    def __init__(self) -> None:
        self.places: list[AttentionLayer] = []

    def __call__(
        self, place: AttentionLayer, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> AttentionStates:
        self.places.append(place)
        return query, key, value


def test_an_idle_control_changes_nothing_and_leaves_nothing(model: Any, picture: Any) -> None:
    if not ATTENTION & model.capabilities:
        pytest.skip(f"{model.label} has no attention")
    z = model.encode(picture)
    level = model.levels(4)[1]
    denoise = model.denoiser("cat")
    plain = denoise(z, level).x0
    network = _network(model)
    before = dict(network.attn_processors)
    control = Watching()
    with model.attention(control):
        assert torch.allclose(denoise(z, level).x0, plain, atol=1e-5)
    kinds = {True, False} if "attention" in model.capabilities else {False}
    assert {place.is_cross for place in control.places} == kinds
    numbers = [place.number for place in control.places]
    assert numbers == sorted(numbers)
    assert network.attn_processors == before
    with pytest.raises(ValueError, match="stop"), model.attention(_stop):
        denoise(z, level)
    assert network.attn_processors == before
    assert torch.equal(denoise(z, level).x0, plain)


def _network(model: Any) -> Any:
    return model.unet if hasattr(model, "unet") else model.transformer


def _stop(*_: Any) -> Any:
    raise ValueError("stop")


def test_control_of_either_kind_is_control_of_self_attention(model: Any) -> None:
    assert ("self-attention" in model.capabilities) == bool(ATTENTION & model.capabilities)


def test_a_control_that_swaps_values_is_felt(model: Any, picture: Any) -> None:
    if not ATTENTION & model.capabilities:
        pytest.skip(f"{model.label} has no attention")
    z = model.encode(picture)
    level = model.levels(4)[1]
    denoise = model.denoiser("cat")
    with model.attention(_ignore_prompt):
        changed = denoise(z, level).x0
    assert not torch.allclose(changed, denoise(z, level).x0, atol=1e-5)


def _ignore_prompt(
    place: AttentionLayer, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> AttentionStates:
    """The prompt has no effect, in layers of its own and in joint ones."""
    if place.is_cross:
        return query, key, value * 0
    kept = torch.ones_like(value)
    kept[:, :, : place.prompt_tokens] = 0
    return query, key, value * kept


def test_gradients_pass_when_they_are_wanted(model: Any, picture: Any) -> None:
    if "gradient" not in model.capabilities:
        pytest.skip(f"{model.label} has no gradients")
    z = model.encode(picture).requires_grad_(True)
    model.denoiser("cat")(z, model.levels(4)[1]).x0.sum().backward()
    assert z.grad is not None
    assert bool(z.grad.abs().sum() > 0)


def test_gradients_reach_the_words_alone(model: Any, picture: Any) -> None:
    if "gradient" not in model.capabilities:
        pytest.skip(f"{model.label} has no gradients")
    z, words = model.encode(picture), model.embed(["cat"])
    tokens = words.tokens.clone().requires_grad_(True)
    model.denoiser(replace(words, tokens=tokens))(z, model.levels(4)[1]).x0.sum().backward()
    assert not z.requires_grad
    assert bool(tokens.grad.abs().sum() > 0)


@pytest.mark.parametrize("backend", list(backends), ids=lambda kind: kind.id)
def test_a_backend_says_what_its_models_can_do_and_are_run_with(backend: type[Backend]) -> None:
    assert backend.capabilities <= CAPABILITIES
    assert backend.defaults.guidance >= 1
    why = backend.why_unavailable()
    assert why == "" or why.endswith(".")


def test_every_model_can_do_what_its_backend_promises(model: Any) -> None:
    backend = next(kind for kind in backends if kind.id == model.id)
    assert backend.capabilities <= model.capabilities


def test_the_chooser_lists_built_in_models_without_torch() -> None:
    names = [listed.name for listed in available_models()]
    assert names == ["storybook", "toy"]
    assert backend_of("toy").id == "toy"


def test_own_checkpoints_are_listed(tmp_path: Path) -> None:

    home = folders().models
    (home / "mine").mkdir(parents=True)
    (home / "mine" / "model_index.json").write_text("{}")
    (home / "other.safetensors").write_bytes(b"")
    (home / "note.txt").write_text("no model")
    assert [m.label for m in available_models()][2:] == ["mine", "other"]


def test_the_models_folder_of_the_settings_is_searched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "elsewhere.safetensors").write_bytes(b"")
    save(Settings(models_folder=str(tmp_path / "mine")))
    assert "elsewhere" in [m.label for m in available_models()]
