"""Checkpoints are judged by what they hold: each loads, or one sentence says what it is."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import ModelError
from core.models import checkpoints
from core.models.checkpoint_kind import KEY
from core.models.opening import available_models, check_model, is_checkpoint, open_model
from core.settings import folders
from tests import tiny
from tests.tiny_ldm import save_single_file

UNET = "model.diffusion_model."


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {channels: tiny.saved(folder, channels=channels) for channels in (4, 8, 9)}


@pytest.fixture
def small_configs(homes: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped configurations exchanged for those of the tiny network."""
    configs = tmp_path / "configs"
    shutil.copytree(homes[4], configs / "sd1")
    shutil.copytree(homes[4] / "tokenizer", configs / "tokenizer")
    monkeypatch.setattr(checkpoints, "CONFIGS", configs)
    monkeypatch.setattr(checkpoints, "WIDTHS", {32: "sd1"})


def single(home: Path, path: Path) -> Path:
    from diffusers import StableDiffusionPipeline

    kind: Any = StableDiffusionPipeline
    return save_single_file(kind.from_pretrained(home, safety_checker=None), path)


def refusal(path: Path) -> str:
    """The one sentence with which a path is refused, before and while it is opened."""
    sentences = []
    for judge in (check_model, open_model):
        with pytest.raises(ModelError) as caught:
            judge(str(path))
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]
    assert "\n" not in sentences[0]
    assert sentences[0].endswith(".")
    return sentences[0]


@pytest.mark.usefixtures("small_configs")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["one.safetensors", "ONE.SAFETENSORS", "one.ckpt", "one"])
def test_a_single_file_opens_under_any_name(name: str, homes: Any, tmp_path: Path) -> None:
    path = single(homes[4], tmp_path / name)
    assert is_checkpoint(path)
    check_model(str(path))
    assert "inpaint" not in open_model(str(path)).capabilities


@pytest.mark.usefixtures("small_configs")
@pytest.mark.filterwarnings("ignore")
def test_inpainting_networks_of_nine_channels_open_as_files(homes: Any, tmp_path: Path) -> None:
    model: Any = open_model(str(single(homes[9], tmp_path / "nine.safetensors")))
    folder: Any = open_model(str(homes[9]))
    assert "inpaint" in model.capabilities
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    one, two = (each.denoiser("cat")(z, each.levels(4)[1]).eps for each in (model, folder))
    assert torch.allclose(one, two, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_file", [True, False])
def test_networks_that_read_a_second_picture_are_refused(
    is_file: bool, homes: Any, tmp_path: Path
) -> None:
    path = single(homes[8], tmp_path / "pix.safetensors") if is_file else homes[8]
    assert "reads a second picture (8 input channels" in refusal(path)


@pytest.mark.usefixtures("small_configs")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("prefix", "part"), [("first_stage_model.", "VAE"), ("cond_stage_model.", "text encoder")]
)
def test_a_file_without_one_part_says_which(
    prefix: str, part: str, homes: Any, tmp_path: Path
) -> None:
    path = single(homes[4], tmp_path / "part.safetensors")
    state = {key: value for key, value in load_file(path).items() if not key.startswith(prefix)}
    save_file(state, path)
    assert f"{part}" in refusal(path)
    assert "choose a file of the whole model" in refusal(path)


