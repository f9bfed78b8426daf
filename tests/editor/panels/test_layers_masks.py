"""Masks in the Layers dock and on the canvas: chosen by a click, painted, inverted, off, shown."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.geometry import Rect, Size
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Mask, Node
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.layers import LayersPanel
from editor.panels.layers_row import plane_rect
from tests.editor.app_window import window
from tests.editor.input_events import Mouse

pytestmark = pytest.mark.gui


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
        yield made


def _click(
    app: App, place: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click on a thumbnail of the active layer's row."""
    tree = app.window.panel(LayersPanel).tree
    item = tree.currentItem()
    assert item is not None
    spot = plane_rect(tree.visualItemRect(item), place).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, keys, spot)
    QApplication.processEvents()


def _active(app: App) -> Node:
    node = app.session.studio.document.active
    assert node is not None
    return node


def _alpha(app: App, x: int, y: int) -> int:
    document = app.session.studio.document
    return int(flatten(document.root, Rect(x, y, 1, 1))[0, 0, 3])


def _paint(app: App) -> None:
    view = app.session.canvas.view
    QTest.keyClick(app.window, Qt.Key.Key_B)
    Mouse(app.session.canvas).drag(view.to_screen(100, 100), view.to_screen(200, 100))


def test_a_mask_is_added_painted_inverted_switched_off_and_undone(app: App) -> None:
    document, run = app.session.studio.document, app.session.actions.run
    document.activate(document.root.children[0].id)
    run("layer-mask")
    assert document.active_plane == "mask"
    assert "white shows, black hides" in app.session.canvas.mask_overlay.sentence
    _paint(app)
    assert (_alpha(app, 150, 100), _alpha(app, 150, 150)) == (0, 255)
    run("mask-invert")
    assert (_alpha(app, 150, 100), _alpha(app, 150, 150)) == (255, 0)
    run("mask-off")
    assert (_alpha(app, 150, 100), _alpha(app, 150, 150)) == (255, 255)
    for expected in ((255, 0), (0, 255), (255, 255)):
        run("undo")
        assert (_alpha(app, 150, 100), _alpha(app, 150, 150)) == expected


def test_a_click_on_a_thumbnail_chooses_what_is_painted(app: App) -> None:
    document = app.session.studio.document
    document.activate(document.root.children[0].id)
    app.session.actions.run("layer-mask")
    _click(app, 0)
    assert document.active_plane == "pixels"
    assert not app.session.canvas.mask_overlay.sentence
    _click(app, 1)
    assert document.active_plane == "mask"
    _click(app, 1, Qt.KeyboardModifier.ShiftModifier)
    mask = _active(app).mask
    assert mask is not None
    assert not mask.visible
    _click(app, 1, Qt.KeyboardModifier.AltModifier)
    assert app.session.canvas.mask_overlay.is_shown


def test_groups_and_ai_layers_have_masks_too(app: App) -> None:
    document = app.session.studio.document
    for node in (Group("things", mask=Mask()), AiLayer("boat", mask=Mask(), rendered="key")):
        document.insert("Add", node)
        _click(app, 2 if isinstance(node, AiLayer) else 1)
        assert document.active_plane == "mask"
        _paint(app)
        mask = _active(app).mask
        assert mask is not None
        assert mask.tiles.read(Rect(150, 100, 1, 1))[0, 0, 0] == 0


def test_the_overlay_is_red_where_the_mask_hides(app: App) -> None:
    document, canvas = app.session.studio.document, app.session.canvas
    layer = document.root.children[0]
    document.activate(layer.id)
    app.session.actions.run("layer-mask")
    _paint(app)
    app.session.actions.run("mask-show")
    x, y = canvas.view.to_screen(150, 100)
    shown = canvas.grab().toImage().pixelColor(round(x), round(y))
    assert shown.red() > shown.green() + 40
    document.replace("Bare", replace(_active(app), mask=None))
    shown = canvas.grab().toImage().pixelColor(round(x), round(y))
    assert shown.red() == shown.green()


def test_a_refusal_goes_with_the_next_gesture(app: App) -> None:
    document, bar = app.session.studio.document, app.window.message_bar
    layer = _active(app)
    document.replace("Hide", replace(layer, visible=False))
    _paint(app)
    assert "it is hidden" in bar.sentence.text()
    assert not bar.isHidden()
    document.undo()
    _paint(app)
    assert bar.isHidden()
