"""The row of verbs: what the person wants to happen, one of them chosen."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QSizePolicy, QToolButton, QWidget

from core.ai.verb_recipes import ordered_verbs

COLUMNS = 5
"""Verbs in one line of the dock at its first width; more begin another line."""
MARGIN = 8
"""Pixels of a button besides its word."""


class VerbRow(QWidget):
    """One button a verb; ``chosen`` carries the id of the one that a person pressed."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for place, kind in enumerate(ordered_verbs()):
            button = QToolButton()
            button.setProperty("role", "verb")
            button.setText(kind.label)
            button.setToolTip((kind.__doc__ or "").strip().split("\n\n")[0])
            button.setAccessibleName(kind.label)
            button.setCheckable(True)
            # Qt's own size of a button has room for an icon too, which five would not fit with.
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            width = button.fontMetrics().horizontalAdvance(kind.label)
            button.setMinimumWidth(width + MARGIN)
            layout.setColumnStretch(place % COLUMNS, width)
            button.clicked.connect(lambda _, name=kind.id: self.chosen.emit(name))
            self._group.addButton(button)
            layout.addWidget(button, *divmod(place, COLUMNS))
            self.buttons[kind.id] = button

    def show_verb(self, verb: str) -> None:
        """Show which verb is chosen, without emitting a signal; none for an unknown one."""
        self._group.setExclusive(False)
        for name, button in self.buttons.items():
            button.setChecked(name == verb)
        self._group.setExclusive(True)
