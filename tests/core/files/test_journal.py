"""What is recorded comes back, whatever happened to the process, the disk or the file's end."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.files import journal as journals
from core.files.file_version import FileVersion
from core.files.journal import Journal
from core.files.journal_file import Base
from core.files.recovery import Recovery, find_recoverable
from core.formats.opening import open_document, save_document
from core.geometry import Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, Mask, walk
from core.paint.selection import Selection
from core.paint.tiles import Pixels, Tiles
from core.task import ModifierSetting, Recipe

DOT = np.full((40, 40), 200, np.uint8)
NOISE = np.random.default_rng(0).integers(0, 255, (2048, 2048, 4), np.uint8)


def painted() -> Document:
    document = Document(Size(600, 400))
    document.insert("New", Layer("ink"))
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 240, 240, (200, 10, 20, 255))
    return document


def picture(document: Document) -> Pixels:
    return flatten(document.root, document.bounds)


def only_recovery(folder: Path) -> Recovery:
    (found,) = find_recoverable(folder)
    return found


def load_left(folder: Path) -> Document:
    return only_recovery(folder).load(open_document)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder for journals."""
    return tmp_path / "autosave"


def abandon(journal: Journal) -> None:
    """End the journal as the end of its process would: nothing more is written."""
    journal.close(clean=False)


def record(folder: Path, document: Document) -> None:
    journal = Journal(folder, document)
    assert journal.flush(10)
    abandon(journal)


def rich_document() -> Document:
    """One of everything that a document can hold."""
    document = painted()
    recipe = Recipe(
        "sdedit",
        {"prompt": "a cat", "strength": 0.5},
        "toy",
        (ModifierSetting("cfg", {"scale": 7.5}),),
        9,
        Rect(1, 2, 3, 4),
        "abc",
    )
    mask = Mask(Tiles.of(np.full((9, 9, 1), 7, np.uint8), fill=255), visible=False)
    inner = AiLayer(
        "a cat",
        visible=False,
        opacity=0.25,
        blend="multiply",
        mask=mask,
        tiles=Tiles.of(np.full((50, 60, 4), 99, np.uint8), 20, 30),
        position=replace(Layer("x")).position.translate(-5, 7),
        lock_alpha=True,
        recipe=recipe,
        region=Tiles.of(np.full((20, 20, 1), 255, np.uint8)),
        rendered="key",
        baked=True,
    )
    document.insert("Group", Group("group", opacity=0.5, children=(inner,)))
    document.select(Selection.polygon([(10, 10), (90, 20), (40, 80)], document.size))
    document.path = Path("/pictures/a.ora")
    document.extras = {
        "exif": b"\0\1",
        "dpi": (72.0, 96.5),
        "xmp": "<x/>",
        "entries": {"sfumato/a.json": b"{}", "list": [1, None, True]},
    }
    return document


def test_everything_comes_back(left: Path) -> None:
    document = rich_document()
    record(left, document)
    back = load_left(left)
    assert np.array_equal(picture(back), picture(document))
    assert back.is_modified
    assert (back.path, back.extras, back.note) == (document.path, document.extras, "")
    assert (back.size, back.state.active) == (document.size, document.state.active)
    area = document.bounds
    assert np.array_equal(back.selection.read(area), document.selection.read(area))
    for again, before in zip(walk(back.root), walk(document.root), strict=True):
        assert type(again) is type(before)
        for name, value in vars(before).items():
            assert_same(vars(again)[name], value)


def assert_same(again: object, before: object) -> None:
    """Compare one field of a layer; a field that the journal does not know fails here."""
    if isinstance(before, Tiles):
        assert isinstance(again, Tiles)
        assert again.fill == before.fill
        area = Rect(-256, -256, 1024, 1024)
        assert np.array_equal(again.read(area), before.read(area))
    elif isinstance(before, Mask):
        assert isinstance(again, Mask)
        assert again.visible == before.visible
        assert_same(again.tiles, before.tiles)
    elif not (isinstance(before, tuple) and before and isinstance(before[0], (Layer, Group))):
        assert again == before


def test_a_stroke_in_progress_is_recorded(left: Path) -> None:
    document = painted()
    journal = Journal(left, document)
    with document.paint(document.state.active, "Stroke") as painting:
        for place in range(0, 200, 20):
            painting.blend(DOT, place, 30, (10, 200, 20, 255))
            assert journal.flush(10)
        shown = picture(document)
        abandon(journal)
        assert np.array_equal(picture(load_left(left)), shown)


