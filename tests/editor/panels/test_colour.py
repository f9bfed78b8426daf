"""The Colour dock shows the foreground colour and changes it."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.geometry import Size
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.colour import ColourPanel
from editor.widgets.swatch import Swatch
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
    panel.hex.finish()
    assert app.session.studio.choices.foreground == (51, 102, 255, 255)
    panel.hex.setText("nonsense")
    panel.hex.finish()
    assert panel.hex.text() == "#3366ff"
    QTest.mouseClick(panel.square, LEFT, pos=QPoint(1, 1))
    picked = app.session.studio.choices.foreground
    assert min(picked) > 240
    app.session.actions.run("swap")
    assert app.session.studio.choices.background == picked


class Repaints(QObject):
    """Counts how often a widget is painted anew."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self.count += event.type() is QEvent.Type.Paint
        return False


def test_the_swatch_in_the_toolbox_follows_the_hex_field(app: App) -> None:
    panel = app.window.docks["colour"].widget()
    swatch = app.window.toolbox.findChild(Swatch)
    assert isinstance(panel, ColourPanel)
    assert isinstance(swatch, Swatch)
    QApplication.processEvents()
    repaints = Repaints(swatch)
    panel.hex.setFocus()
    panel.hex.selectAll()
    QTest.keyClicks(panel.hex, " #FF8800 ")
    QTest.keyClick(panel.hex, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert app.session.studio.choices.foreground == (255, 136, 0, 255)
    assert repaints.count == 1
    assert swatch.grab().toImage().pixelColor(8, 8).name() == "#ff8800"
    assert app.session.canvas.hasFocus()
