"""A heading that shows or hides what stands below it."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from editor.widgets.theme import Tokens, icon

ARROW = 14
"""Pixels a side of the arrow."""


class Foldout(QWidget):
    """``switched`` carries whether a person has opened it; ``column`` is what it holds."""

    switched = Signal(bool)

    def __init__(self, title: str, tokens: Tokens) -> None:
        super().__init__()
        self.heading = QToolButton()
        self.heading.setText(title)
        self.heading.setCheckable(True)
        self.heading.setIconSize(QSize(ARROW, ARROW))
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.heading.toggled.connect(self._show_body)
        self.heading.clicked.connect(self.switched)
        self._body = QWidget()
        self.column = QVBoxLayout(self._body)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addWidget(self.heading)
        whole.addWidget(self._body)
        self.apply_theme(tokens)
        self._show_body()

    @property
    def is_open(self) -> bool:
        return self.heading.isChecked()

    def open(self, is_open: bool) -> None:
        """Show or hide what it holds, without emitting a signal."""
        self.heading.setChecked(is_open)

    def apply_theme(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._show_arrow()

    def _show_body(self) -> None:
        self._body.setVisible(self.is_open)
        self._show_arrow()

    def _show_arrow(self) -> None:
        name = "chevron-down" if self.is_open else "chevron-right"
        self.heading.setIcon(icon(name, self._tokens.dim))
