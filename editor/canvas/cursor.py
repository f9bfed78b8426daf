"""The pointer over the canvas: the outline of the brush and the shape of the cursor."""

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor, QPainter

from core.params import BrushSize, field_marked
from editor.canvas.overlays import BrushOutline
from editor.widgets.theme import pixmap

if TYPE_CHECKING:
    from editor.canvas.canvas import Canvas
    from editor.canvas.navigation import Navigation


PIPETTE = 18
"""Pixels a side of the cursor that picks a colour."""


class CanvasCursor:
    """Follows the pointer and the choice of tool; ``outline`` is to be drawn last."""

    def __init__(self, canvas: "Canvas", navigation: "Navigation") -> None:
        self._canvas = canvas
        self._navigation = navigation
        self.outline = BrushOutline()
        self._is_alt_held = False

    def move_to(self, at: QPointF) -> None:
        self._canvas.update(self.outline.rect(self._canvas.view))
        self.outline.at = at
        self._canvas.update(self.outline.rect(self._canvas.view))

    def hold_alt(self, is_held: bool) -> None:
        """Note whether Alt is held, with which a brush picks a colour."""
        self._is_alt_held = is_held
        self.show()
        self._canvas.update(self.outline.rect(self._canvas.view))

    def hide_outline(self) -> None:
        self.outline.at = None
        self._canvas.update()

    def refresh(self) -> None:
        """Follow another choice of tool, brush or size."""
        self.outline.size = self._outline_size()
        self.show()
        self._canvas.update()

    def _outline_size(self) -> float:
        """The tool's own size, or the brush's under a tool that paints with it."""
        studio = self._canvas.studio
        shown = [studio.tool_params, *([studio.brush_params] if studio.tool.uses_brush else [])]
        for params in shown:
            field = field_marked(type(params), BrushSize)
            if field is not None:
                return float(getattr(params, field.name))
        return 0.0

    def show(self) -> None:
        """Set the cursor that fits what the next press does."""
        tool = self._canvas.studio.tool
        moves_view = self._navigation.is_ready or tool.moves_view
        picks = self._is_alt_held and tool.uses_brush and not moves_view
        self.outline.is_hidden = moves_view or picks
        if picks:
            self._canvas.setCursor(_pipette())
            return
        if self._navigation.is_dragging:
            shape = Qt.CursorShape.ClosedHandCursor
        elif moves_view:
            shape = Qt.CursorShape.OpenHandCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        self._canvas.setCursor(QCursor(shape))


@cache
def _pipette() -> QCursor:
    """A pipette with a light edge, seen on any picture; its tip is at the lower left."""
    drawn = pixmap("pipette", "#000000", PIPETTE + 2)
    painter = QPainter(drawn)
    painter.drawPixmap(1, 1, pixmap("pipette", "#ffffff", PIPETTE))
    painter.end()
    return QCursor(drawn, 2, PIPETTE)
