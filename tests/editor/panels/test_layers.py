"""The Layers dock changes the document and follows it."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from core.geometry import Size
from core.paint.layers import Group, Layer, walk
from core.paint.tiles import Tiles
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.layers import LayersPanel
from editor.panels.layers_row import NODE
from editor.panels.layers_thumbnail import make_thumbnail
from editor.panels.layers_tree import Where, _drop_node
from tests.editor.app_window import window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(200, 100), (255, 255, 255, 255)))
        yield made


def names(app: App) -> list[str]:
    return [node.name for node in walk(app.session.studio.document.root)]


def test_the_tree_shows_the_top_first_and_the_active_one(app: App) -> None:
    tree = app.window.panel(LayersPanel).tree
    assert [item.text(0) for item in tree.items()] == ["Layer 1", "Background"]
    current = tree.currentItem()
    assert current is not None
    assert current.text(0) == "Layer 1"


def test_a_click_on_the_eye_hides(app: App) -> None:
    tree = app.window.panel(LayersPanel).tree
    row = tree.visualItemRect(tree.items()[1])
    QTest.mouseClick(tree.viewport(), LEFT, pos=QPoint(row.left() + 6, row.center().y()))
    assert not app.session.studio.document.root.children[0].visible
    app.session.actions.run("undo")
    assert app.session.studio.document.root.children[0].visible


def test_a_click_on_a_row_makes_it_active(app: App, qtbot: QtBot) -> None:
    tree = app.window.panel(LayersPanel).tree
    row = tree.visualItemRect(tree.items()[1])
    QTest.mouseClick(tree.viewport(), LEFT, pos=QPoint(row.left() + 90, row.center().y()))
    ground = app.session.studio.document.root.children[0].id
    qtbot.waitUntil(lambda: app.session.studio.document.state.active == ground)


def test_dragging_opacity_is_one_entry(app: App) -> None:
    panel, history = app.window.panel(LayersPanel), app.session.studio.document.history
    count = len(history.done)
    for value in (90, 70, 50):
        panel._opacity.set_value(value, notify=True)
    assert len(history.done) == count + 1
    active = app.session.studio.document.active
    assert active is not None
    assert active.opacity == 0.5


def test_blend_mode_and_name(app: App) -> None:
    panel = app.window.panel(LayersPanel)
    panel._blend.setCurrentIndex(panel._blend.findData("multiply"))
    panel._on_blend(0)
    active = app.session.studio.document.active
    assert active is not None
    assert active.blend == "multiply"
    panel.rename(active, "  shadow ")
    panel.rename(active, "  ")
    assert names(app) == ["Background", "shadow"]


def test_dropping_reorders_and_nests(app: App) -> None:
    document = app.session.studio.document
    document.insert("Group", Group("group", children=(Layer("inner"),)))
    ground, ink, group = document.root.children
    rows = {item.data(0, NODE).name: item for item in app.window.panel(LayersPanel).tree.items()}
    below = _drop_node(document.root, ink, rows["Background"], Where.BelowItem)
    assert below is not None
    assert [n.name for n in below.children] == ["Layer 1", "Background", "group"]
    inside = _drop_node(document.root, ink, rows["group"], Where.OnItem)
    assert inside is not None
    assert [n.name for n in walk(inside)] == ["Background", "group", "inner", "Layer 1"]
    above = _drop_node(document.root, ground, rows["group"], Where.AboveItem)
    assert above is not None
    assert [n.name for n in above.children][-1] == "Background"
    assert _drop_node(document.root, group, rows["inner"], Where.BelowItem) is None
    assert _drop_node(document.root, ink, rows["Layer 1"], Where.AboveItem) is None
    end = _drop_node(document.root, ink, None, Where.OnViewport)
    assert end is not None
    assert end.children[0].name == "Layer 1"


def test_thumbnails_show_where_the_paint_is(qtbot: QtBot) -> None:
    red = np.zeros((512, 512, 4), np.uint8)
    red[:256, :256] = (255, 0, 0, 255)
    image = make_thumbnail(Layer("l", tiles=Tiles.of(red)), Size(512, 512)).toImage()
    assert QColor(image.pixel(4, 4)) == QColor("red")
    assert QColor(image.pixel(28, 28)) == QColor("#8a8a8a")
