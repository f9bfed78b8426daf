"""Keys after something was typed, and keys from wherever the focus is."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.geometry import Size
from core.paint.layers import AiLayer
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.ai import AiPanel
from editor.panels.colour import ColourPanel
from editor.panels.layers import LayersPanel
from editor.widgets.entry import EntryField
from editor.widgets.slider import NumberSlider
from tests.editor.app_window import window

LEFT, PLAIN, CONTROL = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.window.activateWindow()
        made.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
        QApplication.processEvents()
        yield made


def type_size(app: App, text: str) -> NumberSlider:
    """Click the size in the options bar and type another one, as yet without Enter."""
    slider = next(s for s in app.window.options.findChildren(NumberSlider) if s.label == "Size")
    QTest.mouseClick(slider, LEFT, pos=QPoint(slider.width() - 10, 10))
    field = slider.findChild(EntryField)
    assert isinstance(field, EntryField)
    assert field.hasFocus()
    QTest.keyClicks(field, text)
    return slider


def press(key: Qt.Key, keys: Qt.KeyboardModifier = PLAIN) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, key, keys)


def test_keys_work_again_after_a_typed_value(app: App) -> None:
    studio = app.session.studio
    type_size(app, "60")
    press(Qt.Key.Key_Return)
    assert app.session.canvas.hasFocus()
    assert studio.brush_params.size == 60
    studio.choose(foreground=(255, 0, 0, 255))
    press(Qt.Key.Key_X)
    assert studio.choices.background == (255, 0, 0, 255)
    press(Qt.Key.Key_D)
    assert studio.choices.foreground == (0, 0, 0, 255)
    press(Qt.Key.Key_BracketRight)
    assert studio.brush_params.size > 60


def focusable(app: App) -> dict[str, QWidget]:
    """Where the focus may be, by a name."""
    panel = app.window.panel(AiPanel)
    return {
        "canvas": app.session.canvas,
        "prompt": panel.prompts.prompt,
        "seed": panel.seed.field,
        "layers": app.window.panel(LayersPanel).tree,
        "hex": app.window.panel(ColourPanel).hex,
        "toolbox": app.window.toolbox,
    }


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_control_return_runs_from_anywhere(
    app: App, key: Qt.Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []
    monkeypatch.setattr(app.session.jobs, "enqueue", lambda layer, **_: runs.append(layer))
    app.session.actions.run("select-all")
    for place, widget in focusable(app).items():
        widget.setFocus()
        press(key, CONTROL)
        assert len(runs) == 1, f"from {place}: without an AI layer one is made"
        assert isinstance(app.session.studio.document.active, AiLayer)
        widget.setFocus()
        press(key, CONTROL)
        assert runs == [runs[0]] * 2, f"from {place}: the layer runs again"
        app.session.actions.run("undo")
        runs.clear()


def test_control_return_takes_what_is_being_typed(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.session.jobs, "enqueue", lambda layer, **_: None)
    app.session.actions.run("select-all")
    app.session.actions.run("ai-run")
    field = app.window.panel(AiPanel).seed.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "4711")
    press(Qt.Key.Key_Return, CONTROL)
    layer = app.session.studio.document.active
    assert isinstance(layer, AiLayer)
    assert layer.recipe.seed == 4711


def test_without_a_region_control_return_says_what_to_do(app: App) -> None:
    press(Qt.Key.Key_Return, CONTROL)
    assert "Paint with the AI brush" in app.window.message_bar.sentence.text()
