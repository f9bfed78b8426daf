"""Widgets beside each other, as many as there is room for."""

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

GAP = 8


class DialRow(QWidget):
    """A line of widgets; those at its end are hidden while the line is too short for them."""

    def __init__(self) -> None:
        super().__init__()
        self.widgets: list[QWidget] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_widgets(self, widgets: Sequence[QWidget]) -> None:
        """Show other widgets, the most important first; those before are deleted."""
        for widget in self.widgets:
            widget.hide()
            widget.deleteLater()
        self.widgets = list(widgets)
        for widget in self.widgets:
            widget.setParent(self)
        self.updateGeometry()
        self._place()

    def sizeHint(self) -> QSize:
        hints = [widget.sizeHint() for widget in self.widgets]
        width = sum(hint.width() + GAP for hint in hints)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        left, fits = 0, True
        for widget in self.widgets:
            size = widget.sizeHint()
            fits = fits and left + size.width() <= self.width()
            top = (self.height() - size.height()) // 2
            widget.setGeometry(left, top, size.width(), size.height())
            widget.setVisible(fits)
            left += size.width() + GAP
