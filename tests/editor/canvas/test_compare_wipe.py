"""The compare wipe: before on the left of the line, after on the right, and nothing is changed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.geometry import Size
from core.paint.document import Document
from core.paint.layers import AiLayer, Layer
from core.paint.tiles import Tiles
from editor.canvas.canvas import Canvas
from editor.canvas.compare_wipe import CompareWipe, hide_ai_layers, hide_layer
from editor.panels.layers import LayersPanel
from editor.panels.layers_row import eye_rect
from editor.studio import Studio
from tests.editor.app_window import window

pytestmark = pytest.mark.gui
SIDE = 200


def _plain_tiles(colour: tuple[int, int, int]) -> Tiles:
    return Tiles.of(np.full((SIDE, SIDE, 4), (*colour, 255), np.uint8))


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    from core import catalog

    catalog.load("tools", "brushes")
    _ = QApplication.instance() or QApplication([])
    document = Document(Size(SIDE, SIDE))
    document.insert("Paper", Layer("paper", tiles=_plain_tiles((0, 0, 255))))
    document.insert("AI", AiLayer("edit", tiles=_plain_tiles((255, 0, 0))))
    canvas = Canvas(Studio(document))
    canvas.resize(SIDE, SIDE)
    canvas.show()
    canvas.zoom_to_actual_size()
    yield canvas
    canvas.close()
    canvas.deleteLater()


def _colour_at(canvas: Canvas, x: int, y: int) -> str:
    QApplication.processEvents()
    return QColor(canvas.grab().toImage().pixel(x, y)).name()


def test_before_is_left_and_after_is_right(canvas: Canvas) -> None:
    state = canvas.document.state
    compare = CompareWipe(canvas)
    assert _colour_at(canvas, 20, 150) == "#ff0000"
    compare.toggle()
    assert _colour_at(canvas, 20, 150) == "#0000ff"
    assert _colour_at(canvas, 180, 150) == "#ff0000"
    compare.toggle()
    assert _colour_at(canvas, 20, 150) == "#ff0000"
    assert canvas.document.state is state


def test_the_line_is_dragged_and_the_rest_still_paints(canvas: Canvas) -> None:
    canvas.document.activate(canvas.document.root.children[0].id)
    compare = CompareWipe(canvas)
    compare.toggle()
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, Qt.KeyboardModifier.NoModifier, QPoint(100, 60))
    QTest.mouseMove(canvas, QPoint(150, 60))
    QTest.mouseRelease(canvas, left, Qt.KeyboardModifier.NoModifier, QPoint(150, 60))
    assert compare.line == pytest.approx(150)
    assert not canvas.is_gesturing
    assert _colour_at(canvas, 130, 150) == "#0000ff"
    QTest.mousePress(canvas, left, Qt.KeyboardModifier.NoModifier, QPoint(30, 60))
    assert canvas.is_gesturing
    canvas.cancel()


def test_a_clear_before_shows_what_is_clear(canvas: Canvas) -> None:
    paper = canvas.document.root.children[0]
    canvas.document.change("Delete", hide_layer(canvas.document.root, paper.id))
    compare = CompareWipe(canvas)
    compare.toggle()
    assert _colour_at(canvas, 20, 150) in {"#9a9a9a", "#b4b4b4"}


def test_the_picture_before_follows_the_document(canvas: Canvas) -> None:
    compare = CompareWipe(canvas)
    compare.toggle()
    assert _colour_at(canvas, 20, 150) == "#0000ff"
    paper = canvas.document.root.children[0]
    with canvas.document.paint(paper.id, "Fill") as painting:
        painting.write(canvas.document.bounds, np.full((SIDE, SIDE, 4), (0, 99, 0, 255), np.uint8))
    assert _colour_at(canvas, 20, 150) == "#006300"


def test_one_layer_is_held_back_while_its_eye_is_held(canvas: Canvas) -> None:
    compare = CompareWipe(canvas)
    layer = canvas.document.root.children[1]
    compare.show_layer(layer.id)
    assert _colour_at(canvas, 180, 150) == "#0000ff"
    compare.show_layer("")
    assert _colour_at(canvas, 180, 150) == "#ff0000"
    assert not compare.is_on


def test_hiding_is_pure(canvas: Canvas) -> None:
    root = canvas.document.root
    assert [node.visible for node in hide_ai_layers(root).children] == [True, False]
    assert [node.visible for node in root.children] == [True, True]
    assert hide_layer(root, "nowhere") is root


def test_alt_on_an_eye_holds_that_layer_back(canvas: Canvas) -> None:
    with window() as app:
        app.session.studio.open(canvas.document)
        QApplication.processEvents()
        tree = app.window.panel(LayersPanel).tree
        top = tree.topLevelItem(0)
        assert top is not None
        eye = eye_rect(tree.visualItemRect(top)).center()
        place, alt = tree.viewport(), Qt.KeyboardModifier.AltModifier
        QTest.mousePress(place, Qt.MouseButton.LeftButton, alt, eye)
        middle = app.session.canvas.view.to_screen(100, 100)
        assert _colour_at(app.session.canvas, round(middle[0]), round(middle[1])) == "#0000ff"
        QTest.mouseRelease(place, Qt.MouseButton.LeftButton, alt, eye)
        assert _colour_at(app.session.canvas, round(middle[0]), round(middle[1])) == "#ff0000"
        assert not app.session.compare.is_on
        app.session.studio.document.saved = app.session.studio.document.state


def test_a_pinned_result_stays_left_while_another_is_made(canvas: Canvas) -> None:
    compare = CompareWipe(canvas)
    compare.pin("Swap words")
    edit = canvas.document.root.children[1]
    assert isinstance(edit, AiLayer)
    canvas.document.replace("Other method", replace(edit, tiles=_plain_tiles((0, 255, 0))))
    assert _colour_at(canvas, 20, 150) == "#ff0000"
    assert _colour_at(canvas, 180, 150) == "#00ff00"
    compare.toggle()
    compare.toggle()
    assert _colour_at(canvas, 20, 150) == "#0000ff", "the pin ends with the wipe"