def test_what_is_taken_in_a_stroke_is_that_moment_however_late_it_is_written(left: Path) -> None:
    document = painted()
    journal = Journal(left, document)
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 20, 30, (10, 200, 20, 255))
        shown = picture(document)
        with journal._condition:
            journal.record()
            # The writer waits for us, and finds the tile of that moment and not of this one.
            painting.blend(DOT, 40, 40, (10, 20, 200, 255))
        assert journal._wait(10)
        abandon(journal)
        assert np.array_equal(picture(load_left(left)), shown)


def test_between_edits_the_journal_looks_by_itself(left: Path) -> None:
    """The window may be busy for seconds; what was done before is recorded meanwhile."""
    document = painted()
    journal = Journal(left, document, period=0.01)
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 20, 30, (10, 200, 20, 255))
    wait_until(lambda: journal._seen[:1] == (document.state,) and journal._pending is None)
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


def wait_until(condition: object) -> None:
    end = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


def test_an_unchanged_document_costs_nothing(left: Path) -> None:
    document = painted()
    journal = Journal(left, document)
    journal.flush(10)
    assert journal._file is not None
    size = journal._file.size
    journal.flush(10)
    assert journal._file.size == size
    journal.close()


def test_many_tiles_are_written_plainly_and_few_compressed(left: Path) -> None:
    document = Document(Size(2048, 1024))
    document.insert("New", Layer("ink", tiles=Tiles.of(np.full((1024, 2048, 4), 77, np.uint8))))
    journal = Journal(left, document)
    assert journal.flush(10)
    assert journal._file is not None
    few = journal._file.size
    document.insert("New", Layer("more", tiles=Tiles.of(NOISE)))
    shown = picture(document)
    assert journal.flush(10)
    assert few < 200_000 < 60 << 18 < journal._file.size
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), shown)


def test_a_clean_end_leaves_nothing(left: Path) -> None:
    journal = Journal(left, painted())
    journal.flush(10)
    journal.close()
    assert not list(left.iterdir())


@pytest.mark.parametrize("cut", [1, 7, 100, 200])
def test_a_torn_end_falls_back_to_the_state_before(left: Path, cut: int) -> None:
    document = painted()
    before = picture(document)
    journal = Journal(left, document)
    journal.flush(10)
    assert journal._file is not None
    whole = journal._file.size
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 0, 0)
    journal.flush(10)
    abandon(journal)
    (path,) = left.glob("*/journal-1.bin")
    data = path.read_bytes()
    path.write_bytes(data[: max(whole, len(data) - cut)])
    assert np.array_equal(picture(load_left(left)), before)


# Compaction


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "MAX_JOURNAL_BYTES", 60_000)


def scribble(document: Document, journal: Journal, times: int) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
    for _ in range(times):
        with document.paint(document.state.active, "Stroke") as painting:
            painting.blend(noise, 10, 10, (9, 9, 9, 255), 0.5)
        assert journal.flush(10)


@pytest.mark.usefixtures("small")
def test_the_file_is_written_anew_when_it_grows(left: Path) -> None:
    document = painted()
    journal = Journal(left, document)
    scribble(document, journal, 12)
    wait_until(lambda: journal._compaction is None)
    assert journal._files > 1
    assert journal._file is not None
    assert journal._file.size < 900_000, "twelve strokes take far more"
    assert len(list(left.glob("*/journal-*.bin"))) == 1
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


def test_a_kill_in_compaction_under_a_stroke_loses_no_old_ink(left: Path, tmp_path: Path) -> None:
    """What lies on the disk in the middle of a compaction, with a stroke going on, is whole."""
    document = Document(Size(2048, 2048))
    document.insert("New", Layer("old ink", tiles=Tiles.of(NOISE)))
    document.insert("New", Layer("new ink"))
    journal = Journal(left, document, period=60)
    assert journal.flush(20)
    stop_thread(journal)
    steps, shown = 0, picture(document)
    with document.paint(document.state.active, "Stroke") as painting:
        for _ in journal._compact():
            painting.blend(DOT, steps * 7, 300, (200, 10, 20, 255))
            if steps % 10 == 0:
                write_now(journal)
                shown = picture(document)
            if steps % 18 == 0:
                shutil.copytree(left, tmp_path / "copy")
                assert np.array_equal(picture(load_left(tmp_path / "copy")), shown)
                shutil.rmtree(tmp_path / "copy")
            steps += 1
    assert steps > 128, "a step for each tile, and one for reading it back"
    journal.close()


