"""All that a plugin may import from the editor; its ``setup(api)`` is given an Api.

A plugin file is loaded by the worker too, which has no window: import this inside ``setup`` only.
"""

from typing import TYPE_CHECKING

from editor.commands.command import Command, Rules
from editor.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from core.paint.document import Document
    from editor.shell.window import MainWindow

__all__ = ["Api", "Session"]


class Api:
    """Menus, docks and the open document; features register themselves in core.catalog."""

    def __init__(self, session: "Session", window: "MainWindow") -> None:
        self._session = session
        self._window = window

    @property
    def session(self) -> Session:
        """The parts of the window, as its own panels and commands get them."""
        return self._session

    @property
    def current_document(self) -> "Document":
        """The open document; change it through its own undoable methods."""
        return self._session.studio.document

    def add_action(
        self,
        action_id: str,
        label: str,
        run: "Callable[[Document], object]",
        keys: str = "",
        menu: str = "Plugins",
    ) -> None:
        """An entry in a menu, which is made if there is none of that name.

        Raises EditorError when the id is taken.
        """
        studio = self._session.studio
        rule = Rules(studio).has_document
        command = Command(action_id, label, keys, lambda: run(studio.document), rule, menu=menu)
        self._session.actions.add(command)
        self._window.show_command(action_id)

    def add_panel(self, panel_id: str, title: str, widget: "QWidget") -> None:
        """A dock of its own on the right."""
        self._window.add_dock(panel_id, title, widget)
