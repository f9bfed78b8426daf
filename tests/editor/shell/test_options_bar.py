"""The options bar and the Brush dock: every brush, every dial, as much as there is room for."""

from collections.abc import Iterator
from dataclasses import fields

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit
from pytestqt.qtbot import QtBot

from core import settings
from core.catalog import brushes, params_of
from core.geometry import Size
from core.paint.flatten import flatten
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.brush import BrushPanel
from editor.widgets.slider import NumberSlider
from tests.editor.app_window import window
from tests.editor.input_events import Mouse, press_key, release_key

LEFT, ALT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier
STROKE = [(100.0, 100.0), (150.0, 100.0)]
"""In document pixels."""


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.window.resize(1280, 720)
        made.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
        QApplication.processEvents()
        yield made


def panel_of(app: App) -> BrushPanel:
    app.window.show_dock("brush")
    QApplication.processEvents()
    return app.window.panel(BrushPanel)


def on_screen(app: App) -> list[tuple[float, float]]:
    return [app.session.canvas.view.to_screen(*spot) for spot in STROKE]


def ink(app: App) -> int:
    """How many pixels are not white."""
    document = app.session.studio.document
    return int((flatten(document.root, document.bounds)[..., 0] < 128).sum())


def test_each_brush_can_be_chosen_and_paints_its_own_stroke(app: App) -> None:
    studio, panel = app.session.studio, panel_of(app)
    assert {"round", "pencil", "chisel"} <= set(brushes.ids())
    strokes = set()
    for row in range(panel.list.count()):
        studio.choose(tool="hand")
        item = panel.list.item(row)
        at = panel.list.visualItemRect(item).center()
        QTest.mouseClick(panel.list.viewport(), LEFT, pos=at)
        assert studio.choices.brush == item.data(Qt.ItemDataRole.UserRole)
        assert studio.choices.tool == "brush"
        assert app.window.options.brush.currentText() == item.text()
        assert app.session.canvas.hasFocus()
        Mouse(app.session.canvas).drag(*on_screen(app))
        strokes.add(ink(app))
        app.session.actions.run("undo")
    assert len(strokes) == panel.list.count()
    assert 0 not in strokes


def test_the_chooser_in_the_bar_chooses(app: App) -> None:
    chooser = app.window.options.brush
    assert chooser.isVisible()
    chooser.setCurrentIndex(chooser.findText("Chisel nib"))
    chooser.activated.emit(chooser.currentIndex())
    assert app.session.studio.choices.brush == "chisel"
    assert app.session.canvas.hasFocus()
    app.session.studio.choose(tool="hand")
    QApplication.processEvents()
    assert not chooser.isVisible()


def test_the_dock_has_every_dial_of_brush_and_tool(app: App) -> None:
    studio, panel = app.session.studio, panel_of(app)
    for kind in brushes:
        studio.choose_brush(kind.id)
        names = {field.name for field in fields(params_of(kind))}
        assert set(panel.forms[0].fields) == names
        assert set(panel.forms[1].fields) == {"opacity"}
    studio.choose_brush("round")
    switch = panel.forms[0].fields["pressure_size"]
    assert isinstance(switch, QCheckBox)
    assert switch.isChecked()
    switch.click()
    assert not studio.brush_params.pressure_size


def test_bar_dock_and_keys_show_the_same_values(app: App) -> None:
    panel = panel_of(app)
    sliders = app.window.options.findChildren(NumberSlider)
    size = next(slider for slider in sliders if slider.label == "Size")
    app.session.actions.run("larger")
    in_dock = panel.forms[0].fields["size"]
    assert isinstance(in_dock, NumberSlider)
    assert size.value == in_dock.value == app.session.studio.brush_params.size > 24
    in_dock.set_value(90, notify=True)
    assert size.value == app.session.studio.brush_params.size == 90


@pytest.mark.parametrize("width", [900, 1280, 1600])
def test_the_bar_shows_what_there_is_room_for(app: App, width: int) -> None:
    app.window.resize(width, 720)
    QApplication.processEvents()
    shown = [dial for dial in app.window.options.dials.widgets if dial.isVisible()]
    assert shown[0].accessibleName() == "Size"
    right = max(dial.geometry().right() for dial in shown)
    assert right <= app.window.options.dials.width()
    assert app.window.options.width() <= app.window.width()
    app.session.studio.choose(tool="ai-brush")
    QApplication.processEvents()
    lines = app.window.options.findChildren(QLineEdit)
    prompt = next(line for line in lines if line.accessibleName() == "Prompt")
    assert prompt.isVisible()
    assert prompt.geometry().right() <= app.window.width()


def test_alt_picks_a_colour_and_the_pointer_says_so(app: App) -> None:
    canvas, studio = app.session.canvas, app.session.studio
    document = studio.document
    before = document.state
    canvas.setFocus()
    press_key(canvas, Qt.Key.Key_Alt, ALT)
    assert canvas.cursor().shape() is Qt.CursorShape.BitmapCursor
    Mouse(canvas, keys=ALT).drag(*on_screen(app))
    release_key(canvas, Qt.Key.Key_Alt)
    assert canvas.cursor().shape() is Qt.CursorShape.CrossCursor
    assert studio.choices.foreground == (255, 255, 255, 255)
    assert document.state is before


def test_tool_brush_and_dials_return_at_the_next_start(app: App) -> None:
    studio = app.session.studio
    studio.choose_brush("chisel")
    studio.set_brush_params(type(studio.brush_params)(size=77.0, angle=10.0))
    studio.choose(tool="eraser")
    app.close()
    with window(settings.load().settings) as again:
        now = again.session.studio
        assert (now.choices.tool, now.choices.brush) == ("eraser", "chisel")
        assert (now.brush_params.size, now.brush_params.angle) == (77.0, 10.0)
        assert again.window.options.brush.currentText() == "Chisel nib"
        assert again.window.toolbox.buttons["eraser"].isChecked()
