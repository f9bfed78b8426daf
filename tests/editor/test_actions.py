"""The table of commands: no key twice, and nothing that ends in a traceback."""

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from core.catalog import tools
from core.geometry import Size
from editor.commands.document_edits import new_document
from editor.shell.command_palette import CommandPalette
from editor.widgets.theme import ICONS
from tests.editor.app_window import window


def test_no_two_commands_share_a_key(qtbot: QtBot) -> None:
    with window() as app:
        keys = [QKeySequence(c.keys).toString() for c in app.session.actions if c.keys]
    keys += [QKeySequence(tool.shortcut).toString() for tool in tools]
    assert all(keys)
    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_every_icon_is_there(qtbot: QtBot) -> None:
    with window() as app:
        names = {command.icon for command in app.session.actions if command.icon}
    names |= {tool.icon for tool in tools}
    assert sorted(name for name in names if not (ICONS / f"{name}.svg").is_file()) == []


@pytest.mark.parametrize("has_document", [False, True])
def test_every_command_can_be_given(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, has_document: bool
) -> None:
    monkeypatch.setattr(QDialog, "exec", lambda _: 0)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QMessageBox, "open", lambda _: None)
    monkeypatch.setattr(CommandPalette, "open", lambda _: None)
    with window() as app:
        for command in app.session.actions:
            if has_document:
                app.session.studio.open(new_document(Size(64, 48), (9, 9, 9, 255)))
            if command.id != "quit":
                app.session.actions.run(command.id)


def test_the_palette_narrows_and_runs(qtbot: QtBot) -> None:
    with window() as app:
        app.session.studio.open(new_document(Size(64, 48), None))
        palette = CommandPalette(app.session, app.window)
        palette.search.setText("new layer")
        assert palette.list.count() >= 1
        count = len(app.session.studio.document.root.children)
        palette.run()
        assert len(app.session.studio.document.root.children) == count + 1
        palette.deleteLater()


def test_a_taken_id_is_refused(qtbot: QtBot) -> None:
    from core.errors import EditorError

    with window() as app, pytest.raises(EditorError, match="already is a command called 'save'"):
        app.session.actions.add(app.session.actions.commands["save"])
