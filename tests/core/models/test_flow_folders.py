"""Folders of flow transformers are told apart, and bad ones say why."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelError
from core.models.opening import backend_of, model_defaults, open_model
from tests import tiny_flow


def test_each_folder_has_its_own_backend(home: Path) -> None:
    for kind, guidance in (("sd3", 7.0), ("flux", 3.5)):
        name = str(home / f"tiny-{kind}")
        assert backend_of(name).id == f"diffusers-{kind}"
        assert model_defaults(name).guidance == guidance


def test_geometry_comes_from_the_checkpoint(model: Any) -> None:
    assert (model.factor, model.native, model.channels, model.multiple) == (8, 64, 4, 16)


@pytest.mark.filterwarnings("ignore")
def test_the_t5_encoder_may_be_left_out_of_a_folder(home: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home / "tiny-sd3", tmp_path / "light")
    shutil.rmtree(copy / "text_encoder_3")
    shutil.rmtree(copy / "tokenizer_3")
    model: Any = open_model(str(copy))
    assert model.embed(["a cat"]).tokens[:, 77:].abs().max() == 0


def test_pickled_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "old")
    weights = next((copy / "transformer").glob("*.safetensors"))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match=r"old/transformer holds no \.safetensors weights"):
        open_model(str(copy))


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder_2", "tokenizer_2"])
def test_a_missing_part_is_named(part: str, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "half")
    shutil.rmtree(copy / part)
    with pytest.raises(ModelError, match=f"half is not a whole checkpoint: {part}/ is missing"):
        open_model(str(copy))


def test_cut_weights_are_named(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "cut")
    weights = next((copy / "transformer").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cut"):
        open_model(str(copy))


@pytest.mark.filterwarnings("ignore")
def test_weights_of_another_shape_are_told(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "other")
    _change(copy / "transformer" / "config.json", joint_attention_dim=48)
    with pytest.raises(ModelError, match="other cannot be used"):
        open_model(str(copy))


@pytest.mark.filterwarnings("ignore")
def test_parts_that_do_not_fit_are_told(home: Path, tmp_path: Path) -> None:
    """The autoencoder is of a checkpoint with more latent channels."""
    copy = shutil.copytree(home / "tiny-sd3", tmp_path / "mixed")
    shutil.rmtree(copy / "vae")
    tiny_flow.autoencoder(8, 1.0, 0.0).save_pretrained(copy / "vae")
    with pytest.raises(ModelError, match="mixed cannot be used.*wants 4 latent channels.*give 8"):
        open_model(str(copy))


def _change(config: Path, **values: Any) -> None:
    config.write_text(json.dumps({**json.loads(config.read_text()), **values}))
