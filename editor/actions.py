"""The commands of the window as Qt actions, and what happens when one is given."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from core.errors import EditorError
from editor.commands.command import Command
from editor.commands.table import table
from editor.widgets.theme import icon

if TYPE_CHECKING:
    from editor.app import App


class Actions:
    """The commands as Qt actions, by id; ``refresh`` enables what makes sense now."""

    def __init__(self, app: "App") -> None:
        self.app = app
        self.commands = {command.id: command for command in table()}
        self._actions = {name: self._make(command) for name, command in self.commands.items()}

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands.values())

    def add(self, command: Command) -> QAction:
        """A plugin's command. Raises EditorError when its id is taken."""
        if command.id in self.commands:
            raise EditorError(f"There already is a command called {command.id!r}.")
        self.commands[command.id] = command
        self._actions[command.id] = self._make(command)
        return self._actions[command.id]

    def _make(self, command: Command) -> QAction:
        action = QAction(command.label)
        if command.keys:
            action.setShortcut(QKeySequence(command.keys))
            action.setToolTip(f"{command.label.rstrip('…')} ({command.keys})")
        action.triggered.connect(lambda: self.run(command.id))
        return action

    def run(self, name: str) -> None:
        """Do a command; what it cannot do is said in the strip."""
        command = self.commands[name]
        if not command.rule(self.app):
            return
        try:
            command.run(self.app)
        except EditorError as error:
            self.app.tell(str(error))

    def dress(self) -> None:
        """Icons in the theme's colours."""
        tokens = self.app.tokens
        for name, command in self.commands.items():
            if command.icon:
                self._actions[name].setIcon(icon(command.icon, tokens.text, tokens.surround))

    def refresh(self) -> None:
        for name, command in self.commands.items():
            self._actions[name].setEnabled(command.rule(self.app))