def stop_thread(journal: Journal) -> None:
    """From now on the test writes by itself."""
    with journal._condition:
        journal._is_closing = True
        journal._condition.notify_all()
    journal._thread.join()


def write_now(journal: Journal) -> None:
    journal.record()
    assert journal._pending is not None
    assert journal._file is not None
    list(journal._file.write(journal._pending.snapshot, journal._pending.number))
    journal._finish(journal._pending)


def test_a_compaction_that_cannot_be_read_back_keeps_the_first_file(
    left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = painted()
    journal = Journal(left, document)
    monkeypatch.setattr("core.files.journal_file.read_records", lambda path, offset: iter(()))
    monkeypatch.setattr(journal, "_limit", 60_000)
    scribble(document, journal, 12)
    wait_until(lambda: journal._compaction is None)
    assert journal._files > 1, "it was tried"
    assert journal.problem == "", "and costs nothing"
    assert [path.name for path in left.glob("*/journal-*.bin")] == ["journal-1.bin"]
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


def test_of_two_files_the_one_with_the_later_state_counts(left: Path) -> None:
    """A kill between the end of a compaction and the deletion of the first file."""
    document = painted()
    journal = Journal(left, document)
    assert journal.flush(10)
    assert journal.folder is not None
    shutil.copy(journal.folder / "journal-1.bin", journal.folder / "journal-9.bin")
    with document.paint(document.state.active, "Stroke") as painting:
        painting.blend(DOT, 0, 0)
    assert journal.flush(10)
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


# The file that the document came from


def opened(path: Path) -> tuple[Document, Base]:
    document = open_document(path)
    return document, Base.of(FileVersion.of(path), document.state)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    document = Document(Size(1024, 768))
    document.insert("New", Layer("photo", tiles=Tiles.of(NOISE[:768, :1024])))
    path = tmp_path / "photo.ora"
    save_document(document, path)
    return path


def paint_dot(document: Document) -> None:
    with document.paint(document.root.children[0].id, "Dot") as painting:
        painting.blend(DOT, 30, 30, (255, 0, 0, 255))


def test_only_differences_from_the_file_are_recorded(left: Path, photo: Path) -> None:
    document, base = opened(photo)
    # What was done before the record began is a difference too.
    paint_dot(document)
    document.insert("More", Layer("below"), document.root.id, 0)
    journal = Journal(left, document, base)
    assert journal.flush(10)
    assert journal._file is not None
    assert journal._file.size < 2 << 18, "one tile, and names for the others"
    abandon(journal)
    back = load_left(left)
    assert np.array_equal(picture(back), picture(document))
    assert back.note == ""


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_file_that_is_gone_or_changed_is_told_and_the_rest_is_given(
    left: Path, photo: Path, is_gone: bool
) -> None:
    document, base = opened(photo)
    journal = Journal(left, document, base)
    paint_dot(document)
    assert journal.flush(10)
    abandon(journal)
    if is_gone:
        photo.unlink()
    else:
        save_document(painted(), photo)
    back = load_left(left)
    assert "photo.ora is gone or was changed" in back.note
    assert np.array_equal(picture(back)[:256, :256], picture(document)[:256, :256])
    assert not picture(back)[256:].any()


def test_a_file_that_changes_while_it_is_open_costs_nothing(left: Path, photo: Path) -> None:
    document, base = opened(photo)
    journal = Journal(left, document, base, period=0.01)
    assert journal.flush(10)
    save_document(painted(), photo)
    paint_dot(document)
    wait_until(lambda: journal._base is None)
    assert journal.flush(10)
    abandon(journal)
    back = load_left(left)
    assert np.array_equal(picture(back), picture(document))
    assert back.note == ""


@pytest.mark.parametrize("has_painted", [True, False])
def test_before_a_save_the_journal_stands_on_its_own(
    left: Path, photo: Path, has_painted: bool
) -> None:
    document, base = opened(photo)
    journal = Journal(left, document, base, period=60)
    if has_painted:
        paint_dot(document)
    assert journal.flush(10)
    journal.prepare_to_save(photo, 10)
    abandon(journal)
    photo.unlink()
    found = find_recoverable(left)
    assert len(found) == (1 if has_painted else 0), "what is as it was saved needs no recovery"
    if found:
        back = found[0].load(open_document)
        assert back.note == ""
        assert np.array_equal(picture(back), picture(document))


def test_saving_under_another_name_keeps_the_journal(
    left: Path, photo: Path, tmp_path: Path
) -> None:
    document, base = opened(photo)
    journal = Journal(left, document, base)
    paint_dot(document)
    assert journal.flush(10)
    before = journal.folder
    journal.prepare_to_save(tmp_path / "other.ora", 10)
    save_document(document, tmp_path / "other.ora")
    paint_dot(document)
    assert journal.flush(10)
    assert journal.folder == before
    abandon(journal)
    back = load_left(left)
    assert back.path == tmp_path / "other.ora"
    assert np.array_equal(picture(back), picture(document))


# Disks and values that will not


def test_what_json_cannot_hold_costs_the_recipe_and_not_the_picture(left: Path) -> None:
    nested: object = 1
    for _ in range(900):
        nested = [nested]
    document = painted()
    document.insert("AI", AiLayer("deep", recipe=Recipe("sdedit", {"x": nested})))  # type: ignore[dict-item]
    document.extras = {"exif": b"1", "odd": object()}
    record(left, document)
    back = load_left(left)
    assert np.array_equal(picture(back), picture(document))
    assert back.extras == {"exif": b"1"}
    assert back.note == "This could not be recorded: the metadata 'odd', the recipe of 'deep'."


def test_one_surprise_does_not_end_the_record(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = painted()
    journal = Journal(left, document, period=0.01)
    assert journal.flush(10)

    def surprise(*_: object) -> None:
        raise ZeroDivisionError("odd")

    with monkeypatch.context() as patch:
        patch.setattr(journals, "take_snapshot", surprise)
        paint_dot(document)
        with pytest.raises(ZeroDivisionError):
            journal.flush(10)
        wait_until(lambda: "ZeroDivisionError: odd" in journal.problem)
    wait_until(lambda: not journal.problem)
    assert journal.flush(10)
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    journal = Journal(tmp_path / "home" / "autosave", painted())
    assert not journal.flush(10)
    assert "cannot be recorded: Not a directory" in journal.problem
    (tmp_path / "home").unlink()
    assert journal.flush(10), "it is tried again"
    assert not journal.problem
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_full_disk_keeps_the_good_journal_and_goes_on_when_there_is_room(left: Path) -> None:
    document = painted()
    journal = Journal(left, document)
    assert journal.flush(10)
    assert journal._file is not None
    good = picture(document)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The file may grow by a little more, so that a record is torn in the middle.
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal._file.size + 1000, hard))
        document.insert("New", Layer("more", tiles=Tiles.of(NOISE[:300, :300])))
        assert not journal.flush(10)
        assert "File too large" in journal.problem
        copy = left.with_name("copy")
        shutil.copytree(left, copy)
        assert np.array_equal(picture(load_left(copy)), good)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert journal.flush(10)
    assert not journal.problem
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


