"""The parts of a folder are judged before anything is built or read for long."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelError
from core.models.checkpoint_parts import translate_checkpoint_errors
from core.models.files import checkpoint_files, fingerprint
from core.models.opening import open_model
from tests import tiny
from tests.core.models import mutations


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.saved(tmp_path_factory.mktemp("parts"))


@pytest.fixture
def home(origin: Path, tmp_path: Path) -> Path:
    return shutil.copytree(origin, tmp_path / "home")


def change(config: Path, **values: Any) -> None:
    config.write_text(json.dumps({**json.loads(config.read_text()), **values}))


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("unet/config.json", {"transformer_layers_per_block": 2147483648}),
        ("unet/config.json", {"transformer_layers_per_block": [1, 90_000]}),
        ("unet/config.json", {"layers_per_block": 90_000}),
        ("unet/config.json", {"block_out_channels": [32, 1 << 40]}),
        ("unet/config.json", {"cross_attention_dim": 1 << 19}),
        ("vae/config.json", {"layers_per_block": 5000}),
        ("vae/config.json", {"block_out_channels": [16, 32, 32, 90_000]}),
        ("text_encoder/config.json", {"num_hidden_layers": 100_000}),
        ("text_encoder/config.json", {"vocab_size": 1_000_000}),
        ("text_encoder/config.json", {"intermediate_size": 1_000_000}),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": 2147483648}),
    ],
)
def test_a_network_may_not_ask_for_more_than_its_weights(
    file: str, values: dict[str, Any], home: Path
) -> None:
    change(home / file, **values)
    with pytest.raises(ModelError, match="asks for"):
        open_model(str(home))


@pytest.mark.parametrize(
    "name", ["pieces.bin", "../../vae/model.safetensors", "/etc/hostname", "C:\\x.safetensors"]
)
def test_an_index_names_safe_files_beside_it_only(name: str, home: Path) -> None:
    weights = home / "unet" / "diffusion_pytorch_model.safetensors"
    index = home / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": weights.name, "b": name}}))
    with pytest.raises(ModelError, match="in the same folder only"):
        open_model(str(home))


def test_an_index_with_a_missing_piece_says_which(home: Path) -> None:
    index = home / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "gone.safetensors"}}))
    with pytest.raises(ModelError, match=r"lacks gone\.safetensors"):
        open_model(str(home))


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_weights_that_are_missing_are_not_made_up(part: str, home: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = next((home / part).glob("*.safetensors"))
    state = load_file(file)
    state.pop(next(name for name in state if name.endswith("bias")))
    save_file(state, file, {"format": "pt"})
    with pytest.raises(ModelError, match="home"):
        open_model(str(home))


@pytest.mark.parametrize(
    "place",
    ["unet/diffusion_pytorch_model.safetensors", "vae/config.json", "tokenizer/tokenizer.json"],
)
@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_pipes_and_devices_are_not_read(place: str, kind: str, home: Path) -> None:
    (home / place).unlink()
    if kind == "fifo":
        os.mkfifo(home / place)
    else:
        (home / place).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="not a plain file"):
        open_model(str(home))


def test_a_pipe_as_a_whole_checkpoint_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(ModelError, match="not a plain file"):
        open_model(str(tmp_path / "pipe.safetensors"))


def test_no_more_than_the_folders_of_a_checkpoint_are_searched(home: Path) -> None:
    before = fingerprint(home)
    deep = home / "unet" / "deep" / "deeper"
    deep.mkdir(parents=True)
    (deep / "more.safetensors").write_bytes(b"x")
    assert fingerprint(home) == before
    for number in range(2500):
        (deep / str(number)).touch()
    assert checkpoint_files(home)
    with pytest.raises(ModelError, match="too many files"):
        checkpoint_files(deep)


def test_memory_that_runs_out_is_no_fault_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="primitive"), translate_checkpoint_errors(tmp_path):
        raise RuntimeError("could not create a primitive")
    with pytest.raises(ModelError, match="IndexError"), translate_checkpoint_errors(tmp_path):
        raise IndexError


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(24))
def test_damage_ends_in_the_programs_own_sentence(seed: int, origin: Path, tmp_path: Path) -> None:
    what, outcome = mutations.run("unet", origin, seed, tmp_path)
    assert not outcome.is_foreign, f"{what}: {outcome.text}"
