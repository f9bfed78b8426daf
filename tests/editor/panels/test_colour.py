"""The Colour dock shows the foreground colour and changes it."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from core.geometry import Size
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.colour import ColourPanel
from tests.editor.app_window import window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(200, 100), (255, 255, 255, 255)))
        yield made


def test_the_colour_dock_follows_and_leads(app: App) -> None:
    panel = app.window.docks["colour"].widget()
    assert isinstance(panel, ColourPanel)
    app.session.studio.choose(foreground=(10, 200, 30, 255))
    assert panel.hex.text() == "#0ac81e"
    panel.hex.setText("3366ff")
    panel._on_typed()
    assert app.session.studio.choices.foreground == (51, 102, 255, 255)
    panel.hex.setText("nonsense")
    panel._on_typed()
    assert panel.hex.text() == "#3366ff"
    QTest.mouseClick(panel.square, LEFT, pos=QPoint(1, 1))
    picked = app.session.studio.choices.foreground
    assert min(picked) > 240
    app.session.actions.run("swap")
    assert app.session.studio.choices.background == picked
