"""What is recorded comes back, whatever happened to the process or to the end of the file."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.ai.recipe_values import prompt_of
from core.errors import FileError, VersionError
from core.files import journal as journals
from core.files.journal import NAME, Journal, Recovery, find_recoverable
from core.files.process import describe_process
from core.geometry import Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, Mask, walk
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.task import Recipe
from core.versions.schema import Schema

DOT = np.full((40, 40), 200, np.uint8)


def painted() -> Document:
    document = Document(Size(600, 400))
    document.insert("New", Layer("ink"))
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 240, 240, (200, 10, 20, 255))
    return document


def find_abandoned(folder: Path) -> list[Recovery]:
    """What could be recovered if this process were no more."""
    for path in folder.glob(f"*/{NAME}"):
        data = path.read_bytes()
        mine, nobody = f'"pid": {os.getpid()},'.encode(), b'"pid": 0,'
        record = next(iter(journals._read_records(path)))[1]
        other = record.replace(mine, nobody.ljust(len(mine)))
        head = journals.HEADER.pack(
            journals.MARK, journals.START_RECORD, len(other), zlib.crc32(other)
        )
        path.write_bytes(head + other + data[len(head) + len(record) :])
    return find_recoverable(folder)


def picture(document: Document) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return flatten(document.root, document.bounds)


def test_everything_comes_back(tmp_path: Path) -> None:
    document = painted()
    mask = Mask()
    group = Group("group", children=(AiLayer("a cat", recipe=Recipe("sdedit"), mask=mask),))
    document.insert("Group", group)
    ai = next(node.id for node in walk(document.root) if isinstance(node, AiLayer))
    with document.paint(ai, "Region", plane="region") as painting:
        painting.blend(DOT, 10, 20)
    with document.paint(ai, "Mask", plane="mask") as painting:
        painting.blend(DOT, 30, 20, erase=True)
    document.select(Selection.polygon([(10, 10), (90, 20), (40, 80)], document.size))
    journal = Journal(tmp_path, document)
    assert journal.flush(10)
    journal.close(clean=False)

    (found,) = find_abandoned(tmp_path)
    back = found.load()
    assert np.array_equal(picture(back), picture(document))
    assert [(n.name, n.kind, n.id) for n in walk(back.root)] == [
        (n.name, n.kind, n.id) for n in walk(document.root)
    ]
    again, before = back.find(ai), document.find(ai)
    assert isinstance(again, AiLayer)
    assert isinstance(before, AiLayer)
    assert again.recipe == before.recipe
    area = Rect(0, 0, 100, 100)
    assert np.array_equal(again.region.read(area), before.region.read(area))
    assert again.mask is not None
    assert before.mask is not None
    assert np.array_equal(again.mask.tiles.read(area), before.mask.tiles.read(area))
    assert np.array_equal(back.selection.read(area), document.selection.read(area))
    assert back.is_modified


def test_a_stroke_in_progress_is_recorded(tmp_path: Path) -> None:
    document = painted()
    journal = Journal(tmp_path, document)
    with document.paint(document.state.active, "Stroke") as painting:
        for place in range(0, 200, 20):
            painting.blend(DOT, place, 30, (10, 200, 20, 255))
            assert journal.flush(10)
        shown = picture(document)
        journal.close(clean=False)
        (found,) = find_abandoned(tmp_path)
        assert np.array_equal(picture(found.load()), shown)


def test_an_unchanged_document_costs_nothing(tmp_path: Path) -> None:
    document = painted()
    journal = Journal(tmp_path, document)
    journal.flush(10)
    size = (journal.folder / NAME).stat().st_size
    journal.flush(10)
    assert (journal.folder / NAME).stat().st_size == size
    journal.close()


def test_slices_end_with_the_whole_state(tmp_path: Path) -> None:
    document = Document(Size(2048, 1024))
    document.insert("New", Layer("ink"))
    with document.paint(document.state.active, "Fill") as painting:
        painting.write(document.bounds, np.full((1024, 2048, 4), 77, np.uint8))
    journal = Journal(tmp_path, document)
    slices = 1
    while not journal.flush(0.0005):
        slices += 1
    journal.close(clean=False)
    assert slices > 3
    (found,) = find_abandoned(tmp_path)
    assert np.array_equal(picture(found.load()), picture(document))


def test_a_state_torn_by_a_stroke_gives_way_to_the_one_before(tmp_path: Path) -> None:
    """While a lower layer is written in slices, a stroke goes on above it."""
    document = painted()
    ink = document.state.active
    journal = Journal(tmp_path, document)
    assert journal.flush(10)
    shown = picture(document)
    paper = Tiles.of(np.full((400, 600, 4), 255, np.uint8))
    document.insert("New", Layer("paper", tiles=paper), document.root.id, 0)
    with document.paint(ink, "Stroke") as painting:
        painting.blend(DOT, 20, 30, (10, 200, 20, 255))
        while not journal.flush(0.0005):
            painting.blend(DOT, 20, 60, (10, 200, 20, 255))
        journal.close(clean=False)
        (found,) = find_abandoned(tmp_path)
        assert np.array_equal(picture(found.load()), shown)


def test_a_clean_end_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, painted())
    journal.flush(10)
    journal.close()
    assert not list(tmp_path.iterdir())


def test_a_living_process_is_not_offered(tmp_path: Path) -> None:
    journal = Journal(tmp_path, painted())
    journal.flush(10)
    assert find_recoverable(tmp_path) == []
    journal.close()


@pytest.mark.parametrize("cut", [1, 7, 100, 1000])
def test_a_torn_end_falls_back_to_the_state_before(tmp_path: Path, cut: int) -> None:
    document = painted()
    before = picture(document)
    journal = Journal(tmp_path, document)
    journal.flush(10)
    whole = (journal.folder / NAME).stat().st_size
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 0, 0)
    journal.flush(10)
    journal.close(clean=False)
    (found,) = find_abandoned(tmp_path)
    path = found.folder / NAME
    data = path.read_bytes()
    path.write_bytes(data[: max(whole, len(data) - cut)])
    assert np.array_equal(picture(found.load()), before)


def test_a_damaged_record_ends_the_replay_before_it(tmp_path: Path) -> None:
    document = painted()
    journal = Journal(tmp_path, document)
    journal.flush(10)
    journal.close(clean=False)
    (found,) = find_abandoned(tmp_path)
    path = found.folder / NAME
    data = bytearray(path.read_bytes())
    data[-3] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FileError, match="nothing whole"):
        found.load()


def test_the_file_is_written_anew_when_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "MAX_JOURNAL_BYTES", 60_000)
    document = painted()
    journal = Journal(tmp_path, document)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
    for _ in range(6):
        with document.paint(document.state.active, "Stroke") as painting:
            painting.blend(noise, 10, 10, (9, 9, 9, 255), 0.5)
        journal.flush(10)
    size = (journal.folder / NAME).stat().st_size
    journal.close(clean=False)
    monkeypatch.setattr(journals, "MAX_JOURNAL_BYTES", 512 << 20)
    assert size < 400_000
    (found,) = find_abandoned(tmp_path)
    assert np.array_equal(picture(found.load()), picture(document))


UNVERSIONED = """{"size": [4, 3], "active": "cat", "selection": {"bounds": [0, 0, 0, 0],
"alpha": ""}, "children": [{"kind": "ai", "id": "cat", "name": "a cat", "visible": true,
"opacity": 1.0, "blend": "normal", "planes": {"pixels": {"channels": 4, "fill": 9, "tiles": []},
"region": {"channels": 1, "fill": 0, "tiles": []}}, "mask_visible": true, "position": [0, 0],
"lock_alpha": false, "recipe": {"technique": "sdedit", "params": {"prompt": "a cat"},
"model": "storybook", "modifiers": [{"id": "cfg", "params": {"scale": 7.5}}], "seed": 9,
"context": [1, 2, 3, 4], "model_hash": "abc"}, "rendered": "key", "baked": true}]}"""
START = {"pid": 0, "started": 1795597209.25, "path": "/pictures/a.ora"}


def write_records(folder: Path, start: dict[str, Any], mark: bytes = b"SFJ1") -> Path:
    """A journal in a folder of its own, as a process that is no more has written it."""
    path = folder / "0-1" / NAME
    path.parent.mkdir()
    records = (journals.START_RECORD, json.dumps(start)), (journals.STATE_RECORD, UNVERSIONED)
    with path.open("wb") as stream:
        for kind, text in records:
            data = text.encode()
            stream.write(journals.HEADER.pack(mark, kind, len(data), zlib.crc32(data)) + data)
    return path


def test_a_journal_without_a_version_is_recovered(tmp_path: Path) -> None:
    write_records(tmp_path, START)
    (found,) = find_recoverable(tmp_path)
    assert not found.is_newer
    assert found.original == Path("/pictures/a.ora")
    layer = found.load().find("cat")
    assert isinstance(layer, AiLayer)
    assert (prompt_of(layer.recipe), layer.recipe.seed, layer.rendered) == ("a cat", 9, "key")
    found.discard()
    assert not list(tmp_path.iterdir())


def test_a_journal_names_its_version(tmp_path: Path) -> None:
    journal = Journal(tmp_path, painted())
    journal.flush(10)
    kind, data = next(iter(journals._read_records(journal.folder / NAME)))
    assert kind == journals.START_RECORD
    assert json.loads(data)["version"] == 1
    assert (journal.folder / NAME).read_bytes().startswith(b"SFJ1")
    journal.close()


def test_an_older_journal_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def widen(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "size": [side * 10 for side in state["size"]]}

    monkeypatch.setattr(journals, "SCHEMA", Schema("record", (widen,)))
    write_records(tmp_path, START)
    (found,) = find_recoverable(tmp_path)
    assert found.load().size == Size(40, 30)
    found.discard()
    write_records(tmp_path, {"version": 2, **START})
    (found,) = find_recoverable(tmp_path)
    assert found.load().size == Size(4, 3)


@pytest.mark.parametrize(("start", "mark"), [({"version": 2, **START}, b"SFJ1"), (START, b"SFJ2")])
def test_a_journal_of_a_newer_version_is_refused_and_kept(
    tmp_path: Path, start: dict[str, Any], mark: bytes
) -> None:
    path = write_records(tmp_path, start, mark)
    before = path.read_bytes()
    (found,) = find_recoverable(tmp_path)
    assert found.is_newer
    with pytest.raises(VersionError, match="version 2"):
        found.load()
    found.discard()
    assert path.read_bytes() == before


def test_an_open_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    write_records(tmp_path, {"version": 2, **describe_process()})
    assert find_recoverable(tmp_path) == []


def test_a_recipe_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = write_records(tmp_path, START)
    newer = UNVERSIONED.replace('{"technique"', '{"version": 2, "technique"').encode()
    with path.open("ab") as stream:
        head = journals.HEADER.pack(b"SFJ1", journals.STATE_RECORD, len(newer), zlib.crc32(newer))
        stream.write(head + newer)
    (found,) = find_recoverable(tmp_path)
    with pytest.raises(FileError, match="recipe is of version 2"):
        found.load()
    assert path.exists()


PAINTING = """
import sys, time
from pathlib import Path
import numpy as np
from core.paint.document import Document
from core.geometry import Size
from core.files.journal import Journal
from core.paint.layers import Layer
document = Document(Size(4000, 300))
document.insert("New", Layer("ink"))
journal = Journal(Path(sys.argv[1]), document)
dot = np.full((20, 20), 255, np.uint8)
with document.paint(document.state.active, "Stroke") as painting:
    for step in range(10_000):
        painting.blend(dot, step, 100, (255, 0, 0, 255))
        journal.flush()
        print(step, flush=True)
        time.sleep(0.002)
"""


def test_kill_in_the_middle_of_a_stroke_loses_less_than_a_second(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PAINTING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) > 150:
            break
    os.kill(child.pid, signal.SIGKILL)
    rest = [int(line) for line in child.stdout if line.strip()]
    child.wait()
    child.stdout.close()
    last = rest[-1] if rest else 151
    time.sleep(0.05)
    (found,) = find_recoverable(tmp_path)
    shown = picture(found.load())
    right = int(np.flatnonzero(shown[110, :, 3])[-1])
    assert right >= last + 20 - 2 - 200
