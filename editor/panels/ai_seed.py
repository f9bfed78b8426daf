"""The seed of an AI layer: its number, dice, lock, and thumbnails of the seeds tried."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editor.recipes import SEEDS
from editor.theme import Tokens, icon

if TYPE_CHECKING:
    from PySide6.QtGui import QWheelEvent

    from core.pixels import Pixels
    from editor.results import Tried

SIDE = 46
KEY = Qt.ItemDataRole.UserRole


class SeedField(QLineEdit):
    """A whole number; the wheel and the arrow keys walk. ``typed`` carries a seed."""

    typed = Signal(int)
    walked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Seed")
        self.setToolTip("Type a seed, or scroll to walk; over the painted region scroll works too")
        self.editingFinished.connect(self._finished)
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

    def _finished(self) -> None:
        text, is_typed = self.text().strip(), self.isModified()
        self.setModified(False)
        if is_typed and text.isdecimal() and int(text) < SEEDS:
            if text != self._shown:
                self.typed.emit(int(text))
        else:
            self.setText(self._shown)


class SeedRow(QWidget):
    """``picked`` carries a thumbnail's key, ``locked`` whether new layers keep the seed."""

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
        self.lock.toggled.connect(self._lock_toggled)
        self.thumbnails = _thumbnails()
        self.thumbnails.itemClicked.connect(lambda item: self.picked.emit(item.data(KEY)))
        self._keys: list[str] = []
        self._lay_out()
        self.dress(tokens)

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
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.thumbnails)

    def dress(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.thumbnails.setStyleSheet(
            f"QListView::item {{ border: 2px solid {tokens.panel}; border-radius: 4px; }}"
            f"QListView::item:hover {{ border-color: {tokens.dim}; }}"
            f"QListView::item:selected {{ border-color: {tokens.accent}; background: none; }}"
        )
        self.dice.setIcon(icon("dice-5", tokens.text, tokens.dim))
        self._dress_lock()

    def show_tried(self, tried: "list[Tried]", current: str) -> None:
        """Thumbnails, the newest first; the one on the canvas is marked."""
        newest = tried[::-1]
        keys = [one.key for one in newest]
        if sorted(keys) != sorted(self._keys):
            self._keys = keys
            self.thumbnails.clear()
            for one in newest:
                self.thumbnails.addItem(_item(one))
        for place in range(self.thumbnails.count()):
            item = self.thumbnails.item(place)
            item.setSelected(item.data(KEY) == current)
        self.thumbnails.setVisible(len(keys) > 1)

    def _lock_toggled(self, on: bool) -> None:
        self._dress_lock()
        self.locked.emit(on)

    def _dress_lock(self) -> None:
        is_locked = self.lock.isChecked()
        colour = self._tokens.accent if is_locked else self._tokens.text
        self.lock.setIcon(icon("lock" if is_locked else "lock-open", colour, self._tokens.dim))
        state = "keep this seed" if is_locked else "roll a seed of their own"
        self.lock.setToolTip(f"New AI layers {state}")


def _thumbnails() -> QListWidget:
    strip = QListWidget()
    strip.setAccessibleName("Seeds tried")
    strip.setViewMode(QListView.ViewMode.IconMode)
    strip.setFlow(QListView.Flow.LeftToRight)
    strip.setWrapping(False)
    strip.setMovement(QListView.Movement.Static)
    strip.setIconSize(QSize(SIDE, SIDE))
    strip.setGridSize(QSize(SIDE + 6, SIDE + 6))
    strip.setFixedHeight(SIDE + 8)
    strip.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    strip.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
    return strip


def _item(one: "Tried") -> QListWidgetItem:
    shown = QIcon(pixmap(one.thumbnail))
    shown.addPixmap(pixmap(one.thumbnail), QIcon.Mode.Selected)
    item = QListWidgetItem(shown, "")
    item.setData(KEY, one.key)
    recipe = one.recipe
    item.setToolTip(f"Seed {recipe.seed}, strength {recipe.strength:.2f}: {recipe.prompt}")
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"Seed {recipe.seed}")
    return item


def pixmap(rgb: "Pixels") -> QPixmap:
    """RGB bytes (height x width x 3) as a pixmap."""
    height, width = rgb.shape[:2]
    image = QImage(rgb.tobytes(), width, height, width * 3, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