@pytest.mark.usefixtures("small_configs")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("prefix", [UNET + "out.2", "first_stage_model.decoder.conv_out"])
def test_a_file_that_lacks_single_weights_says_so(prefix: str, homes: Any, tmp_path: Path) -> None:
    path = single(homes[4], tmp_path / "gap.safetensors")
    state = {key: value for key, value in load_file(path).items() if not key.startswith(prefix)}
    save_file(state, path)
    with pytest.raises(ModelError, match=r"gap\.safetensors") as caught:
        open_model(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (["lora_unet_down_blocks_0.lora_down.weight"], "a LoRA"),
        (["unet.down_blocks.0.attn1.to_q.lora_A.weight"], "a LoRA"),
        (["lora_te_text_model_encoder_layers_0.hada_w1_a"], "a LoRA"),
        (["control_model.input_blocks.0.0.weight"], "a ControlNet"),
        (["controlnet_cond_embedding.conv_in.weight", "down_blocks.0.x"], "a ControlNet"),
        (["first_stage_model.decoder.conv_in.weight"], "an autoencoder"),
        (["decoder.conv_in.weight", "encoder.conv_in.weight"], "an autoencoder"),
        (["emb_params"], "an embedding"),
        (["conditioner.embedders.0.transformer.x", UNET + "x"], "Stable Diffusion XL"),
        ([UNET + "joint_blocks.0.x"], "Stable Diffusion 3 as a file"),
        (["double_blocks.0.img_attn.qkv.weight"], "FLUX as a file"),
        (["text_model.encoder.layers.0.x"], "a text encoder"),
        (["down_blocks.0.resnets.0.x", "conv_in.weight"], "the network alone"),
        (["input_blocks.0.0.weight"], "the network alone"),
        (["down_blocks.0.motion_modules.0.x"], "a motion module"),
        (["image_proj.proj.weight", "ip_adapter.1.x"], "an IP-Adapter"),
        ([UNET + "something.weight"], "another kind of network"),
        (["weight"], "no Stable Diffusion 1.x or 2.x network"),
    ],
)
def test_what_is_no_checkpoint_says_what_it_is(keys: list[str], what: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.safetensors"
    save_file({key: torch.zeros(2, 3) for key in keys}, path)
    assert what in refusal(path)


def test_an_embedding_is_known_by_its_width(tmp_path: Path) -> None:
    path = tmp_path / "word.safetensors"
    save_file({"<castle>": torch.zeros(2, 768)}, path)
    assert "an embedding" in refusal(path)


def test_a_wider_text_is_told(homes: Any, tmp_path: Path) -> None:
    path = single(homes[4], tmp_path / "wide.safetensors")
    with pytest.raises(ModelError, match="another kind"):
        open_model(str(path))
    assert KEY in load_file(path)


@pytest.mark.parametrize(
    "kind",
    [
        "StableDiffusionXLPipeline",
        "StableDiffusionXLInpaintPipeline",
        "StableDiffusionInstructPix2PixPipeline",
        "StableDiffusionUpscalePipeline",
        "FluxFillPipeline",
        "KolorsPipeline",
        "StableDiffusion3ControlNetPipeline",
        "",
        "x" * 5000,
    ],
)
def test_folders_of_other_classes_say_theirs(kind: str, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    assert kind[:80] in refusal(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "3", '{"_class_name": 3}', "[" * 100_000])
def test_a_damaged_index_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(text)
    assert "model_index.json is damaged" in refusal(tmp_path)


def test_a_pickle_is_refused_by_what_it_holds(tmp_path: Path) -> None:
    for name, start in (("one.safetensors", b"PK\x03\x04"), ("two.safetensors", b"\x80\x04K\x01.")):
        (tmp_path / name).write_bytes(start + bytes(100))
        assert "is a pickle" in refusal(tmp_path / name)


def test_folders_with_only_a_variant_open(homes: Any, tmp_path: Path) -> None:
    from diffusers import StableDiffusionPipeline

    kind: Any = StableDiffusionPipeline
    pipe = kind.from_pretrained(homes[4], safety_checker=None, torch_dtype=torch.float16)
    pipe.save_pretrained(tmp_path / "half", variant="fp16")
    usual: Any = open_model(str(homes[4]))
    image = np.random.default_rng(0).random((64, 64, 3), np.float32)
    model: Any = open_model(str(tmp_path / "half"))
    assert torch.allclose(model.encode(image), usual.encode(image), atol=0.02)
    # Mixed: the network in pieces as a variant, another part without one.
    pipe.unet.save_pretrained(tmp_path / "half" / "unet", variant="fp16", max_shard_size="60KB")
    whole = tmp_path / "half" / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    whole.unlink()
    vae = tmp_path / "half" / "vae"
    shutil.copy(homes[4] / "vae" / "diffusion_pytorch_model.safetensors", vae)
    mixed: Any = open_model(str(tmp_path / "half"))
    assert torch.equal(mixed.encode(image), usual.encode(image))


def test_the_models_folder_lists_any_spelling_of_the_suffix() -> None:
    folder = folders().models
    folder.mkdir(parents=True)
    for name in ("a.safetensors", "B.SAFETENSORS", "c.txt"):
        (folder / name).write_bytes(b"x")
    assert {model.label for model in available_models()} >= {"a", "B"}
    assert "c" not in {model.label for model in available_models()}


@pytest.mark.parametrize("name", ["\0", "x" * 5000, "/root/no/such", "//server/share/model", "."])
def test_odd_paths_are_told(name: str) -> None:
    for judge in (check_model, open_model):
        with pytest.raises(ModelError):
            judge(name)
