"""The seed of an AI layer: its number, random seed, lock, and thumbnails of its variants."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from editor.ai_session.current_recipe import SEED_LIMIT
from editor.panels.ai_idle import IdleButton
from editor.panels.ai_variants import KEY, VariantThumbnails
from editor.widgets.entry import EntryField
from editor.widgets.theme import Tokens, icon

if TYPE_CHECKING:
    from PySide6.QtGui import QWheelEvent


class SeedField(EntryField):
    """A field for a seed. ``typed`` carries a seed, ``walked`` the notches of the wheel."""

    typed = Signal(int)
    walked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Seed")
        self.setToolTip("Type a seed, or scroll; on the canvas scroll with Shift")
        self.ended.connect(self._on_ended)
        self._shown = ""

    def show_seed(self, seed: int) -> None:
        self._shown = str(seed)
        if self.text() != self._shown and not self.isModified():
            self.setText(self._shown)

    def wheelEvent(self, event: "QWheelEvent") -> None:  # noqa: N802
        notches = event.angleDelta().y() // 120
        if notches:
            self.walked.emit(notches)
        event.accept()

    def _on_ended(self, typed: str) -> None:
        text, is_typed = typed.strip(), self.isModified()
        self.setModified(False)
        if is_typed and text.isdecimal() and int(text) < SEED_LIMIT:
            if text != self._shown:
                self.typed.emit(int(text))
        else:
            self.setText(self._shown)


class SeedRow(QWidget):
    """``picked`` carries a variant's key, ``locked`` whether new layers keep the seed."""

    typed = Signal(int)
    walked = Signal(int)
    diced = Signal()
    locked = Signal(bool)
    picked = Signal(str)

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.field = SeedField()
        self.field.typed.connect(self.typed)
        self.field.walked.connect(self.walked)
        self.dice = QToolButton()
        self.dice.setToolTip("Another seed")
        self.dice.setAccessibleName("Another seed")
        self.dice.clicked.connect(self.diced)
        self.lock = QToolButton()
        self.lock.setCheckable(True)
        self.lock.setAccessibleName("Lock the seed")
        self.lock.toggled.connect(self._on_lock_toggled)
        self.idle = IdleButton()
        self.thumbnails = VariantThumbnails(tokens)
        self.thumbnails.itemClicked.connect(lambda item: self.picked.emit(item.data(KEY)))
        self._lay_out()
        self.apply_theme(tokens)

    def _lay_out(self) -> None:
        label = QLabel("Seed")
        label.setProperty("role", "dim")
        label.setBuddy(self.field)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(label)
        row.addWidget(self.field, 1)
        row.addWidget(self.dice)
        row.addWidget(self.lock)
        row.addWidget(self.idle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.thumbnails)

    def apply_theme(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.thumbnails.apply_theme(tokens)
        self.idle.apply_theme(tokens)
        self.dice.setIcon(icon("dice-5", tokens.text, tokens.dim))
        self._show_lock()

    def _on_lock_toggled(self, on: bool) -> None:
        self._show_lock()
        self.locked.emit(on)

    def _show_lock(self) -> None:
        is_locked = self.lock.isChecked()
        colour = self._tokens.accent if is_locked else self._tokens.text
        self.lock.setIcon(icon("lock" if is_locked else "lock-open", colour, self._tokens.dim))
        state = "keep this seed" if is_locked else "roll a seed of their own"
        self.lock.setToolTip(f"New AI layers {state}")
