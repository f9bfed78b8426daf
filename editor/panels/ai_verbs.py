"""The row of verbs: what the person wants to happen, one of them chosen."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from core.ai.verb_recipes import ordered_verbs


class VerbRow(QWidget):
    """One button a verb; ``chosen`` carries the id of the one that a person pressed."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for kind in ordered_verbs():
            button = QToolButton()
            button.setText(kind.label)
            button.setToolTip((kind.__doc__ or "").strip().split("\n\n")[0])
            button.setAccessibleName(kind.label)
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, name=kind.id: self.chosen.emit(name))
            self._group.addButton(button)
            layout.addWidget(button)
            self.buttons[kind.id] = button

    def show_verb(self, verb: str) -> None:
        """Show which verb is chosen, without emitting a signal; none for an unknown one."""
        self._group.setExclusive(False)
        for name, button in self.buttons.items():
            button.setChecked(name == verb)
        self._group.setExclusive(True)
