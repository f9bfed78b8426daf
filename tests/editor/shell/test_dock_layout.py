"""Docks in a real window: what stays in sight, and sizes that survive."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core import settings
from core.geometry import Size
from core.settings import Settings
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.layers import LayersPanel
from tests.editor.app_window import window
from tests.editor.input_events import Mouse


def settle() -> None:
    for _ in range(6):
        QApplication.processEvents()


def resize(app: App, width: int, height: int) -> None:
    app.window.resize(width, height)
    settle()


def heights(app: App) -> dict[str, int]:
    return {name: app.window.docks[name].height() for name in ("ai", "layers")}


def drag_between_docks(app: App, by: int) -> None:
    """Move the separator below the AI dock."""
    at = app.window.docks["ai"].geometry().bottomLeft() + QPoint(100, 2)
    mouse = Mouse(app.window)
    mouse.press((at.x(), at.y()))
    mouse.move((at.x(), at.y() + by))
    settle()
    mouse.release((at.x(), at.y() + by))
    settle()


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
        resize(made, 1280, 720)
        yield made


def test_six_layers_are_in_sight_in_a_large_window(app: App) -> None:
    for _ in range(4):
        app.session.actions.run("layer-new")
    resize(app, 1600, 1000)
    tree = app.window.panel(LayersPanel).tree
    rows = [tree.visualItemRect(item) for item in tree.items()]
    assert len(rows) == 6
    assert max(row.bottom() for row in rows) <= tree.viewport().height()
    docks = app.window.docks
    assert docks["colour"] not in app.window.tabifiedDockWidgets(docks["layers"])


def test_a_low_window_has_tabs_instead_of_low_rows(app: App) -> None:
    docks = app.window.docks
    assert docks["colour"] in app.window.tabifiedDockWidgets(docks["layers"])
    assert not docks["layers"].visibleRegion().isEmpty(), "layers are in front"
    low = heights(app)
    resize(app, 1600, 1000)
    resize(app, 1280, 720)
    assert docks["colour"] in app.window.tabifiedDockWidgets(docks["layers"])
    assert heights(app) == low


def test_sizes_survive_tab_resize_and_restart(app: App) -> None:
    resize(app, 780, 740)
    before = heights(app)
    drag_between_docks(app, -60)
    dragged = heights(app)
    assert dragged["ai"] < before["ai"]
    app.session.actions.run("docks")
    settle()
    app.session.actions.run("docks")
    settle()
    assert heights(app) == dragged
    resize(app, 780, 640)
    resize(app, 780, 740)
    assert heights(app) == dragged
    app.close()
    with window(settings.load().settings) as again:
        again.session.studio.open(new_document(Size(320, 200), (255, 255, 255, 255)))
        settle()
        assert again.window.size() == app.window.size()
        assert heights(again) == dragged


def test_docks_that_were_hidden_at_the_end_are_there_again(app: App) -> None:
    app.session.actions.run("docks")
    app.close()
    with window(settings.load().settings) as again:
        settle()
        assert again.window.docks["layers"].isVisible()


def test_a_closed_dock_stays_closed(app: App) -> None:
    app.window.docks["history"].close()
    resize(app, 1600, 1000)
    assert not app.window.docks["history"].isVisible()
    app.session.actions.run("docks")
    app.session.actions.run("docks")
    settle()
    assert not app.window.docks["history"].isVisible()
    assert app.window.docks["layers"].isVisible()


def test_docks_that_a_person_moved_are_left_alone(app: App) -> None:
    docks = app.window.docks
    app.window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["layers"])
    settle()
    resize(app, 1600, 1000)
    assert app.window.dockWidgetArea(docks["layers"]) is Qt.DockWidgetArea.LeftDockWidgetArea
    app.close()
    with window(settings.load().settings) as again:
        settle()
        moved = again.window.docks["layers"]
        assert again.window.dockWidgetArea(moved) is Qt.DockWidgetArea.LeftDockWidgetArea


@pytest.mark.parametrize(
    "place", [{"docks": "\u20ac"}, {"docks": "AAAA", "x": 1e9, "width": "wide"}, {}]
)
def test_an_odd_place_gives_the_usual_window(qtbot: QtBot, place: dict[str, Any]) -> None:
    with window(Settings(model="toy")) as first:
        key = next(iter(first.window.places()))
    with window(Settings(model="toy", windows={key: place})) as made:
        settle()
        screen = made.window.screen().availableGeometry()
        assert screen.contains(made.window.frameGeometry())
        assert made.window.docks["ai"].isVisible()
        said = made.window.message_bar.sentence.text()
        assert ("docks" in said) is bool(place)
