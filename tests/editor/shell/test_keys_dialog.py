"""The Keys window lists every key there is, and is narrowed by typing."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from core.catalog import tools
from editor.app import App
from editor.shell.keys_dialog import KeysDialog, list_keys
from tests.editor.app_window import window


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[App]:
    with window() as made:
        yield made


def visible_rows(dialog: KeysDialog) -> list[list[str]]:
    items = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    return [[i.text(c) for c in range(3)] for i in items if i is not None and not i.isHidden()]


def test_every_command_with_keys_and_every_tool_is_listed(app: App) -> None:
    listed = {(what, keys) for _, what, keys in list_keys(app.session)}
    assert {(tool.label, tool.shortcut) for tool in tools} <= listed
    assert {(c.label.rstrip("…"), c.keys) for c in app.session.actions if c.keys} <= listed


def test_words_narrow_the_table_by_command_menu_or_key(app: App, qtbot: QtBot) -> None:
    dialog = KeysDialog(app.session, app.window)
    everything = visible_rows(dialog)
    dialog.search.setText("edit undo ctrl+z")
    assert visible_rows(dialog) == [["Edit", "Undo", "Ctrl+Z"]]
    dialog.search.setText("no such key")
    assert visible_rows(dialog) == []
    dialog.show()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert visible_rows(dialog) == everything
    assert dialog.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
