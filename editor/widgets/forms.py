"""A form for the fields of a Params dataclass; every change gives a new Params value."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core import params as declared
from core.params import Choice, Field, File, Marker, ModelName, Range, Switch, Text, Value
from editor.widgets.entry import EntryField
from editor.widgets.file_line import FileLine
from editor.widgets.model_box import ModelBox
from editor.widgets.slider import NumberSlider

OnChange = Callable[[Any], None]
LINE_HEIGHT = 20


class Form(QWidget):
    """A column of fields for one Params value; ``value`` is the value it shows.

    ``fields`` are its widgets by parameter, ``rows`` the same with their labels.

    ``on_change`` gets the new value while a dial moves, ``on_settle`` once it is released.
    """

    def __init__(
        self,
        value: Any,
        on_change: OnChange,
        on_settle: OnChange | None = None,
        without: tuple[type[Marker], ...] = (),
    ) -> None:
        super().__init__()
        self.value = value
        self._on_change = on_change
        self._on_settle = on_settle
        self.fields: dict[str, QWidget] = {}
        self.rows: dict[str, QWidget] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for field in declared.fields(type(value)):
            if not isinstance(field.marker, without):
                self.rows[field.name] = self._make_row(field)
                layout.addWidget(self.rows[field.name])

    def show_value(self, value: Any) -> None:
        """Show another value of the same class without calling back."""
        self.value = value
        for field in declared.fields(type(value)):
            widget = self.fields.get(field.name)
            if widget is not None:
                _show_in(widget, getattr(value, field.name))

    def _make_row(self, field: Field) -> QWidget:
        widget = self._make_widget(field)
        widget.setToolTip(widget.toolTip() or field.marker.help)
        widget.setAccessibleName(field.label)
        self.fields[field.name] = widget
        if isinstance(widget, (NumberSlider, QCheckBox, FileLine)):
            return widget
        row = QWidget()
        layout = QFormLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        label = QLabel(field.label)
        label.setProperty("role", "dim")
        layout.addRow(label, widget)
        return row

    def _make_widget(self, field: Field) -> QWidget:
        now = getattr(self.value, field.name)
        if isinstance(field.marker, Range):
            return self._make_slider(field, field.marker, now)
        if isinstance(field.marker, Choice):
            return self._make_choice(field, field.marker, now)
        if isinstance(field.marker, Switch):
            return self._make_switch(field, now)
        if isinstance(field.marker, File):
            return self._make_file_line(field, field.marker, now)
        if isinstance(field.marker, ModelName):
            return self._make_model_box(field, field.marker, now)
        return self._make_text(field, field.marker, now)

    def _make_slider(self, field: Field, marker: Range, now: Value) -> NumberSlider:
        default = float(field.default)
        slider = NumberSlider(marker, float(now), default, field.label, field.type is int)
        slider.changed.connect(lambda value: self._set_field(field, value))
        slider.settled.connect(lambda value: self._set_field(field, value, settled=True))
        return slider

    def _make_choice(self, field: Field, marker: Choice, now: Value) -> QComboBox:
        box = QComboBox()
        names = marker.names or marker.options
        for option, name in zip(marker.options, names, strict=True):
            box.addItem(name, option)
        box.setCurrentIndex(box.findData(now))
        box.currentIndexChanged.connect(
            lambda index: self._set_field(field, box.itemData(index), settled=True)
        )
        return box

    def _make_switch(self, field: Field, now: Value) -> QCheckBox:
        switch = QCheckBox(field.label)
        switch.setChecked(bool(now))
        switch.toggled.connect(lambda on: self._set_field(field, on, settled=True))
        return switch

    def _make_file_line(self, field: Field, marker: File, now: Value) -> FileLine:
        line = FileLine(marker, str(now), field.label)
        line.changed.connect(lambda path: self._set_field(field, path, settled=True))
        return line

    def _make_model_box(self, field: Field, marker: ModelName, now: Value) -> ModelBox:
        box = ModelBox(marker, str(now), field.label)
        box.changed.connect(lambda name: self._set_field(field, name, settled=True))
        return box

    def _make_text(self, field: Field, marker: Text, now: Value) -> QWidget:
        if marker.lines > 1:
            area = QPlainTextEdit(str(now))
            area.setFixedHeight(LINE_HEIGHT * marker.lines + 8)
            area.setTabChangesFocus(True)
            area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            area.textChanged.connect(lambda: self._set_field(field, area.toPlainText()))
            return area
        line = EntryField()
        line.setText(str(now))
        line.textEdited.connect(lambda text: self._set_field(field, text))
        line.ended.connect(lambda text: self._set_field(field, text, settled=True))
        return line

    def _set_field(self, field: Field, value: Any, settled: bool = False) -> None:
        self.value = replace(self.value, **{field.name: declared.check(field, value)})
        self._on_change(self.value)
        if settled and self._on_settle is not None:
            self._on_settle(self.value)


def _show_in(widget: QWidget, value: Any) -> None:
    blocked = widget.blockSignals(True)
    if isinstance(widget, NumberSlider):
        widget.set_value(float(value))
    elif isinstance(widget, QCheckBox):
        widget.setChecked(bool(value))
    elif isinstance(widget, ModelBox):
        widget.show_name(str(value))
    elif isinstance(widget, QComboBox):
        widget.setCurrentIndex(widget.findData(value))
    elif isinstance(widget, FileLine):
        widget.show_path(str(value))
    elif isinstance(widget, QLineEdit) and widget.text() != value:
        widget.setText(str(value))
    elif isinstance(widget, QPlainTextEdit) and widget.toPlainText() != value:
        widget.setPlainText(str(value))
    widget.blockSignals(blocked)


def build_form(
    value: Any,
    on_change: OnChange,
    on_settle: OnChange | None = None,
    without: tuple[type[Marker], ...] = (),
) -> Form:
    """The form of a Params value, leaving out parameters with some markers."""
    return Form(value, on_change, on_settle, without)
