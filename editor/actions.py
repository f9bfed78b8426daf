"""The commands of the window as Qt actions, and what happens when one is given."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from PySide6.QtGui import QAction, QKeySequence

from core.errors import EditorError
from editor.commands.command import Command, Sections
from editor.widgets.entry import finish_entry
from editor.widgets.theme import Tokens, icon

MENUS = ("File", "Edit", "Layer", "Select", "Image", "AI", "View", "", "Help")
"""The order of the menus; those that plugins add come last. No name: keys alone."""


class Actions:
    """The commands as Qt actions, by id; ``refresh`` enables what makes sense now.

    What a command cannot do is given to ``tell``, as one sentence.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[Command]:
        """Commands in the order of their menus, in each as they were added."""
        return iter(sorted(self.commands.values(), key=lambda command: _order(command.menu)))

    def add(self, command: Command) -> QAction:
        """Make a command's action. Raises EditorError when its id is taken."""
        if command.id in self.commands:
            raise EditorError(f"There already is a command called {command.id!r}.")
        self.commands[command.id] = command
        self._actions[command.id] = self._make(command)
        return self._actions[command.id]

    def add_sections(self, menu: str, sections: Sections) -> None:
        """Append sections to a menu. Raises EditorError when an id is taken."""
        first = 1 + max((c.section for c in self.commands.values() if c.menu == menu), default=-1)
        for number, section in enumerate(sections, first):
            for command in section:
                self.add(replace(command, menu=menu, section=number))

    def _make(self, command: Command) -> QAction:
        action = QAction(command.label)
        if command.keys:
            action.setShortcuts(_sequences(command.keys))
            action.setToolTip(f"{command.label.rstrip('…')} ({command.keys})")
        action.triggered.connect(lambda: self.run(command.id))
        return action

    def run(self, name: str) -> None:
        """Do a command; what it cannot do is told."""
        command = self.commands[name]
        finish_entry()
        if not command.rule():
            return
        try:
            command.run()
        except EditorError as error:
            self._tell(str(error))

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in the theme's colours."""
        for name, command in self.commands.items():
            if command.icon:
                self._actions[name].setIcon(icon(command.icon, tokens.text, tokens.surround))

    def refresh(self) -> None:
        for name, command in self.commands.items():
            self._actions[name].setEnabled(command.rule())


def _sequences(keys: str) -> list[QKeySequence]:
    """The keys as Qt takes them; where Return is one, Enter beside the numbers is as good."""
    spellings = dict.fromkeys((keys, keys.replace("Return", "Enter")))
    return [QKeySequence(spelling) for spelling in spellings]


def _order(menu: str) -> int:
    return MENUS.index(menu) if menu in MENUS else len(MENUS)
