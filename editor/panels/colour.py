"""The Colour dock: a square of saturation and value, a bar of hues, hex and both colours."""

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from editor.panels.panel import Place, panels
from editor.widgets.entry import EntryField
from editor.widgets.swatch import Swatch

if TYPE_CHECKING:
    from editor.session import Session

HUES_WIDTH = 14
GAP = 8


@panels.register
class ColourPanel(QWidget):
    """Changes the foreground colour; X swaps it with the background, D resets both."""

    id: ClassVar[str] = "colour"
    title: ClassVar[str] = "Colour"
    place: ClassVar[Place] = Place(30, height=136, is_tab_when_low=True)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.square = ColourSquare()
        self.square.picked.connect(self._set_foreground)
        self.swatch = Swatch(session.studio)
        self.hex = EntryField()
        self.hex.setFixedWidth(84)
        self.hex.setAccessibleName("Hex colour")
        self.hex.setToolTip("Colour as #rrggbb")
        self.hex.ended.connect(self._on_typed)
        row = QHBoxLayout()
        row.addWidget(self.swatch)
        row.addWidget(self.hex)
        row.addStretch(1)
        button = QToolButton()
        button.setDefaultAction(session.actions["swap"])
        row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(GAP)
        layout.addWidget(self.square, 1)
        layout.addLayout(row)
        session.studio.chosen.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        colour = QColor(*self.session.studio.choices.foreground)
        self.square.show_colour(colour)
        if not self.hex.hasFocus():
            self.hex.setText(colour.name())

    def _set_foreground(self, colour: QColor) -> None:
        self.session.studio.choose(foreground=(colour.red(), colour.green(), colour.blue(), 255))

    def _on_typed(self, text: str) -> None:
        colour = QColor(f"#{text.strip().removeprefix('#')}")
        if colour.isValid():
            self._set_foreground(colour)
        self.hex.setText(QColor(*self.session.studio.choices.foreground).name())


class ColourSquare(QWidget):
    """Saturation to the right, value upwards, hues in a bar at the right."""

    picked = QtSignal(QColor)

    def __init__(self) -> None:
        super().__init__()
        self._hue, self._saturation, self._value = 0.0, 0.0, 0.0
        self._is_dragging_hue = False
        self.setMinimumSize(160, 56)
        self.setAccessibleName("Colour square")
        self.setCursor(Qt.CursorShape.CrossCursor)

    def sizeHint(self) -> QSize:
        return QSize(220, 80)

    def show_colour(self, colour: QColor) -> None:
        """Show a colour; grey keeps the hue there is."""
        if colour == self.colour:
            return
        if colour.hsvSaturationF() > 0 and colour.valueF() > 0:
            self._hue = max(0.0, colour.hsvHueF())
        if colour.valueF() > 0:
            self._saturation = colour.hsvSaturationF()
        self._value = colour.valueF()
        self.update()

    @property
    def colour(self) -> QColor:
        return QColor.fromHsvF(self._hue, self._saturation, self._value).toRgb()

    def _square_rect(self) -> QRectF:
        return QRectF(0, 0, self.width() - HUES_WIDTH - GAP, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self._square_rect()
        across = QLinearGradient(box.topLeft(), box.topRight())
        across.setColorAt(0, QColor("white"))
        across.setColorAt(1, QColor.fromHsvF(self._hue, 1, 1))
        down = QLinearGradient(box.topLeft(), box.bottomLeft())
        down.setColorAt(0, QColor(0, 0, 0, 0))
        down.setColorAt(1, QColor("black"))
        painter.setPen(Qt.PenStyle.NoPen)
        for gradient in (across, down):
            painter.setBrush(QBrush(gradient))
            painter.drawRoundedRect(box, 4, 4)
        self._paint_hues(painter, box)
        spot = QPointF(self._saturation * box.width(), (1 - self._value) * box.height())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, radius in ((QColor("black"), 6.0), (QColor("white"), 5.0)):
            painter.setPen(QPen(colour, 1.5))
            painter.drawEllipse(spot, radius, radius)
        painter.end()

    def _paint_hues(self, painter: QPainter, box: QRectF) -> None:
        bar = QRectF(box.right() + GAP, 0, HUES_WIDTH, self.height())
        hues = QLinearGradient(bar.topLeft(), bar.bottomLeft())
        for sixth in range(7):
            hues.setColorAt(sixth / 6, QColor.fromHsvF(min(sixth / 6, 0.999), 1, 1))
        painter.setBrush(QBrush(hues))
        painter.drawRoundedRect(bar, 4, 4)
        painter.setPen(QPen(QColor("white"), 2))
        y = 1 + self._hue * (self.height() - 2)
        painter.drawLine(QPointF(bar.left(), y), QPointF(bar.right(), y))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._is_dragging_hue = event.position().x() > self._square_rect().right() + GAP / 2
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not event.buttons() & Qt.MouseButton.LeftButton:
            return
        x, y = event.position().x(), event.position().y()
        down = min(1.0, max(0.0, y / max(1, self.height())))
        if self._is_dragging_hue:
            self._hue = min(down, 0.9999)
        else:
            self._saturation = min(1.0, max(0.0, x / max(1.0, self._square_rect().width())))
            self._value = 1 - down
        self.update()
        self.picked.emit(self.colour)
