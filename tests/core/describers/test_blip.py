"""BLIP: found in the models folder, read offline, and refused in one sentence when it is broken."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from core import settings
from core.describers.blip import VOCABULARIES, Blip
from core.errors import ModelError
from core.settings import Settings
from tests import tiny_blip

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_blip.saved(tmp_path_factory.mktemp("made") / "blip")


@pytest.fixture
def folder(ready: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BLIP in the models folder of this test, which may do with it what it likes."""
    # transformers does not wait for the threads that it loads with.
    monkeypatch.setenv("HF_DEACTIVATE_ASYNC_LOAD", "1")
    return Path(shutil.copytree(ready, settings.models_folder() / "a-blip"))


@pytest.mark.usefixtures("folder")
def test_it_says_what_the_network_says() -> None:
    text = Blip().describe(PICTURE)
    assert set(text.split()) == {"cat"}


def test_without_a_folder_it_says_where_to_put_one(tmp_path: Path) -> None:
    settings.save(Settings(models_folder=str(tmp_path / "mine")))
    assert (
        Blip.why_unavailable() == f"Put a BLIP folder into {tmp_path / 'mine'} to get suggestions."
    )
    with pytest.raises(ModelError, match="Put a BLIP folder into"):
        Blip().describe(PICTURE)


def test_folders_of_other_kinds_are_left_alone() -> None:
    for name, config in (("list", "[1]"), ("torn", "{"), ("bert", '{"model_type": "bert"}')):
        folder = settings.models_folder() / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(config)
    (settings.models_folder() / "empty").mkdir()
    assert "Put a BLIP folder" in Blip.why_unavailable()


def _cut(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _gap(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["vision_model.post_layernorm.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def _wordless(folder: Path) -> None:
    for name in VOCABULARIES:
        (folder / name).unlink(missing_ok=True)


def _misfit(folder: Path) -> None:
    config = json.loads((folder / "processor_config.json").read_text())
    config["image_processor"]["size"] = {"height": 64, "width": 64}
    (folder / "processor_config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_cut, "a-blip is damaged or cut short"),
        (_pickled, "a-blip holds no .safetensors weights"),
        (_gap, "a-blip is not a whole BLIP: weights"),
        (_wordless, "a-blip is not a whole BLIP: its vocabulary"),
        (_misfit, "a-blip cannot be used"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_broken_folder_is_one_sentence(
    damage: Callable[[Path], None], sentence: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=sentence) as raised:
        Blip().describe(PICTURE)
    assert "\n" not in str(raised.value)
