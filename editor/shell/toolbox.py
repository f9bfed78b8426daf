"""The tools down the left side, and both colours below them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QSizePolicy, QToolBar, QWidget

from core.catalog import tools
from editor.widgets.swatch import Swatch
from editor.widgets.theme import ICON, Tokens, icon

if TYPE_CHECKING:
    from editor.session import Session


class Toolbox(QToolBar):
    """One button per registered tool, in the order of their positions."""

    def __init__(self, session: "Session") -> None:
        super().__init__("Tools")
        self.session = session
        self.setObjectName("Toolbox")
        self.setOrientation(Qt.Orientation.Vertical)
        self.setMovable(False)
        self.setIconSize(QSize(ICON, ICON))
        self._group = QActionGroup(self)
        self.buttons: dict[str, QAction] = {}
        for tool_id in order_tools():
            self._add(tool_id)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.addWidget(spacer)
        self.addWidget(Swatch(session.studio))
        session.tokens.changed.connect(self.apply_theme)
        session.studio.chosen.connect(lambda choices: self.buttons[choices.tool].setChecked(True))
        self.buttons[session.studio.choices.tool].setChecked(True)
        self.apply_theme(session.tokens.value)

    def _add(self, tool_id: str) -> None:
        tool = tools[tool_id]
        action = QAction(tool.label, self)
        action.setCheckable(True)
        action.setShortcut(QKeySequence(tool.shortcut))
        action.setToolTip(f"{tool.label} ({tool.shortcut})\n{tool.__doc__ or ''}".strip())
        action.triggered.connect(lambda: self.session.studio.choose(tool=tool_id))
        self._group.addAction(action)
        self.addAction(action)
        self.buttons[tool_id] = action

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in the theme's colours; what paints the region of an AI layer has the accent's."""
        for tool_id, action in self.buttons.items():
            tool = tools[tool_id]
            action.setIcon(icon(tool.icon, tokens.accent if tool.paints_region else tokens.text))


def order_tools() -> list[str]:
    """Tool ids by position; those that share one by id."""
    return [tool.id for tool in sorted(tools, key=lambda tool: (tool.position, tool.id))]
