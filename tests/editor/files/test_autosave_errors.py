"""Nothing ends autosave; a problem is told once, and nothing is called kept that is not."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core import settings
from core.files import journal as journals
from core.files.recovery import find_recoverable
from core.formats.opening import open_document, save_document
from core.geometry import Size
from core.paint.flatten import flatten
from core.paint.layers import AiLayer
from core.task import Recipe
from editor.app import App
from editor.commands.document_edits import new_document
from editor.files.crash_handler import CrashHandler
from tests.editor.app_window import window
from tests.editor.workshop import gradient

pytestmark = pytest.mark.gui


@pytest.fixture
def app(qapp: object) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(40, 30), (255, 255, 255, 255)))
        yield made


@pytest.fixture
def told(app: App) -> list[str]:
    sentences: list[str] = []
    app.session.told.connect(lambda message: sentences.append(message.sentence))
    return sentences


def add_layer(app: App) -> None:
    app.session.actions.run("layer-new")


def test_a_surprise_is_told_once_and_ends_nothing(
    app: App, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprise(*_: object) -> None:
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(journals, "take_snapshot", surprise)
        for _ in range(5):
            add_layer(app)
            app.autosave._tick()
    assert [text for text in told if "cannot be recorded" in text] == [
        "Unsaved work cannot be recorded: RecursionError. Save your picture to be safe."
    ]
    app.autosave._tick()
    assert app.autosave.flush(10)
    app.session.studio.open(gradient())
    assert app.autosave.flush(10), "later documents are recorded too"


def test_a_value_nested_900_deep_is_recorded_without_it(app: App, told: list[str]) -> None:
    nested: object = 1
    for _ in range(900):
        nested = {"x": nested}
    deep = AiLayer("deep", recipe=Recipe("sdedit", {"x": nested}))  # type: ignore[dict-item]
    app.session.studio.document.insert("AI", deep)
    app.autosave._tick()
    assert app.autosave.flush(10)
    assert not told


def test_a_folder_that_cannot_be_written_is_told_once_and_tried_again(
    app: App, told: list[str]
) -> None:
    folder = settings.folders().autosave
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    for _ in range(4):
        add_layer(app)
        assert not app.autosave.flush(5)
        app.autosave._tick()
    assert len(told) == 1
    assert "cannot be recorded" in told[0]
    folder.unlink()
    assert app.autosave.flush(10)
    app.autosave._tick()
    assert len(told) == 1


@pytest.mark.parametrize("is_recorded", [True, False])
def test_kept_is_said_only_of_what_is(app: App, told: list[str], is_recorded: bool) -> None:
    folder = settings.folders().autosave
    if not is_recorded:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("in the way")
    handler = CrashHandler(app.session, app.autosave.flush)
    try:
        for _ in range(3):
            raise_in_a_slot()
    finally:
        handler.release()
    assert len(told) == 1, "the same error is told once"
    assert ("Your work is kept" in told[0]) is is_recorded
    assert ("is not recorded: save it under a new name now" in told[0]) is not is_recorded


def raise_in_a_slot() -> None:
    try:
        raise ZeroDivisionError("a fault of ours")
    except ZeroDivisionError:
        sys.excepthook(*sys.exc_info())


def test_a_log_that_cannot_be_written_stops_nothing(app: App) -> None:
    log = settings.folders().log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("in the way")
    CrashHandler(app.session, app.autosave.flush).release()


# The journal and the file


def test_save_as_goes_on_with_the_same_journal(app: App, tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    save_document(gradient(), path)
    assert app.files.open_path(path)
    assert app.autosave.flush(10)
    assert app.autosave.journal is not None
    before = app.autosave.journal.folder
    assert app.files.save_to(tmp_path / "b.ora")
    app.files.background.wait()
    add_layer(app)
    assert app.autosave.flush(10)
    assert app.autosave.journal.folder == before
    app.autosave._timer.stop()
    app.autosave.journal.close(clean=False)
    (found,) = find_recoverable(settings.folders().autosave)
    assert found.original == tmp_path / "b.ora"
    found.let_go()


def test_recovered_work_keeps_its_metadata_and_takes_the_lock(app: App, tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    save_document(gradient(), path)
    assert app.files.open_path(path)
    document = app.session.studio.document
    document.extras = {"exif": b"Exif\0\0", "dpi": (300.0, 300.0)}
    add_layer(app)
    shown = flatten(document.root, document.bounds)
    assert app.autosave.flush(10)
    assert app.autosave.journal is not None
    app.autosave.journal.close(clean=False)
    app.autosave._journal = None
    document.saved = document.state
    app.session.studio.open(new_document(Size(40, 30), None))
    app.files._release()
    (found,) = find_recoverable(settings.folders().autosave)
    app.session.studio.document.saved = app.session.studio.document.state
    back = found.load(open_document)
    assert app.autosave.recover(found, back)
    assert app.session.studio.document is back
    assert (back.path, back.extras) == (path, document.extras)
    assert np.array_equal(flatten(back.root, back.bounds), shown)
    assert back.is_modified
    assert app.files.lock is not None
    assert app.files.lock.path == path
    assert not found.folder.exists(), "what it came from goes once it is recorded anew"


def test_work_that_cannot_be_recorded_anew_keeps_its_record(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.session.studio.open(gradient())
    add_layer(app)
    assert app.autosave.flush(10)
    assert app.autosave.journal is not None
    app.autosave.journal.close(clean=False)
    app.autosave._journal = None
    (found,) = find_recoverable(settings.folders().autosave)
    document = app.session.studio.document
    document.saved = document.state
    monkeypatch.setattr(app.autosave, "flush", lambda seconds: False)
    assert app.autosave.recover(found, found.load(open_document))
    assert found.folder.exists()
