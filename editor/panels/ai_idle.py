"""The button that switches the idle search for better seeds, with a menu of verifiers."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton

from core.catalog import verifiers
from editor.widgets.theme import icon

if TYPE_CHECKING:
    from editor.widgets.theme import Tokens

ABOUT = "Look for better seeds while idle"


class IdleButton(QToolButton):
    """``switched`` carries on or off, ``chosen`` the id of a verifier from the menu."""

    switched = Signal(bool)
    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setAccessibleName(ABOUT)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self._verifier = ""
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._on_menu_opening)
        self.setMenu(self._menu)
        self.clicked.connect(self.switched)

    def apply_theme(self, tokens: "Tokens") -> None:
        self._tokens = tokens
        self.setStyleSheet(
            "QToolButton { padding-right: 18px; }"
            "QToolButton::menu-button { width: 14px; border: none; background: transparent; }"
            f"QToolButton::menu-button:hover {{ background: {tokens.line}; }}"
        )
        self._show_icon()

    def show_state(self, is_on: bool, verifier: str) -> None:
        self._verifier = verifier
        self.setChecked(is_on)
        self.setToolTip(f"{ABOUT}: what {verifiers[verifier].claim} better")
        self._show_icon()

    def _show_icon(self) -> None:
        colour = self._tokens.accent if self.isChecked() else self._tokens.text
        self.setIcon(icon("search", colour, self._tokens.dim))

    def _on_menu_opening(self) -> None:
        """List the verifiers, as plugins may have added some since the last time."""
        self._menu.clear()
        self._menu.addAction("A better seed is one that").setEnabled(False)
        group = QActionGroup(self._menu)
        for kind in verifiers:
            action = QAction(kind.claim, group, checkable=True, checked=kind.id == self._verifier)
            action.triggered.connect(lambda _=False, name=kind.id: self.chosen.emit(name))
            self._menu.addAction(action)
