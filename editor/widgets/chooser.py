"""A combo box over ids, with headings, and entries that cannot be chosen and give the reason."""

from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

ID_ROLE = Qt.ItemDataRole.UserRole
TEXT_MARGIN = 6
"""Pixels that a style keeps free left and right of the text."""


class Entry(NamedTuple):
    """One line of a chooser; ``reason`` is why it cannot be chosen, empty when it can.

    A heading stands above the entries that follow and cannot be chosen.
    """

    id: str
    label: str
    about: str = ""
    reason: str = ""
    is_heading: bool = False


class Chooser(QComboBox):
    """A combo box over ids; ``chosen`` carries the id a person picked."""

    chosen = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._entries: list[Entry] = []
        self.activated.connect(lambda _: self.chosen.emit(self.currentData(ID_ROLE)))

    def show_entries(self, entries: list[Entry], chosen: str) -> None:
        """List entries and show one of them, without emitting a signal."""
        if entries != self._entries:
            self._entries = entries
            model = QStandardItemModel(self)
            for entry in entries:
                model.appendRow(_make_item(entry))
            self.setModel(model)
        self.setCurrentIndex(self.findData(chosen, ID_ROLE))
        self.setToolTip(self.currentData(Qt.ItemDataRole.ToolTipRole) or "")

    def shown_text(self) -> str:
        """The chosen entry, with an ellipsis where it is too long."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        kind = QStyle.ComplexControl.CC_ComboBox
        room = self.style().subControlRect(kind, option, field, self).width() - TEXT_MARGIN
        way = Qt.TextElideMode.ElideRight
        return self.fontMetrics().elidedText(self.currentText(), way, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def showPopup(self) -> None:
        """The list is as wide as its longest entry."""
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 4 * TEXT_MARGIN)
        super().showPopup()


def _make_item(entry: Entry) -> QStandardItem:
    item = QStandardItem(f"{entry.label} (not available)" if entry.reason else entry.label)
    item.setData(entry.id, ID_ROLE)
    item.setToolTip(entry.reason or entry.about)
    item.setEnabled(not (entry.reason or entry.is_heading))
    font = item.font()
    font.setBold(entry.is_heading)
    item.setFont(font)
    return item
