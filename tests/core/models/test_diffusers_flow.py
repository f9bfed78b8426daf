"""Flow transformers give what diffusers' own pipelines give, and take edits by words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.rectified_flow import Flow
from core.diffusion.samplers import euler
from core.editing.inversion import Branches, invertible_levels
from core.inverters.fireflow import FireFlow
from core.inverters.rf_solver import RfSolver
from core.models.flux import Flux, pack_latents, unpack_latents
from core.models.opening import open_model
from core.modifiers.wrapping import wrap_model
from core.task import ModifierSetting
from core.techniques.flowedit import FlowEdit
from core.techniques.invert_and_edit import InvertAndEdit
from core.techniques.rf_edit import RfEdit
from core.techniques.sdedit import SDEdit
from core.techniques.text_to_image import TextToImage
from tests import tiny_flow
from tests.core.inverting import error, inverted, kept, replayed, result, source, task

SCALE = 4.0
ROWS = 12
"""Pieces that the tiny T5 reads."""


def noise(height: int = 8, width: int = 8) -> torch.Tensor:
    return torch.randn(1, 4, height, width, generator=torch.Generator().manual_seed(1))


def walked(model: Any, z: torch.Tensor, levels: Any) -> torch.Tensor:
    """A red cat, and no dog."""
    guided = wrap_model(model, [ModifierSetting("cfg", {"scale": SCALE, "negative_prompt": "dog"})])
    walk = euler(guided.denoiser("a red cat"), z, levels)
    while True:
        try:
            next(walk)
        except StopIteration as end:
            return torch.as_tensor(end.value)


def theirs(
    folder: Path, z: torch.Tensor, kind: str = "latent", *, has_t5: bool = True, **options: Any
) -> Any:
    """The same from the pipeline of diffusers."""
    from diffusers import DiffusionPipeline

    absent = {} if has_t5 else {"text_encoder_3": None, "tokenizer_3": None}
    pipe: Any = DiffusionPipeline.from_pretrained(folder, **absent)
    pipe.set_progress_bar_config(disable=True)
    is_flux = "Flux" in type(pipe).__name__
    height, width = (8 * side for side in z.shape[-2:])
    found = pipe(
        "a red cat",
        negative_prompt="dog",
        latents=pack_latents(z) if is_flux else z.clone(),
        num_inference_steps=6,
        height=height,
        width=width,
        output_type=kind,
        max_sequence_length=ROWS if has_t5 else 256,
        **{"true_cfg_scale" if is_flux else "guidance_scale": SCALE},
        **options,
    ).images
    return unpack_latents(found, *z.shape[-2:]) if is_flux and kind == "latent" else found


# The same as diffusers


@pytest.mark.filterwarnings("ignore")
def test_text_to_image_equals_the_pipeline(model: Any, folder: Path) -> None:
    before = model.calls
    own = walked(model, noise(), model.levels(6))
    assert model.calls == before + 6
    assert (own - theirs(folder, noise())).abs().max() < 1e-5
    assert (own - noise()).abs().max() > 0.5
    picture = theirs(folder, noise(), "np")[0]
    assert np.abs(model.decode(own) - picture).max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_a_wide_picture_equals_the_pipeline(model: Any, folder: Path) -> None:
    z = noise(4, 12)
    own = walked(model, z, model.levels(6, tokens=12))
    assert (own - theirs(folder, z)).abs().max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_without_t5_it_equals_the_pipeline(tmp_path: Path) -> None:
    folder = tiny_flow.saved(tmp_path, "sd3", has_t5=False)
    model: Any = open_model(str(folder))
    assert model.pieces("a cat") == ("<|startoftext|>", "a</w>", "cat</w>", "<|endoftext|>")
    assert not model.fits("very " * 100)
    own = walked(model, noise(), model.levels(6))
    assert (own - theirs(folder, noise(), has_t5=False)).abs().max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_a_network_without_guidance_equals_the_pipeline(tmp_path: Path) -> None:
    folder = tiny_flow.saved(tmp_path, "flux", is_guided=False)
    model: Any = open_model(str(folder))
    times = [level.noise for level in model.levels(4)]
    assert times == pytest.approx([1, 0.75, 0.5, 0.25, 0])
    own = walked(model, noise(), model.levels(6))
    assert (own - theirs(folder, noise())).abs().max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_the_guidance_that_flux_reads_is_a_setting(home: Path) -> None:
    folder = home / "tiny-flux"
    usual: Any = open_model(str(folder))
    other = Flux(usual.pipeline, folder, guidance=9.0)
    own = walked(other, noise(), other.levels(6))
    assert (own - theirs(folder, noise(), guidance_scale=9.0)).abs().max() < 1e-5
    assert (own - walked(usual, noise(), usual.levels(6))).abs().max() > 1e-4


@pytest.mark.filterwarnings("ignore")
def test_the_guidance_scale_of_a_recipe_is_what_flux_reads(home: Path) -> None:
    """Without a negative prompt, which it cannot read; one call with one row."""
    folder = home / "tiny-flux"
    model: Any = open_model(str(folder))
    guided = wrap_model(model, [ModifierSetting("cfg", {"scale": 9.0})])
    other = Flux(model.pipeline, folder, guidance=9.0)
    z, level = noise(), model.levels(6)[2]
    found = guided.denoiser("a red cat")(z, level).x0
    assert torch.allclose(found, other.denoiser("a red cat")(z, level).x0, atol=1e-6)
    assert not torch.allclose(found, model.denoiser("a red cat")(z, level).x0, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_every_branch_has_its_own_embedded_guidance(home: Path) -> None:
    folder = home / "tiny-flux"
    model: Any = open_model(str(folder))
    z, level, scales = noise(), model.levels(6)[2], (1.5, 5.5)
    calls = model.calls
    branches = Branches(model, model.embed(["a cat", "a dog"]), scales, model.embed([""]))
    found = branches(torch.cat([z, z]), level).x0
    assert model.calls == calls + 1
    assert not branches.guided
    for row, (prompt, scale) in enumerate(zip(("a cat", "a dog"), scales, strict=True)):
        alone = Flux(model.pipeline, folder, guidance=scale).denoiser(prompt)(z, level).x0
        assert torch.allclose(found[row : row + 1], alone, atol=1e-5)
    assert torch.allclose(branches.only(1)(z, level).x0, found[1:], atol=1e-5)


def test_rf_edit_inverts_at_guidance_one_and_edits_at_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = open_model(str(home / "tiny-flux"))
    read: list[Any] = []
    velocity = model.velocity

    def watched(x: torch.Tensor, time: torch.Tensor, embeddings: Any) -> Any:
        read.append(embeddings.guidance)
        return velocity(x, time, embeddings)

    monkeypatch.setattr(model, "velocity", watched)
    given = task(RfEdit, prompt="a dog", source_prompt="", guidance=4.0, negative_prompt="grey")
    result(RfEdit, model, given)
    half = len(read) // 2
    assert set(read[:half]) == {(1.0,)}
    assert set(read[half:]) == {(4.0,)}
    assert any("the negative prompt was not used" in note for note in model.notes)


@pytest.mark.parametrize("inverter", [RfSolver, FireFlow])
def test_flows_are_walked_from_the_clean_latent_to_pure_noise(inverter: Any, model: Any) -> None:
    """Every level of the scheduler, and t = 0 told as 0."""
    given = source(model, 0.7 * noise(), 8)
    assert given.levels == model.levels(8)
    times: list[float] = []
    predict = model.predict

    def watched(z: torch.Tensor, level: Any, *rest: Any) -> Any:
        times.append(level.time)
        return predict(z, level, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "predict", watched)
        path, _ = inverted(inverter, given)
    assert times[0] == 0
    assert path.levels[0][:2] == (0, 1)
    assert len(invertible_levels(model.levels(50))) == 51


def test_the_velocity_at_the_clean_end_is_the_networks(model: Any) -> None:
    flow, embeddings = Flow(model, model.levels(6)), model.embed(["a cat"])
    with torch.no_grad():
        output = model.velocity(noise(), torch.tensor([0.0]), embeddings)
    assert torch.allclose(
        flow.velocity(model.denoiser(embeddings), noise(), 0.0), output, atol=1e-5
    )


def test_latents_are_shifted_and_scaled(model: Any) -> None:
    image = np.random.default_rng(0).random((32, 64, 3), np.float32)
    config = model.vae.config
    shown = torch.from_numpy(image.transpose(2, 0, 1).copy())[None] * 2 - 1
    with torch.no_grad():
        mean = model.vae.encode(shown).latent_dist.mean
    wanted = (mean - config["shift_factor"]) * config["scaling_factor"]
    assert torch.allclose(model.encode(image), wanted, atol=1e-6)


# Levels and predictions


def test_shifts_are_those_published(model: Any) -> None:
    assert model.shift(256) == pytest.approx(0.5)
    assert model.shift(4096) == pytest.approx(1.15)
    levels = model.levels(10)
    assert all(level.time == pytest.approx(1000 * level.noise) for level in levels)
    if model.id == "diffusers-sd3":
        assert model.levels(3)[1].noise == pytest.approx(3 * 0.501503 / (1 + 2 * 0.501503), 1e-4)
    else:
        wanted = np.exp(1.15) / (np.exp(1.15) + 1 / 0.5 - 1)
        assert model.levels(2, tokens=4096)[1].noise == pytest.approx(wanted)


def test_the_velocity_of_a_flow_is_the_output_of_the_network(model: Any) -> None:
    flow, embeddings = Flow(model, model.levels(6)), model.embed(["a cat"])
    with torch.no_grad():
        output = model.velocity(noise(), torch.tensor([400.0]), embeddings)
    velocity = flow.velocity(model.denoiser(embeddings), noise(), 0.4)
    assert torch.allclose(velocity, output, atol=1e-3)
    assert flow.level(0.4).time == pytest.approx(400, abs=0.1)


def test_tokens_are_packed_as_published() -> None:
    from diffusers import FluxPipeline

    pipe: Any = FluxPipeline
    x = torch.arange(2 * 4 * 4 * 6).float().view(2, 4, 4, 6)
    assert torch.equal(pack_latents(x), pipe._pack_latents(x, 2, 4, 4, 6))
    assert torch.equal(unpack_latents(pack_latents(x), 4, 6), x)


# Words


def test_pieces_are_the_rows_of_the_words(model: Any) -> None:
    pieces, tokens = model.pieces("a red cat"), model.embed(["a red cat"]).tokens[0]
    start = 77 if model.id == "diffusers-sd3" else 0
    assert pieces[start:] == ("▁a", "▁red", "▁cat", "</s>")
    assert pieces[: start and 4] == ("<|startoftext|>", "a</w>", "red</w>", "cat</w>")[:start]
    parts = model.pipeline
    encoder = parts.text_encoder_3 if start else parts.text_encoder_2
    ids = model.t5("a red cat", padding="max_length", max_length=ROWS, return_tensors="pt")
    with torch.no_grad():
        wanted = encoder(ids.input_ids)[0][0]
    assert torch.allclose(tokens[start:], wanted, atol=1e-6)


def test_a_long_prompt_is_cut_and_told(model: Any) -> None:
    assert model.fits("a red cat")
    assert not model.fits("a cat " * ROWS)
    model.embed(["a cat " * ROWS])
    assert "too long" in model.notes[-1]


@pytest.mark.filterwarnings("ignore")
def test_half_precision_stays_inside(folder: Path, model: Any) -> None:
    """Networks of half precision take and give latents of full precision."""
    small: Any = open_model(str(folder))
    for part in (small.pipeline.text_encoder, small.pipeline.text_encoder_2, small.transformer):
        part.to(torch.bfloat16)
    level = model.levels(4)[1]
    found = small.denoiser("a cat")(noise(), level)
    assert found.x0.dtype == found.eps.dtype == torch.float32
    assert (found.x0 - model.denoiser("a cat")(noise(), level).x0).abs().max() < 0.1


# Edits by words


def test_flowedit_with_the_same_words_is_the_picture(model: Any) -> None:
    words = {"prompt": "a cat", "source_prompt": "a cat"}
    same: Any = {**words, "guidance": 5.5, "source_guidance": 1.5}
    given = task(FlowEdit, **same)
    assert np.array_equal(result(FlowEdit, model, given), kept(model, given))
    given = task(FlowEdit, **{**same, "prompt": "a red dog"})
    assert not np.allclose(result(FlowEdit, model, given), kept(model, given), atol=1e-3)


@pytest.mark.parametrize("inverter", ["rf-solver", "fireflow", "direct", "ddim"])
def test_an_edit_keeps_what_is_asked(inverter: str, model: Any) -> None:
    words = {"prompt": "a dog", "source_prompt": "a cat"}
    options: Any = {**words, "inverter": inverter, "guidance": 2.0}
    given = task(InvertAndEdit, **options, strength=0.7)
    edited = result(InvertAndEdit, model, given)
    assert np.isfinite(edited).all()
    assert not np.allclose(edited, kept(model, given), atol=1e-4)
    calls = model.calls
    given = task(InvertAndEdit, **options, strength=0.0)
    assert np.array_equal(result(InvertAndEdit, model, given), kept(model, given))
    assert model.calls == calls


@pytest.mark.parametrize("inverter", [RfSolver, FireFlow])
def test_inverters_of_flows_come_back(inverter: Any, model: Any) -> None:
    x0 = 0.7 * noise()
    trips = []
    for steps in (6, 12):
        given = source(model, x0, steps)
        path, _ = inverted(inverter, given)
        trips.append(error(replayed(path, given), x0))
    assert trips[1] < 0.5 * trips[0]
    assert trips[1] < 0.02


@pytest.mark.parametrize("technique", [SDEdit, TextToImage])
def test_plain_techniques_run(technique: Any, model: Any) -> None:
    given = task(technique, prompt="a cat")
    found = result(technique, model, given)
    assert found.shape == given.image.shape
    assert not np.allclose(found, kept(model, given), atol=1e-3)