def test_a_folder_that_somebody_cleared_away_is_made_again(left: Path) -> None:
    document = painted()
    journal = Journal(left, document)
    assert journal.flush(10)
    shutil.rmtree(left)
    paint_dot(document)
    assert journal.flush(10)
    abandon(journal)
    assert np.array_equal(picture(load_left(left)), picture(document))


PAINTING = """
import sys, time
from pathlib import Path
import numpy as np
from core.paint.document import Document
from core.geometry import Size
from core.files.journal import Journal
from core.files.journal_file import Base
from core.paint.layers import Layer
document = Document(Size(4000, 300))
document.insert("New", Layer("ink"))
journal = Journal(Path(sys.argv[1]), document)
dot = np.full((20, 20), 255, np.uint8)
with document.paint(document.state.active, "Stroke") as painting:
    for step in range(10_000):
        painting.blend(dot, step, 100, (255, 0, 0, 255))
        assert journal.flush(10)
        print(step, flush=True)
"""


def test_a_kill_in_the_middle_of_a_stroke_loses_what_was_not_flushed(left: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PAINTING, str(left)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) > 20:
            break
    os.kill(child.pid, signal.SIGKILL)
    rest = [int(line) for line in child.stdout if line.strip()]
    child.wait()
    child.stdout.close()
    last = rest[-1] if rest else 21
    shown = picture(load_left(left))
    assert int(np.flatnonzero(shown[110, :, 3])[-1]) >= last + 19
