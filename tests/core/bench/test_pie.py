"""PIE-Bench's layout: prompts, masks and pictures come out as its own evaluator reads them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.bench.pie import decode_mask, read_pie
from core.errors import FileError


def folder(home: Path, **changes: object) -> Path:
    """A data set of one edit."""
    images = home / "annotation_images" / "1_change_object_80"
    images.mkdir(parents=True)
    Image.new("RGB", (512, 512), (255, 0, 51)).save(images / "111000000000.jpg", quality=100)
    entry = {
        "image_path": "1_change_object_80/111000000000.jpg",
        "original_prompt": "a [round] cake on a plate",
        "editing_prompt": "a [square] cake on a plate",
        "editing_instruction": "make the cake square",
        "editing_type_id": "1",
        "blended_word": "cake cake",
        "mask": [1000, 24, 512 * 300 + 10, 5],
    }
    (home / "mapping_file.json").write_text(json.dumps({"111000000000": {**entry, **changes}}))
    return home


def test_an_edit_comes_out_whole(tmp_path: Path) -> None:
    (edit,) = read_pie(folder(tmp_path))
    assert edit.kind == "change object"
    assert edit.source_prompt == "a round cake on a plate"
    assert edit.prompt == "a square cake on a plate"
    assert edit.blended_words == ("cake", "cake")
    assert edit.picture().shape == (512, 512, 3)
    assert np.abs(edit.picture()[5, 5] - (1, 0, 0.2)).max() < 0.02


def test_runs_are_start_and_length_and_the_border_counts() -> None:
    mask = decode_mask([1000, 24, 512 * 300 + 10, 5])
    assert mask[300, 10:15].all()
    assert not mask[300, 15:511].any()
    assert mask[1, 1000 - 512 : 512].all()
    assert mask[0].all()
    assert mask[-1].all()
    assert mask[:, 0].all()
    assert mask[:, -1].all()
    assert mask.sum() == 4 * 511 + 5 + 23


def test_runs_beyond_the_end_stop_there() -> None:
    assert decode_mask([512 * 511, 10**6])[-1].all()


@pytest.mark.parametrize(
    "changes", [{"mask": [1, 2, 3]}, {"mask": "x"}, {"editing_type_id": "12"}, {"image_path": 3}]
)
def test_a_wrong_entry_is_named(changes: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(FileError, match="entry 111000000000"):
        list(read_pie(folder(tmp_path, **changes)))


def test_a_missing_picture_and_no_mapping_are_named(tmp_path: Path) -> None:
    (edit,) = read_pie(folder(tmp_path, image_path="gone.jpg"))
    with pytest.raises(FileError, match=r"gone\.jpg"):
        edit.picture()
    with pytest.raises(FileError, match="mapping file"):
        list(read_pie(tmp_path / "nowhere"))
