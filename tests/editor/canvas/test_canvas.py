"""The canvas widget, with real events and the pixels that it paints."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.layers import AiLayer
from core.paint.selection import Selection
from editor.canvas.canvas import Canvas
from editor.canvas.view_transform import ViewTransform
from tests.editor.canvas.canvas_pixels import RED, alpha_at, grab_screen, ink_layer
from tests.editor.input_events import Mouse, Pen, press_key

pytestmark = pytest.mark.gui


# Painting


def test_a_drag_paints_under_the_pointer_and_is_one_entry(canvas: Canvas) -> None:
    Mouse(canvas).drag((100, 100), (150, 100), (200, 100))
    assert alpha_at(canvas, 100, 50) == 255
    assert alpha_at(canvas, 100, 70) == 0
    assert [edit.label for edit in canvas.document.history.done] == ["Brush stroke"]
    assert not canvas.is_gesturing


def test_what_is_painted_is_shown_before_the_release(canvas: Canvas) -> None:
    mouse = Mouse(canvas)
    mouse.press((100, 100))
    mouse.move((150, 100))
    QApplication.processEvents()
    assert grab_screen(canvas)[100, 120].tolist() == list(RED[:3])
    mouse.release((150, 100))


def test_ink_is_timed_from_the_event_to_its_paint(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.inked) as caught:
        Mouse(canvas).drag((100, 100), (150, 100))
    assert caught.args is not None
    assert 0 < caught.args[0] < 1000


def test_moving_the_view_is_no_ink(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(canvas.inked):
        Mouse(canvas).move((60, 60))
        canvas.zoom_by(1)
        QApplication.processEvents()


def test_many_events_are_all_used_and_painted_once(canvas: Canvas) -> None:
    class Counter:
        count = 0

        def paint(self, painter: QPainter, view: ViewTransform) -> None:
            self.count += 1

    counter = Counter()
    canvas.overlays.append(counter)
    mouse = Mouse(canvas)
    mouse.press((100, 100))
    QApplication.processEvents()
    counter.count = 0
    turns = np.linspace(0, 2 * np.pi, 200)
    for turn in turns:
        mouse.move((200 + 80 * float(np.cos(turn)), 200 + 80 * float(np.sin(turn))))
    QApplication.processEvents()
    assert counter.count == 1
    for turn in turns:
        x, y = 150 + 80 * np.cos(turn), 150 + 80 * np.sin(turn)
        assert alpha_at(canvas, round(x), round(y)) == 255
    mouse.release((200, 200))


def test_escape_takes_a_stroke_back(canvas: Canvas) -> None:
    before = canvas.document.root
    mouse = Mouse(canvas)
    mouse.press((100, 100))
    mouse.move((200, 100))
    press_key(canvas, Qt.Key.Key_Escape)
    assert canvas.document.root is before
    assert not canvas.is_gesturing
    mouse.move((300, 100))
    mouse.release((300, 100))
    assert canvas.document.root is before
    assert not canvas.document.history.done
    assert (grab_screen(canvas)[100, 120] == 255).all()


def test_a_hidden_layer_gives_a_sentence_and_no_stroke(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.document.replace("Hide", replace(ink_layer(canvas), visible=False))
    with qtbot.waitSignal(canvas.failed) as caught:
        Mouse(canvas).drag((100, 100), (150, 100))
    assert caught.args == ["ink cannot be painted on: it is hidden, show it first."]
    assert not canvas.is_gesturing
    assert not canvas.document.is_editing


def test_another_document_ends_the_stroke_on_the_old_one(canvas: Canvas) -> None:
    old, before = canvas.document, canvas.document.root
    Mouse(canvas).press((100, 100))
    canvas.studio.open(Document(Size(50, 40)))
    assert old.root is before
    assert not old.is_editing
    assert canvas.document.size == Size(50, 40)
    Mouse(canvas).move((120, 100))


def test_the_eyedropper_chooses_the_colour(canvas: Canvas) -> None:
    canvas.studio.choose(tool="eyedropper")
    Mouse(canvas).drag((100, 100))
    assert canvas.studio.choices.foreground == (255, 255, 255, 255)
    Mouse(canvas, keys=Qt.KeyboardModifier.AltModifier).drag((100, 100))
    assert canvas.studio.choices.background == (255, 255, 255, 255)


def test_a_lasso_is_sketched_then_selected(canvas: Canvas) -> None:
    canvas.studio.choose(tool="lasso-select")
    blank = grab_screen(canvas)
    mouse = Mouse(canvas)
    mouse.press((100, 100))
    for place in ((200, 100), (200, 200)):
        mouse.move(place)
    sketched = grab_screen(canvas)
    assert (sketched[100, 110:190] != blank[100, 110:190]).any()
    mouse.release((100, 200))
    assert (canvas.document.selection.bounds & Rect(60, 60, 80, 80)) == Rect(60, 60, 80, 80)
    shown = grab_screen(canvas)
    canvas.document.select(Selection())
    assert (shown[120:180, 98:103] != blank[120:180, 98:103]).any()
    assert np.array_equal(grab_screen(canvas)[120:180, 90:120], blank[120:180, 90:120])


# The pen


def test_pressure_reaches_the_brush(canvas: Canvas) -> None:
    pen = Pen(canvas)
    pen.press((100, 100), 0.2)
    pen.move((300, 100), 1.0)
    pen.release((300, 100))
    widths = [
        (ink_layer(canvas).tiles.read(Rect(x, 0, 1, 100))[..., 3] > 127).sum() for x in (60, 240)
    ]
    assert widths[0] == pytest.approx(20 * 0.25, abs=2)
    assert widths[1] == pytest.approx(20 * 0.95, abs=2)
    assert len(canvas.document.history.done) == 1


def test_a_pen_that_cannot_tell_its_pressure_paints(canvas: Canvas) -> None:
    before = grab_screen(canvas)
    pen = Pen(canvas, has_pressure=False)
    pen.press((150, 150), 0.0)
    pen.move((250, 150), 0.0)
    pen.release((250, 150))
    assert (grab_screen(canvas)[150, 160:240] != before[150, 160:240]).any()


def test_the_other_end_of_the_pen_erases(canvas: Canvas) -> None:
    Mouse(canvas).drag((100, 100), (300, 100))
    pen = Pen(canvas, is_eraser=True)
    pen.press((200, 100), 1.0)
    pen.release((200, 100))
    assert alpha_at(canvas, 150, 50) == 0
    assert alpha_at(canvas, 100, 50) == 255
    assert canvas.studio.choices.tool == "brush"


# AI layers


def test_a_region_is_tinted_while_painted_and_until_something_shows(canvas: Canvas) -> None:
    canvas.studio.choose(tool="ai-brush")
    blank = grab_screen(canvas)
    mouse = Mouse(canvas)
    mouse.press((150, 150))
    mouse.move((250, 150))
    tinted = grab_screen(canvas)[150, 200]
    assert tinted.tolist() == pytest.approx([243, 219, 188], abs=2), "40 % amber over white"
    mouse.release((250, 150))
    assert np.array_equal(grab_screen(canvas)[150, 200], tinted)
    layer = canvas.document.active
    assert isinstance(layer, AiLayer)
    canvas.document.amend(
        canvas.document.root, lambda root: replace(root, children=_with_results(root.children))
    )
    Mouse(canvas).move((10, 10))
    assert np.array_equal(grab_screen(canvas)[150, 200], blank[150, 200])


def _with_results(nodes: Any) -> Any:
    return tuple(replace(n, rendered="key") if isinstance(n, AiLayer) else n for n in nodes)


def test_undo_and_escape_take_the_tint_along(canvas: Canvas) -> None:
    canvas.studio.choose(tool="ai-brush")
    blank = grab_screen(canvas)
    Mouse(canvas).drag((150, 150), (250, 150))
    canvas.document.undo()
    Mouse(canvas).move((10, 10))
    assert np.array_equal(grab_screen(canvas)[100:200, 100:300], blank[100:200, 100:300])
    mouse = Mouse(canvas)
    mouse.press((150, 150))
    mouse.move((250, 150))
    press_key(canvas, Qt.Key.Key_Escape)
    mouse.move((10, 10))
    assert np.array_equal(grab_screen(canvas)[100:200, 100:300], blank[100:200, 100:300])


def test_the_context_of_a_gesture_can_be_completed(canvas: Canvas) -> None:
    stroked: list[str] = []
    canvas.studio.choose(tool="ai-brush")
    canvas.prepare = lambda context: replace(context, stroked=stroked.append)
    Mouse(canvas).drag((150, 150), (250, 150))
    assert canvas.document.active is not None
    assert stroked == [canvas.document.active.id]


def test_time_passes_for_a_resting_pen(canvas: Canvas, qtbot: QtBot) -> None:
    stroked: list[str] = []
    canvas.studio.choose(tool="ai-brush")
    canvas.prepare = lambda context: replace(context, stroked=stroked.append)
    mouse = Mouse(canvas)
    mouse.press((150, 150))
    mouse.move((250, 150))
    qtbot.waitUntil(lambda: bool(stroked), timeout=3000)
    assert canvas.document.is_editing
    mouse.release((250, 150))


def test_a_screen_reader_finds_it(canvas: Canvas) -> None:
    assert canvas.accessibleName() == "Canvas"
    assert "paint here" in canvas.accessibleDescription()


def test_a_moved_layer_is_painted_on_where_the_pen_is(canvas: Canvas) -> None:
    canvas.document.replace("Move", replace(ink_layer(canvas), position=Point(-37, 12)))
    Mouse(canvas).drag((150, 150), (151, 150))
    assert grab_screen(canvas)[150, 150].tolist() == list(RED[:3])
