"""The model box: its entries, its signal, and how a missing model is shown."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from core.params import ModelName
from core.settings import models_folder
from core.storybook.random_model import build_random
from editor.panels.ai import AiPanel
from editor.widgets.chooser import ID_ROLE
from editor.widgets.model_box import FILE, FOLDER, ModelBox
from tests.editor.app_window import window

MARKER = ModelName("Judge", "Who decides.", "Nobody")


@pytest.fixture
def box(qtbot: QtBot) -> ModelBox:
    made = ModelBox(MARKER, "", "Judge")
    qtbot.addWidget(made)
    made.resize(200, 28)
    made.show()
    return made


@pytest.fixture
def changes(box: ModelBox) -> list[str]:
    names: list[str] = []
    box.changed.connect(names.append)
    return names


def ids(box: ModelBox) -> list[str]:
    return [box.itemData(row, ID_ROLE) for row in range(box.count())]


def pick(box: ModelBox, name: str) -> None:
    """Choose an entry of the open list by its row."""
    box.setCurrentIndex(ids(box).index(name))
    box.activated.emit(box.currentIndex())


def answer_dialogs(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Both dialogs of the system give one path, or nothing when they are cancelled."""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (path, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: path)


def test_none_is_first_and_other_places_are_last(box: ModelBox) -> None:
    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oil.safetensors").write_bytes(b"")
    box.show_name("toy")
    own = str(folder / "oil.safetensors")
    assert ids(box) == ["", "storybook", "toy", own, FILE, FOLDER]
    assert box.itemText(0) == "Nobody"
    assert box.accessibleName() == "Judge"


def test_a_choice_is_emitted_once(box: ModelBox, changes: list[str]) -> None:
    pick(box, "toy")
    pick(box, "toy")
    pick(box, "")
    assert changes == ["toy", ""]
    assert box.currentText() == "Nobody"


def test_arrows_walk_the_list(box: ModelBox, changes: list[str]) -> None:
    box.setFocus()
    box.show_name("toy")
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert changes == ["storybook"]


def test_showing_emits_nothing(box: ModelBox, changes: list[str]) -> None:
    for name in ("storybook", "/models/gone", ""):
        box.show_name(name)
    assert changes == []
    assert box.toolTip() == "Who decides."


@pytest.mark.parametrize("way", [FILE, FOLDER])
def test_a_model_from_elsewhere(
    box: ModelBox, changes: list[str], way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = str(build_random(tmp_path / "oil"))
    answer_dialogs(monkeypatch, home)
    pick(box, way)
    assert changes == [home]
    assert (box.currentText(), box.toolTip()) == ("oil", home)
    answer_dialogs(monkeypatch, "")
    pick(box, way)
    assert changes == [home], "cancelled"
    assert (box.currentText(), box.name) == ("oil", home)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("/models/oil.safetensors", "Gone: oil", "does not exist; was it moved?"),
        ("/" + "x" * 300, "Gone: " + "x" * 300, "does not exist"),
        ("HERE/weights.ckpt", "Not usable: weights", "is a pickle"),
        ("HERE", "Not usable: HERE", "is no model that Sfumato knows"),
        ("odd", "Not usable: odd", "There is no model called 'odd'"),
    ],
)
def test_a_model_that_cannot_be_used_says_so(
    box: ModelBox, name: str, text: str, why: str, tmp_path: Path
) -> None:
    here = tmp_path / "HERE"
    here.mkdir()
    (here / "weights.ckpt").write_bytes(b"")
    box.show_name(name.replace("HERE", str(here), 1))
    assert box.currentText() == text
    assert why in box.toolTip()
    assert box.shown_text()[:4] == text[:4]
    box.show_name("")
    assert len(ids(box)) == 5


def test_the_dock_gives_the_second_model_to_the_recipe(qapp: QApplication) -> None:
    with window() as app:
        panel: Any = app.window.docks["ai"].widget()
        assert isinstance(panel, AiPanel)
        panel.choices.technique.emit("superdiff")
        qapp.processEvents()
        box = panel.findChild(ModelBox)
        assert isinstance(box, ModelBox)
        assert box.currentText() == "The same model"
        pick(box, "storybook")
        assert app.session.ai.current_recipe.shown.params["second_model"] == "storybook"
        assert app.session.ai.current_recipe.shown.model == "toy"
        qapp.processEvents()
        assert box.currentText() == "Storybook"
