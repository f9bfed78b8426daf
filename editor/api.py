"""What a plugin may touch in the window: ``setup(api)`` in its file is given one of these."""

from typing import TYPE_CHECKING

from editor.commands.command import Command, has_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from core.paint.document import Document
    from editor.app import App


class Api:
    """Menu entries, docks and the open document; features register themselves in core.catalog."""

    def __init__(self, app: "App") -> None:
        self._app = app

    @property
    def current_document(self) -> "Document":
        """The open document; change it through its own undoable methods."""
        return self._app.studio.document

    def add_action(
        self, action_id: str, label: str, run: "Callable[[Document], object]", keys: str = ""
    ) -> None:
        """An entry in the Plugins menu. Raises EditorError when the id is taken."""
        command = Command(
            action_id,
            label,
            keys,
            lambda app: run(app.studio.document),
            has_document,
            menu="Plugins",
        )
        self._app.window.add_command(command, self._app.actions.add(command))

    def add_panel(self, panel_id: str, title: str, widget: "QWidget") -> None:
        """A dock of its own on the right."""
        self._app.window.add_dock(panel_id, title, widget)
