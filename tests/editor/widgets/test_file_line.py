"""The line of a file: choosing, dropping and taking away, by real clicks and drops."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from core.params import File, PictureFile
from editor.panels.ai import AiPanel
from editor.widgets.file_line import NONE, FileLine
from tests.editor.app_window import window

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
COPY = Qt.DropAction.CopyAction
LONG = "/pictures/a very long name that no dock has the room for, painted in May.png"


@pytest.fixture
def line(qtbot: QtBot) -> FileLine:
    made = FileLine(PictureFile("Sky"), "", "Sky")
    qtbot.addWidget(made)
    made.resize(240, 30)
    made.show()
    return made


@pytest.fixture
def changes(line: FileLine) -> list[str]:
    paths: list[str] = []
    line.changed.connect(paths.append)
    return paths


def drop_files(widget: QWidget, *paths: str) -> bool:
    """Drag files over a widget and let go, where it takes them; whether it did."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    enter = QDragEnterEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY)
    # An event that comes from Python is accepted before anybody has looked at it.
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY))
    return enter.isAccepted()


@pytest.fixture
def dialog_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the system's dialog was given; it answers once, and is cancelled then."""
    calls: list[tuple[str, ...]] = []

    def answer(_: QWidget, *given: str) -> tuple[str, str]:
        calls.append(given)
        return "/pictures/dawn.png" if len(calls) == 1 else "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    return calls


def test_a_file_is_chosen_in_the_systems_dialog(
    line: FileLine, changes: list[str], dialog_calls: list[tuple[str, ...]]
) -> None:
    assert line.name.text() == NONE
    QTest.mouseClick(line.choose, LEFT)
    assert changes == [line.path] == ["/pictures/dawn.png"]
    assert (line.name.text(), line.name.toolTip()) == ("dawn.png", "/pictures/dawn.png")
    QTest.mouseClick(line.choose, LEFT)
    assert changes == ["/pictures/dawn.png"], "cancelled"
    (title, start, kinds), (_, again, _) = dialog_calls
    assert (title, start, again) == ("Sky", "", "/pictures")
    assert "*.jpg" in kinds
    assert "*.png" in kinds


def test_a_file_is_taken_away(line: FileLine, changes: list[str]) -> None:
    assert not line.clear.isEnabled()
    line.show_path("/pictures/dawn.png")
    assert changes == []
    QTest.mouseClick(line.clear, LEFT)
    assert changes == [""]
    assert (line.path, line.name.text(), line.name.toolTip()) == ("", NONE, "")
    assert not line.clear.isEnabled()


def test_a_picture_is_dropped_on_it(line: FileLine, changes: list[str]) -> None:
    assert not drop_files(line, "/pictures/notes.txt")
    assert drop_files(line, "/pictures/notes.txt", "/pictures/Dawn.JPG", "/pictures/dusk.png")
    assert changes == ["/pictures/Dawn.JPG"]
    assert drop_files(line, "/pictures/Dawn.JPG")
    assert len(changes) == 1, "it was there already"


def test_other_kinds_of_files_have_other_endings(qtbot: QtBot) -> None:
    made = FileLine(File("Weights", kinds=(".safetensors",)), "", "Weights")
    qtbot.addWidget(made)
    assert not drop_files(made, "/pictures/dawn.png")
    assert drop_files(made, "/models/dawn.safetensors")


def test_a_long_name_is_shortened_as_far_as_there_is_room(line: FileLine) -> None:
    line.show_path(LONG)
    short = line.name.text()
    assert "…" in short
    assert short[0] == "a"
    assert short.endswith("g")
    assert line.name.fontMetrics().horizontalAdvance(short) <= line.name.width()
    assert line.minimumSizeHint().width() < 200
    line.resize(900, 30)
    assert line.name.text() == Path(LONG).name


def test_every_part_has_a_name_for_those_who_cannot_see(line: FileLine) -> None:
    line.show_path(LONG)
    parts = (line.name, line.choose, line.clear)
    names = [part.accessibleName() for part in parts]
    assert names == [Path(LONG).name, "Choose Sky", "Take away Sky"]


def test_the_dock_gives_a_dropped_picture_to_the_recipe(qapp: QApplication, tmp_path: Path) -> None:
    with window() as app:
        panel = app.window.docks["ai"].widget()
        assert isinstance(panel, AiPanel)
        panel.choices.technique.emit("morph")
        qapp.processEvents()
        line = panel.findChild(FileLine)
        assert isinstance(line, FileLine)
        assert drop_files(line, str(tmp_path / "sea.png"))
        assert app.session.ai.current_recipe.shown.params["picture"] == str(tmp_path / "sea.png")
