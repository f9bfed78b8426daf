"""The New dialog: how large, and on what."""

from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.geometry import Size
from core.paint.document import MAX_SIDE

PRESETS = {
    "Square, 1024": (1024, 1024),
    "Square, 512": (512, 512),
    "Full HD": (1920, 1080),
    "4K": (3840, 2160),
    "A4 at 300 dpi": (2480, 3508),
}
BACKGROUNDS = {"White": "#ffffff", "Grey": "#808080", "Black": "#000000", "Transparent": None}


class NewDialog(QDialog):
    """Asks for the size and background of a new canvas."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New picture")
        self._presets = QComboBox()
        self._presets.addItems(list(PRESETS))
        self._presets.currentTextChanged.connect(lambda name: self._take(PRESETS[name]))
        self._width, self._height = self._side(), self._side()
        self._background = QComboBox()
        self._background.addItems(list(BACKGROUNDS))
        row = QHBoxLayout()
        for widget in (self._width, QLabel("x"), self._height):
            row.addWidget(widget)
        form = QFormLayout()
        form.addRow("Preset", self._presets)
        form.addRow("Size", row)
        form.addRow("Background", self._background)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.Ok
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Create")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self._take((1024, 1024))

    def _side(self) -> QSpinBox:
        box = QSpinBox()
        box.setRange(1, min(16_384, MAX_SIDE))
        box.setSuffix(" px")
        return box

    def _take(self, size: tuple[int, int]) -> None:
        self._width.setValue(size[0])
        self._height.setValue(size[1])

    @property
    def size_wanted(self) -> Size:
        return Size(self._width.value(), self._height.value())

    @property
    def background(self) -> tuple[int, int, int, int] | None:
        name = BACKGROUNDS[self._background.currentText()]
        if name is None:
            return None
        colour = QColor(name)
        return (colour.red(), colour.green(), colour.blue(), 255)
