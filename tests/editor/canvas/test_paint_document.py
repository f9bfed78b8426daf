"""What a canvas shows: the picture at every zoom, the surround, overlays and the brush."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from core.geometry import Rect, Size
from core.paint.flatten import flatten
from core.paint.layers import Layer
from core.paint.tiles import Tiles
from editor.canvas import paint_document
from editor.canvas.canvas import Canvas
from editor.canvas.view_transform import ViewTransform
from tests.core.paint.test_flatten import picture
from tests.editor.canvas.canvas_pixels import RED, grab_screen, ink_layer
from tests.editor.input_events import Mouse

pytestmark = pytest.mark.gui


def test_at_its_own_size_the_picture_is_shown_pixel_by_pixel(canvas: Canvas) -> None:
    tiles = Tiles.of(picture(3, 400, 300))
    canvas.document.replace("Fill", replace(ink_layer(canvas), tiles=tiles))
    exact = flatten(canvas.document.root, canvas.document.bounds)[..., :3].astype(int)
    assert np.abs(grab_screen(canvas)[50:350, 50:450] - exact).max() <= 1


def test_zoomed_out_fine_lines_become_grey_and_not_a_pattern(canvas: Canvas) -> None:
    stripes = np.full((300, 400, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    canvas.document.replace("Fill", replace(ink_layer(canvas), tiles=Tiles.of(stripes)))
    canvas.set_view(ViewTransform(0.25, 50, 50))
    assert np.abs(grab_screen(canvas)[55:120, 55:145] - 127.5).max() <= 1


def test_a_dense_screen_shows_all_the_pixels_it_has_room_for(canvas: Canvas) -> None:
    stripes = np.full((300, 400, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    canvas.document.replace("Fill", replace(ink_layer(canvas), tiles=Tiles.of(stripes)))
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    painter = QPainter(image)
    picture = paint_document.DocumentPainter(canvas.document)
    assert picture.paint(painter, ViewTransform(0.5), QRect(0, 0, 200, 150)) == []
    painter.end()
    row = np.frombuffer(image.constBits(), np.uint8).reshape(300, 400, 4)[100, :, 0]
    assert np.array_equal(row, stripes[100, :, 0])


def test_zoomed_in_pixels_are_squares_with_a_grid_from_eight_on(canvas: Canvas) -> None:
    dot = np.zeros((300, 400, 4), np.uint8)
    dot[10, 10] = (0, 0, 0, 255)
    canvas.document.replace("Fill", replace(ink_layer(canvas), tiles=Tiles.of(dot)))
    canvas.set_view(ViewTransform(7.0, 0, 0))
    shown = grab_screen(canvas)
    assert (shown[70:77, 70:77] == 0).all()
    assert (shown[70:77, 77:100] == 255).all()
    canvas.set_view(ViewTransform(8.0, 0, 0))
    shown = grab_screen(canvas)
    assert (shown[81:87, 81:87] == 0).all()
    assert (shown[164, 160:240:8] != shown[164, 163:243:8]).all()


def test_clear_parts_are_checkered_and_outside_is_the_surround(canvas: Canvas) -> None:
    canvas.document.replace("Hide", replace(canvas.document.root.children[0], visible=False))
    canvas.surround = QColor(10, 20, 30)
    canvas.update()
    shown = grab_screen(canvas)
    assert shown[20, 20].tolist() == [10, 20, 30]
    inside = shown[50:350, 50:450]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) == 2
    assert (inside[0, 0] != inside[0, 8]).all()
    canvas.set_view(canvas.view.pan(5, 3))
    assert np.array_equal(grab_screen(canvas)[53:353, 55:455], inside), "it moves with the picture"


def test_a_turned_view_shows_the_turned_picture(canvas: Canvas) -> None:
    half = np.zeros((300, 400, 4), np.uint8)
    half[:, :200] = RED
    canvas.document.replace("Fill", replace(ink_layer(canvas), tiles=Tiles.of(half)))
    canvas.set_view(ViewTransform(1.0, 400, 0, 90))
    shown = grab_screen(canvas)
    assert (shown[5:195, 105:395] == RED[:3]).all()
    assert (shown[205:395, 105:395] == 255).all()


def test_the_brush_is_outlined_at_its_size(canvas: Canvas) -> None:
    blank = grab_screen(canvas)
    Mouse(canvas).move((200, 200))
    changed = np.argwhere((grab_screen(canvas) != blank).any(-1))
    low, high = changed.min(0), changed.max(0)
    assert (high - low).tolist() == pytest.approx([20, 20], abs=2)
    canvas.studio.choose(tool="hand")
    assert np.array_equal(grab_screen(canvas), blank)


def test_the_outline_is_erased_where_the_pointer_was(canvas: Canvas) -> None:
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


def test_a_preview_lies_in_its_place_in_the_stack_until_taken_away(canvas: Canvas) -> None:
    document, layer = canvas.document, ink_layer(canvas)
    cover = np.full((40, 40, 4), (0, 255, 0, 255), np.uint8)
    document.insert("Above", Layer("above", tiles=Tiles.of(cover, 100, 100)))
    blank, state = grab_screen(canvas), document.state
    blue = np.zeros((100, 200, 4), np.uint8)
    blue[:, :100] = (0, 0, 255, 255)
    canvas.show_preview(layer.id, Rect(100, 100, 200, 100), Tiles.of(blue, 100, 100))
    shown = grab_screen(canvas)
    assert shown[200, 180].tolist() == [0, 0, 255]
    assert shown[160, 160].tolist() == [0, 255, 0], "what lies above stays above"
    assert np.array_equal(shown[:, 270:], blank[:, 270:]), "clear parts stay as they were"
    assert document.state is state
    document.replace("Fainter", replace(ink_layer(canvas), id=layer.id, opacity=0.5))
    assert grab_screen(canvas)[200, 180].tolist() == pytest.approx([127, 127, 255], abs=1)
    document.undo()
    canvas.show_preview(layer.id, Rect(0, 0, 0, 0), None)
    assert np.array_equal(grab_screen(canvas), blank)


def test_overlays_are_drawn_last(canvas: Canvas) -> None:
    class Dot:
        def paint(self, painter: QPainter, view: ViewTransform) -> None:
            painter.fillRect(0, 0, 500, 400, QColor(1, 2, 3))

    canvas.overlays.append(Dot())
    canvas.update()
    assert (grab_screen(canvas) == (1, 2, 3)).all()


def test_the_rest_of_a_large_change_follows_in_later_frames(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    grab_screen(canvas)
    monkeypatch.setattr(paint_document, "FRAME_SECONDS", 0.0)
    black = np.zeros((300, 400, 4), np.uint8)
    black[..., 3] = 255
    canvas.document.replace("Fill", replace(ink_layer(canvas), tiles=Tiles.of(black)))
    canvas.repaint()
    tiles = canvas._document_painter.pyramid.tiles_over(canvas.document.bounds, 0)
    assert not any(canvas._document_painter.pyramid.is_fresh(tile) for tile in tiles)
    monkeypatch.setattr(paint_document, "FRAME_SECONDS", 1.0)
    QApplication.processEvents()
    assert all(canvas._document_painter.pyramid.is_fresh(tile) for tile in tiles)
    assert (grab_screen(canvas)[100:300, 100:400] == 0).all()


def test_another_canvas_size_is_shown_at_once(canvas: Canvas) -> None:
    document = canvas.document
    document.apply("Crop", replace(document.state, size=Size(100, 100)))
    shown = grab_screen(canvas)
    assert (shown[50:150, 50:150] == 255).all()
    assert (shown[160:300, 160:300] == shown[20, 20]).all()
    document.undo()
    assert (grab_screen(canvas)[50:350, 50:450] == 255).all()
    document.apply("Grow", replace(document.state, size=Size(440, 340)))
    Mouse(canvas).drag((470, 370), (471, 370))
    assert grab_screen(canvas)[370, 470].tolist() == list(RED[:3])
