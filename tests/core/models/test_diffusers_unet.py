"""Stable Diffusion folders give what diffusers' own pipelines give, and bad ones say why."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.samplers import ddim
from core.errors import ModelError
from core.models.opening import open_model
from core.modifiers.wrapping import wrap_model
from core.task import ModifierSetting
from tests import tiny

KINDS = ("epsilon", "v_prediction")
SCALE = 4.0


def walked(model: Any, prompt: str, z: torch.Tensor, steps: int, first: int = 0) -> torch.Tensor:
    guided = wrap_model(model, [ModifierSetting("cfg", {"scale": SCALE, "negative_prompt": "dog"})])
    walk = ddim(guided.denoiser(prompt), z, model.levels(steps)[first:])
    while True:
        try:
            next(walk)
        except StopIteration as end:
            return torch.as_tensor(end.value)


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.saved(tmp_path_factory.mktemp("tiny"), request.param)


@pytest.mark.filterwarnings("ignore")
def test_text_to_image_equals_the_pipeline(folder: Path) -> None:
    from diffusers import StableDiffusionPipeline

    model: Any = open_model(str(folder))
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    own = walked(model, "a red cat", noise, 6)

    pipe: Any = StableDiffusionPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    options = {"num_inference_steps": 6, "guidance_scale": SCALE, "negative_prompt": "dog"}
    theirs = pipe("a red cat", latents=noise.clone(), output_type="latent", **options).images
    assert torch.allclose(own, theirs, atol=2e-4, rtol=1e-4)

    picture = pipe("a red cat", latents=noise.clone(), output_type="np", **options).images[0]
    assert np.abs(model.decode(own) - picture).max() < 1e-4
    assert model.calls == 6


@pytest.mark.filterwarnings("ignore")
def test_image_to_image_equals_the_pipeline(folder: Path) -> None:
    from diffusers import StableDiffusionImg2ImgPipeline

    model: Any = open_model(str(folder))
    rng = np.random.default_rng(0)
    image = rng.random((64, 64, 3), np.float32)
    pipe: Any = StableDiffusionImg2ImgPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    x0 = model.encode(image)
    pipe.vae.encode = _mean_only(pipe.vae.encode)
    theirs = pipe(
        "a red cat",
        image=torch.from_numpy(image.transpose(2, 0, 1))[None],
        strength=0.5,
        num_inference_steps=8,
        guidance_scale=SCALE,
        negative_prompt="dog",
        generator=torch.Generator().manual_seed(3),
        output_type="latent",
    ).images
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    levels = model.levels(8)
    own = walked(model, "a red cat", levels[4].mix(x0, noise), 8, first=4)
    assert torch.allclose(own, theirs, atol=2e-4, rtol=1e-4)


def _mean_only(encode: Any) -> Any:
    """Encoding without the draw from the posterior, so that both start from the same latent."""

    def mean(*arguments: Any, **options: Any) -> Any:
        found = encode(*arguments, **options)
        found.latent_dist.sample = lambda generator=None: found.latent_dist.mode()
        return found

    return mean


def test_geometry_comes_from_the_checkpoint(folder: Path) -> None:
    model = open_model(str(folder))
    assert (model.factor, model.native, model.channels, model.multiple) == (8, 64, 4, 16)
    last = model.levels(10)[-1]
    assert 0 < last.noise < 0.05


def test_the_finest_walk_stays_on_the_schedule(folder: Path) -> None:
    levels = open_model(str(folder)).levels(1000)
    assert len(levels) == 1001
    assert all(one.noise >= two.noise for one, two in zip(levels, levels[1:], strict=False))


def test_preview_is_close_to_the_picture_in_the_large(folder: Path) -> None:
    model = open_model(str(folder))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    shown, picture = model.preview(z), model.decode(z)
    assert shown.shape == (8, 8, 3)
    assert np.abs(shown.mean((0, 1)) - picture.mean((0, 1))).max() < 0.1


def test_inpainting_networks_are_told_what_is_known(tmp_path: Path) -> None:
    from core.diffusion.model import KnownRegion

    model = open_model(str(tiny.saved(tmp_path, "epsilon", 9)))
    assert "inpaint" in model.capabilities
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    half = torch.zeros(1, 1, 8, 8)
    half[..., :4] = 1
    level = model.levels(4)[1]
    free = model.denoiser("cat")(z, level).eps
    told = model.denoiser("cat", KnownRegion(half, z))(z, level).eps
    assert not torch.allclose(free, told)


def test_a_pickle_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ModelError, match=r"model\.ckpt: this checkpoint is a pickle"):
        open_model(str(path))


def test_a_missing_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        open_model(str(tmp_path / "gone.safetensors"))
    with pytest.raises(ModelError, match="no such file or folder"):
        open_model(str(tmp_path / "gone"))


def test_a_missing_part_is_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "half"
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / "vae")
    with pytest.raises(ModelError, match="vae/ is missing"):
        open_model(str(copy))


def test_cut_weights_are_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cut"
    shutil.copytree(folder, copy)
    weights = next((copy / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cut"):
        open_model(str(copy))


@pytest.mark.filterwarnings("ignore")
def test_weights_of_another_shape_are_told(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other"
    shutil.copytree(folder, copy)
    config = copy / "unet" / "config.json"
    config.write_text(
        config.read_text().replace('"cross_attention_dim": 32', '"cross_attention_dim": 48')
    )
    with pytest.raises(ModelError, match="other cannot be used"):
        open_model(str(copy))


def test_a_stray_safetensors_file_is_told(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "lora.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match="no Stable Diffusion"):
        open_model(str(path))
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="damaged or cut short"):
        open_model(str(path))


@pytest.mark.filterwarnings("ignore")
def test_a_single_file_equals_its_folder(tmp_path: Path) -> None:
    from tests.tiny_ldm import save_single_file

    pipe = tiny.pipeline(tmp_path / "made")
    folder = tmp_path / "one"
    pipe.save_pretrained(folder)
    file = save_single_file(pipe, tmp_path / "one.safetensors")
    for weights in folder.glob("*/*.safetensors"):
        weights.unlink()
    single: Any = open_model(str(file))
    pipe.save_pretrained(tmp_path / "whole")
    whole: Any = open_model(str(tmp_path / "whole"))
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(walked(single, "a cat", noise, 3), walked(whole, "a cat", noise, 3))
    image = np.random.default_rng(0).random((64, 64, 3), np.float32)
    assert torch.equal(single.encode(image), whole.encode(image))
    assert np.array_equal(single.decode(noise), whole.decode(noise))


@pytest.mark.parametrize(("kind", "words"), [("sd1", 12), ("sd2", 23)])
def test_the_shipped_configurations_build_their_networks(kind: str, words: int) -> None:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig

    from core.models.checkpoints import CONFIGS

    home = CONFIGS / kind
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel
        built = unet.from_config(unet.load_config(home / "unet"))
        vae: Any = AutoencoderKL
        vae.from_config(vae.load_config(home / "vae"))
    expected = {"sd1": 859_520_964, "sd2": 865_910_724}[kind]
    assert sum(p.numel() for p in built.parameters()) == expected
    assert CLIPTextConfig.from_pretrained(home / "text_encoder").num_hidden_layers == words
    scheduler: Any = DDIMScheduler
    assert scheduler.from_pretrained(home / "scheduler").config["steps_offset"] == 1


def test_the_shipped_vocabulary_is_clips() -> None:
    from core.models.checkpoints import clip_tokenizer

    ids = clip_tokenizer()("a photo of a cat").input_ids
    assert ids == [49406, 320, 1125, 539, 320, 2368, 49407]
