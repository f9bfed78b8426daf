"""The Brush dock: which brush, all its dials, and those of the tool that paints with it."""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from core.catalog import brushes, params_of, tools
from core.paint.brush_sample import draw_sample
from core.params import BrushSize, field_marked, from_json, to_json
from editor.canvas.overlays import make_image
from editor.panels.panel import Place, panels
from editor.widgets.entry import leave_entry
from editor.widgets.forms import build_form

if TYPE_CHECKING:
    from core.catalog import Brush
    from editor.session import Session
    from editor.widgets.forms import Form
    from editor.widgets.theme import Tokens

SAMPLE = QSize(96, 26)
SAMPLE_SIZE = 14.0
"""Diameter of the brush in its sample, in pixels."""
BRUSH = Qt.ItemDataRole.UserRole


@panels.register
class BrushPanel(QWidget):
    """Shows every brush with a stroke of it; the dials below belong to the chosen one."""

    id: ClassVar[str] = "brush"
    title: ClassVar[str] = "Brush"
    place: ClassVar[Place] = Place(32, is_tab=True)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.list = QListWidget()
        self.list.setAccessibleName("Brushes")
        self.list.setIconSize(SAMPLE)
        self.list.itemClicked.connect(self._on_clicked)
        self.list.itemActivated.connect(self._on_clicked)
        self.heading = QLabel()
        self.heading.setProperty("role", "dim")
        self.forms: list[Form] = []
        self._shown = ("", "")
        self._lay_out()
        session.studio.chosen.connect(lambda _: self.refresh())
        session.tokens.changed.connect(self.apply_theme)
        self.apply_theme(session.tokens.value)
        self.refresh()

    def _lay_out(self) -> None:
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(6)
        self._column.addWidget(self.list)
        self._column.addWidget(self.heading)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def apply_theme(self, tokens: "Tokens") -> None:
        """List the brushes anew, with strokes in the colour of the text."""
        self.list.clear()
        for kind in brushes:
            item = QListWidgetItem(_draw_icon(kind, tokens.text), kind.label)
            item.setData(BRUSH, kind.id)
            item.setToolTip((kind.__doc__ or "").strip())
            self.list.addItem(item)
        row = self.list.sizeHintForRow(0) if len(brushes) else 0
        self.list.setFixedHeight(row * min(len(brushes), 5) + 4)
        self._show_chosen()

    def refresh(self) -> None:
        """Show the chosen brush, and the values of its dials."""
        studio = self.session.studio
        shown = (studio.choices.tool, studio.choices.brush)
        if shown != self._shown:
            self._shown = shown
            self._rebuild()
            self._show_chosen()
        for form, value in zip(self.forms, self._values(), strict=True):
            form.show_value(value)

    def _values(self) -> list[Any]:
        studio = self.session.studio
        return [studio.brush_params, studio.tool_params]

    def _rebuild(self) -> None:
        studio = self.session.studio
        for form in self.forms:
            form.deleteLater()
        setters = (studio.set_brush_params, studio.set_tool_params)
        pairs = zip(self._values(), setters, strict=True)
        self.forms = [build_form(value, set_value) for value, set_value in pairs]
        above, below = self._column.indexOf(self.list), self._column.indexOf(self.heading)
        self._column.insertWidget(below + 1, self.forms[1])
        self._column.insertWidget(above + 1, self.forms[0])
        has_dials = bool(self.forms[1].fields)
        self.heading.setText(f"Tool: {tools[studio.choices.tool].label}")
        self.heading.setVisible(has_dials)
        self.forms[1].setVisible(has_dials)

    def _show_chosen(self) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(BRUSH) == self.session.studio.choices.brush:
                self.list.setCurrentRow(row)

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self.session.studio.choose_brush(item.data(BRUSH))
        leave_entry(self)


def _draw_icon(kind: Any, colour: str) -> QIcon:
    """A stroke of a brush with the dials it starts with, at one size for all."""
    made = QIcon()
    for scale in (1, 2):
        made.addPixmap(_draw_stroke(kind, colour, scale))
    return made


def _draw_stroke(kind: Any, colour: str, scale: int) -> QPixmap:
    width, height = SAMPLE.width() * scale, SAMPLE.height() * scale
    try:
        alpha = draw_sample(_make_small(kind, SAMPLE_SIZE * scale), width, height)
    except Exception:  # noqa: BLE001 - the brush of a plugin; without a picture it has its name
        alpha = np.zeros((height, width), np.uint8)
    opaque = np.array(QColor(colour).getRgb(), np.uint16)
    drawn = QPixmap.fromImage(make_image((alpha[..., None] * opaque // 255).astype(np.uint8)))
    drawn.setDevicePixelRatio(scale)
    return drawn


def _make_small(kind: Any, size: float) -> "Brush":
    """A brush with the dials it starts with, but for its size."""
    params = params_of(kind)
    field, values = field_marked(params, BrushSize), to_json(params())
    if field is not None and isinstance(field.marker, BrushSize):
        values[field.name] = min(field.marker.high, max(field.marker.low, size))
    brush: Brush = kind(from_json(params, values))
    return brush
