"""The History dock lists every edit and goes to the one that is clicked."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from core.geometry import Size
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.history import HistoryPanel
from tests.editor.app_window import window


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        made.session.studio.open(new_document(Size(200, 100), (255, 255, 255, 255)))
        yield made


def test_history_goes_where_it_is_clicked(app: App) -> None:
    for _ in range(3):
        app.session.actions.run("layer-new")
    history = next(d.widget() for n, d in app.window.docks.items() if n == "history")
    assert isinstance(history, HistoryPanel)
    assert history.list.count() == 4
    history.go_to(1)
    assert len(app.session.studio.document.root.children) == 3
    assert history.list.count() == 4
    history.go_to(3)
    assert len(app.session.studio.document.root.children) == 5
