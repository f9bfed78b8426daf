"""The canvas widget, driven by real events and judged by the pixels it paints."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core import catalog
from core.brushes.round import Round
from core.composite import flatten
from core.document import Document
from core.geometry import Point, Rect, Size
from core.layers import AiLayer, Layer
from core.pixels import Tiles
from core.selection import Selection
from editor import canvas_picture
from editor.canvas import Canvas
from editor.studio import Studio
from editor.view import ViewTransform
from tests.core.test_composite import picture
from tests.editor.pointing import (
    MIDDLE,
    Mouse,
    Pen,
    press_key,
    release_key,
    turn_wheel,
)

pytestmark = pytest.mark.gui
catalog.load("tools", "brushes")
RED = (200, 30, 60, 255)
Seen = npt.NDArray[np.int_]


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    """A shown canvas of 500 x 400 over a white picture of 400 x 300 with ink above, at 100 %."""
    document = Document(Size(400, 300))
    document.insert("a", Layer("white", tiles=Tiles.of(np.full((300, 400, 4), 255, np.uint8))))
    document.insert("b", Layer("ink"))
    document.history.clear()
    studio = Studio(document)
    studio.choose(foreground=RED)
    studio.set_brush_params(Round.Params(size=20, hardness=100))
    made = Canvas(studio)
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    made.set_view(ViewTransform(1.0, 50, 50))
    QApplication.processEvents()
    QApplication.sendEvent(made, QEvent(QEvent.Type.Leave))
    return made


def ink(canvas: Canvas) -> Layer:
    layer = canvas.document.active
    assert isinstance(layer, Layer)
    return layer


def alpha(canvas: Canvas, x: int, y: int) -> int:
    return int(ink(canvas).tiles.read(Rect(x, y, 1, 1))[0, 0, 3])


def screen(canvas: Canvas) -> Seen:
    """What the widget shows, height x width x RGB."""
    QApplication.processEvents()
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(int)


# Painting


def test_a_drag_paints_under_the_pointer_and_is_one_entry(canvas: Canvas) -> None:
    Mouse(canvas).drag((100, 100), (150, 100), (200, 100))
    assert alpha(canvas, 100, 50) == 255
    assert alpha(canvas, 100, 70) == 0
    assert [edit.label for edit in canvas.document.history.done] == ["Brush stroke"]
    assert not canvas.is_gesturing


def test_what_is_painted_is_shown_before_the_release(canvas: Canvas) -> None:
    mouse = Mouse(canvas)
    mouse.press((100, 100))
    mouse.move((150, 100))
    QApplication.processEvents()
    assert screen(canvas)[100, 120].tolist() == list(RED[:3])
    mouse.release((150, 100))


def test_ink_is_timed_from_the_event_to_its_paint(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.inked) as caught:
        Mouse(canvas).drag((100, 100), (150, 100))
    assert caught.args is not None
    assert 0 < caught.args[0] < 1000


def test_looking_about_is_no_ink(canvas: Canvas, qtbot: QtBot) -> None:
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
        assert alpha(canvas, round(x), round(y)) == 255
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
    assert (screen(canvas)[100, 120] == 255).all()


def test_a_hidden_layer_gives_a_sentence_and_no_stroke(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.document.replace("Hide", replace(ink(canvas), visible=False))
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
    blank = screen(canvas)
    mouse = Mouse(canvas)
    mouse.press((100, 100))
    for place in ((200, 100), (200, 200)):
        mouse.move(place)
    sketched = screen(canvas)
    assert (sketched[100, 110:190] != blank[100, 110:190]).any()
    mouse.release((100, 200))
    assert canvas.document.selection.bounds.contains(Rect(60, 60, 80, 80))
    shown = screen(canvas)
    canvas.document.select(Selection())
    assert (shown[120:180, 98:103] != blank[120:180, 98:103]).any()
    assert np.array_equal(screen(canvas)[120:180, 90:120], blank[120:180, 90:120])


# The pen


def test_pressure_reaches_the_brush(canvas: Canvas) -> None:
    pen = Pen(canvas)
    pen.press((100, 100), 0.2)
    pen.move((300, 100), 1.0)
    pen.release((300, 100))
    widths = [(ink(canvas).tiles.read(Rect(x, 0, 1, 100))[..., 3] > 127).sum() for x in (60, 240)]
    assert widths[0] == pytest.approx(20 * 0.25, abs=2)
    assert widths[1] == pytest.approx(20 * 0.95, abs=2)
    assert len(canvas.document.history.done) == 1


def test_the_other_end_of_the_pen_erases(canvas: Canvas) -> None:
    Mouse(canvas).drag((100, 100), (300, 100))
    pen = Pen(canvas, is_eraser=True)
    pen.press((200, 100), 1.0)
    pen.release((200, 100))
    assert alpha(canvas, 150, 50) == 0
    assert alpha(canvas, 100, 50) == 255
    assert canvas.studio.choices.tool == "brush"


# The view


def test_space_the_middle_button_and_the_hand_move_the_view(canvas: Canvas) -> None:
    press_key(canvas, Qt.Key.Key_Space)
    Mouse(canvas).drag((100, 100), (130, 90))
    release_key(canvas, Qt.Key.Key_Space)
    assert canvas.view == ViewTransform(1.0, 80, 40)
    Mouse(canvas, MIDDLE).drag((100, 100), (70, 110))
    assert canvas.view == ViewTransform(1.0, 50, 50)
    canvas.studio.choose(tool="hand")
    Mouse(canvas).drag((100, 100), (120, 100), (110, 130))
    assert (canvas.view.x, canvas.view.y) == pytest.approx((60, 80))
    assert not canvas.document.history.done


def test_a_key_held_when_the_focus_left_is_forgotten(canvas: Canvas) -> None:
    press_key(canvas, Qt.Key.Key_Space)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    Mouse(canvas).drag((100, 100), (150, 100))
    assert alpha(canvas, 70, 50) == 255


def test_r_turns_by_drag_and_by_tap(canvas: Canvas) -> None:
    press_key(canvas, Qt.Key.Key_R)
    Mouse(canvas).drag((450, 200), (250, 390))
    release_key(canvas, Qt.Key.Key_R)
    assert canvas.view.angle == pytest.approx(90)
    press_key(canvas, Qt.Key.Key_R)
    release_key(canvas, Qt.Key.Key_R)
    assert canvas.view.angle == pytest.approx(105)
    canvas.upright()
    assert canvas.view.angle == pytest.approx(0)


def test_the_canvas_claims_its_keys_from_menus_and_leaves_the_rest(canvas: Canvas) -> None:
    def is_claimed(key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, keys)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert is_claimed(Qt.Key.Key_R)
    assert is_claimed(Qt.Key.Key_Space)
    assert not is_claimed(Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert not is_claimed(Qt.Key.Key_B)
    assert not is_claimed(Qt.Key.Key_Escape)
    Mouse(canvas).press((100, 100))
    assert is_claimed(Qt.Key.Key_Escape)
    canvas.cancel()


def test_the_wheel_zooms_at_the_pointer_unless_a_filter_takes_it(canvas: Canvas) -> None:
    turn_wheel(canvas, (150, 120), 1)
    assert canvas.view.zoom == pytest.approx(1.2)
    assert canvas.view.to_document(150, 120) == pytest.approx((100, 70))
    asked: list[tuple[float, float]] = []

    def take(event: Any, x: float, y: float) -> bool:
        asked.append((round(x), round(y)))
        return True

    canvas.wheel_filters.append(take)
    turn_wheel(canvas, (150, 120), 1)
    assert canvas.view.zoom == pytest.approx(1.2)
    assert asked == [(100, 70)]


def test_a_fitted_view_follows_the_window_and_a_chosen_one_does_not(canvas: Canvas) -> None:
    canvas.fit()
    canvas.resize(300, 250)
    QApplication.processEvents()
    assert canvas.view.zoom == pytest.approx((300 - 48) / 400)
    canvas.actual_size()
    canvas.resize(500, 400)
    QApplication.processEvents()
    assert canvas.view.zoom == 1


def test_zoom_and_position_are_told(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignals([canvas.zoomed, canvas.hovered]):
        canvas.zoom_to(2.0)
        Mouse(canvas).move((60, 60))


# What is on the screen


def test_at_its_own_size_the_picture_is_shown_pixel_by_pixel(canvas: Canvas) -> None:
    tiles = Tiles.of(picture(3, 400, 300))
    canvas.document.replace("Fill", replace(ink(canvas), tiles=tiles))
    exact = flatten(canvas.document.root, canvas.document.bounds)[..., :3].astype(int)
    assert np.abs(screen(canvas)[50:350, 50:450] - exact).max() <= 1


def test_zoomed_out_fine_lines_become_grey_and_not_a_pattern(canvas: Canvas) -> None:
    stripes = np.full((300, 400, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    canvas.document.replace("Fill", replace(ink(canvas), tiles=Tiles.of(stripes)))
    canvas.set_view(ViewTransform(0.25, 50, 50))
    assert np.abs(screen(canvas)[55:120, 55:145] - 127.5).max() <= 1


def test_a_dense_screen_shows_all_the_pixels_it_has_room_for(canvas: Canvas) -> None:
    stripes = np.full((300, 400, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    canvas.document.replace("Fill", replace(ink(canvas), tiles=Tiles.of(stripes)))
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    painter = QPainter(image)
    picture = canvas_picture.Picture(canvas.document)
    assert picture.paint(painter, ViewTransform(0.5), QRect(0, 0, 200, 150)) == []
    painter.end()
    row = np.frombuffer(image.constBits(), np.uint8).reshape(300, 400, 4)[100, :, 0]
    assert np.array_equal(row, stripes[100, :, 0])


def test_zoomed_in_pixels_are_squares_with_a_grid_from_eight_on(canvas: Canvas) -> None:
    dot = np.zeros((300, 400, 4), np.uint8)
    dot[10, 10] = (0, 0, 0, 255)
    canvas.document.replace("Fill", replace(ink(canvas), tiles=Tiles.of(dot)))
    canvas.set_view(ViewTransform(7.0, 0, 0))
    shown = screen(canvas)
    assert (shown[70:77, 70:77] == 0).all()
    assert (shown[70:77, 77:100] == 255).all()
    canvas.set_view(ViewTransform(8.0, 0, 0))
    shown = screen(canvas)
    assert (shown[81:87, 81:87] == 0).all()
    assert (shown[164, 160:240:8] != shown[164, 163:243:8]).all()


def test_clear_parts_are_checkered_and_outside_is_the_surround(canvas: Canvas) -> None:
    canvas.document.replace("Hide", replace(canvas.document.root.children[0], visible=False))
    canvas.surround = QColor(10, 20, 30)
    canvas.update()
    shown = screen(canvas)
    assert shown[20, 20].tolist() == [10, 20, 30]
    inside = shown[50:350, 50:450]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) == 2
    assert (inside[0, 0] != inside[0, 8]).all()
    canvas.set_view(canvas.view.panned(5, 3))
    assert np.array_equal(screen(canvas)[53:353, 55:455], inside), "it moves with the picture"


def test_a_turned_view_shows_the_turned_picture(canvas: Canvas) -> None:
    half = np.zeros((300, 400, 4), np.uint8)
    half[:, :200] = RED
    canvas.document.replace("Fill", replace(ink(canvas), tiles=Tiles.of(half)))
    canvas.set_view(ViewTransform(1.0, 400, 0, 90))
    shown = screen(canvas)
    assert (shown[5:195, 105:395] == RED[:3]).all()
    assert (shown[205:395, 105:395] == 255).all()


def test_the_brush_is_outlined_at_its_size(canvas: Canvas) -> None:
    blank = screen(canvas)
    Mouse(canvas).move((200, 200))
    changed = np.argwhere((screen(canvas) != blank).any(-1))
    low, high = changed.min(0), changed.max(0)
    assert (high - low).tolist() == pytest.approx([20, 20], abs=2)
    canvas.studio.choose(tool="hand")
    assert np.array_equal(screen(canvas), blank)


def test_the_outline_is_wiped_where_the_pen_was(canvas: Canvas) -> None:
    class Watch:
        painted = QRectF()

        def paint(self, painter: QPainter, view: ViewTransform) -> None:
            self.painted |= painter.clipBoundingRect()

    Mouse(canvas).move((100, 100))
    QApplication.processEvents()
    watch = Watch()
    canvas.overlays.append(watch)
    Mouse(canvas).move((300, 300))
    QApplication.processEvents()
    assert watch.painted.contains(QRectF(90, 90, 20, 20))
    assert watch.painted.contains(QRectF(290, 290, 20, 20))
    assert not watch.painted.contains(QRectF(400, 50, 5, 5)), "and no more than that is painted"


def test_a_preview_lies_in_its_place_until_taken_away(canvas: Canvas) -> None:
    blank = screen(canvas)
    rgba = np.zeros((10, 20, 4), np.uint8)
    rgba[:, :10] = (0, 0, 255, 255)
    canvas.show_preview(Rect(100, 100, 200, 100), rgba)
    shown = screen(canvas)
    assert shown[200, 180].tolist() == [0, 0, 255]
    assert np.array_equal(shown[:, 270:], blank[:, 270:]), "clear parts stay as they were"
    canvas.show_preview(Rect(0, 0, 0, 0), None)
    assert np.array_equal(screen(canvas), blank)


def test_overlays_are_drawn_last(canvas: Canvas) -> None:
    class Dot:
        def paint(self, painter: QPainter, view: ViewTransform) -> None:
            painter.fillRect(0, 0, 500, 400, QColor(1, 2, 3))

    canvas.overlays.append(Dot())
    canvas.update()
    assert (screen(canvas) == (1, 2, 3)).all()


def test_the_rest_of_a_large_change_follows_in_later_frames(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen(canvas)
    monkeypatch.setattr(canvas_picture, "FRAME", 0.0)
    black = np.zeros((300, 400, 4), np.uint8)
    black[..., 3] = 255
    canvas.document.replace("Fill", replace(ink(canvas), tiles=Tiles.of(black)))
    canvas.repaint()
    spots = canvas._picture.pyramid.spots(canvas.document.bounds, 0)
    assert not any(canvas._picture.pyramid.is_fresh(spot) for spot in spots)
    monkeypatch.setattr(canvas_picture, "FRAME", 1.0)
    QApplication.processEvents()
    assert all(canvas._picture.pyramid.is_fresh(spot) for spot in spots)
    assert (screen(canvas)[100:300, 100:400] == 0).all()


def test_another_canvas_size_is_shown_at_once(canvas: Canvas) -> None:
    document = canvas.document
    document.apply("Crop", replace(document.state, size=Size(100, 100)))
    shown = screen(canvas)
    assert (shown[50:150, 50:150] == 255).all()
    assert (shown[160:300, 160:300] == shown[20, 20]).all()
    document.undo()
    assert (screen(canvas)[50:350, 50:450] == 255).all()
    document.apply("Grow", replace(document.state, size=Size(440, 340)))
    Mouse(canvas).drag((470, 370), (471, 370))
    assert screen(canvas)[370, 470].tolist() == list(RED[:3])


# AI layers


def test_a_region_is_tinted_while_painted_and_until_something_shows(canvas: Canvas) -> None:
    canvas.studio.choose(tool="ai-brush")
    blank = screen(canvas)
    mouse = Mouse(canvas)
    mouse.press((150, 150))
    mouse.move((250, 150))
    tinted = screen(canvas)[150, 200]
    assert tinted.tolist() == pytest.approx([243, 219, 188], abs=2), "40 % amber over white"
    mouse.release((250, 150))
    assert np.array_equal(screen(canvas)[150, 200], tinted)
    layer = canvas.document.active
    assert isinstance(layer, AiLayer)
    canvas.document.amend(
        canvas.document.root, lambda root: replace(root, children=_rendered(root.children))
    )
    Mouse(canvas).move((10, 10))
    assert np.array_equal(screen(canvas)[150, 200], blank[150, 200])


def _rendered(nodes: Any) -> Any:
    return tuple(replace(n, rendered="key") if isinstance(n, AiLayer) else n for n in nodes)


def test_undo_and_escape_take_the_tint_along(canvas: Canvas) -> None:
    canvas.studio.choose(tool="ai-brush")
    blank = screen(canvas)
    Mouse(canvas).drag((150, 150), (250, 150))
    canvas.document.undo()
    Mouse(canvas).move((10, 10))
    assert np.array_equal(screen(canvas)[100:200, 100:300], blank[100:200, 100:300])
    mouse = Mouse(canvas)
    mouse.press((150, 150))
    mouse.move((250, 150))
    press_key(canvas, Qt.Key.Key_Escape)
    mouse.move((10, 10))
    assert np.array_equal(screen(canvas)[100:200, 100:300], blank[100:200, 100:300])


def test_the_context_of_a_gesture_can_be_completed(canvas: Canvas) -> None:
    heard: list[str] = []
    canvas.studio.choose(tool="ai-brush")
    canvas.prepare = lambda context: replace(context, stroked=heard.append)
    Mouse(canvas).drag((150, 150), (250, 150))
    assert canvas.document.active is not None
    assert heard == [canvas.document.active.id]


def test_time_passes_for_a_resting_pen(canvas: Canvas, qtbot: QtBot) -> None:
    heard: list[str] = []
    canvas.studio.choose(tool="ai-brush")
    canvas.prepare = lambda context: replace(context, stroked=heard.append)
    mouse = Mouse(canvas)
    mouse.press((150, 150))
    mouse.move((250, 150))
    qtbot.waitUntil(lambda: bool(heard), timeout=3000)
    assert canvas.document.is_editing
    mouse.release((250, 150))


def test_a_screen_reader_finds_it(canvas: Canvas) -> None:
    assert canvas.accessibleName() == "Canvas"
    assert "paint here" in canvas.accessibleDescription()


def test_a_moved_layer_is_painted_on_where_the_pen_is(canvas: Canvas) -> None:
    canvas.document.replace("Move", replace(ink(canvas), position=Point(-37, 12)))
    Mouse(canvas).drag((150, 150), (151, 150))
    assert screen(canvas)[150, 150].tolist() == list(RED[:3])
