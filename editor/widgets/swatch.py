"""The foreground colour over the background colour."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from editor.studio import Studio


class Swatch(QWidget):
    """Foreground over background, as the studio has them."""

    def __init__(self, studio: "Studio") -> None:
        super().__init__()
        self.studio = studio
        self.setFixedSize(38, 30)
        self.setToolTip("Foreground and background (X swaps, D resets)")
        self.setAccessibleName("Foreground and background colour")
        studio.chosen.connect(lambda _: self.update())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().window().color().darker(150), 1))
        choices = self.studio.choices
        for colour, x, y in ((choices.background, 14, 8), (choices.foreground, 1, 1)):
            painter.setBrush(QColor(*colour))
            painter.drawRoundedRect(QRectF(x + 0.5, y + 0.5, 22, 20), 3, 3)
        painter.end()
