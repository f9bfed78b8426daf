"""Compare before and after, or two results: a wipe over the canvas with a line to drag."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPen, QPolygonF, QRegion

from core.geometry import EMPTY, Rect
from core.paint import layers
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group
from editor.canvas.canvas import checkerboard
from editor.canvas.overlays import make_image, make_transform

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from core.paint.document import Document
    from editor.canvas.canvas import Canvas
    from editor.canvas.view_transform import ViewTransform

GRIP = 6
"""Pixels left and right of the line in which it can be dragged."""
HANDLE = 11
"""Radius of the handle on the line, in pixels."""


def hide_ai_layers(root: Group) -> Group:
    """The picture before: every AI layer hidden."""
    for node in layers.walk(root):
        if isinstance(node, AiLayer) and node.visible:
            root = layers.replace_node(root, replace(node, visible=False))
    return root


def hide_layer(root: Group, layer_id: str) -> Group:
    """The picture with one layer hidden."""
    node = layers.find(root, layer_id)
    return layers.replace_node(root, replace(node, visible=False)) if node is not None else root


class CompareWipe(QObject):
    """Shows the picture before, or a pinned one, left of the line; ``toggle`` shows or ends it.

    It draws only where the pictures may differ, so it costs what the AI layers cover.
    """

    def __init__(self, canvas: "Canvas") -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.is_on = False
        self._was_on = False
        self.share = 0.5
        self._layer_id = ""
        self._pinned: Group | None = None
        self._left, self._right = "Before", "After"
        self._is_dragging = False
        self._image: QImage | None = None
        self._rect = EMPTY
        self._root: Group | None = None
        canvas.overlays.append(self)
        canvas.installEventFilter(self)

    def toggle(self) -> None:
        """Start with the line in the middle, or end."""
        self._set_on(not self.is_on)

    def pin(self, name: str) -> None:
        """Keep the picture as it is now left of the line, to compare what comes next with it."""
        self._pinned = self._canvas.document.root
        self._left, self._right = f"Pinned: {name}" if name else "Pinned", "Now"
        self._set_on(True)

    def show_layer(self, layer_id: str) -> None:
        """Show the picture without one layer; an empty id ends that."""
        if layer_id and not self._layer_id:
            self._was_on = self.is_on
        self._layer_id = layer_id
        self.share = 1.0 if layer_id else 0.5
        self._set_on(bool(layer_id) or self._was_on)

    def _set_on(self, on: bool) -> None:
        self.is_on = on
        self._root = self._image = None
        if not on:
            self._pinned = None
            self._left, self._right = "Before", "After"
        if on and not self._layer_id:
            self.share = 0.5
        self._canvas.unsetCursor()
        self._canvas.update()

    @property
    def line(self) -> float:
        """Where the line stands, in pixels of the canvas widget."""
        return self.share * self._canvas.width()

    def paint(self, painter: QPainter, view: "ViewTransform") -> None:
        if not self.is_on:
            return
        self._render(self._canvas.document)
        if self._image is not None:
            self._paint_before(painter, view)
        if not self._layer_id:
            self._paint_line(painter)

    def _render(self, document: "Document") -> None:
        """Render the picture before where it differs, unless the document is unchanged."""
        if document.root is self._root:
            return
        self._root = document.root
        before = self._root_before(document.root)
        self._rect = _changed_rect(document, self._layer_id, before)
        self._image = make_image(flatten(before, self._rect)) if self._rect else None

    def _root_before(self, root: Group) -> Group:
        if self._layer_id:
            return hide_layer(root, self._layer_id)
        return self._pinned if self._pinned is not None else hide_ai_layers(root)

    def _paint_before(self, painter: QPainter, view: "ViewTransform") -> None:
        assert self._image is not None
        painter.save()
        painter.setClipRect(QRectF(0, 0, self.line, self._canvas.height()))
        to_screen = make_transform(view)
        corners = QPolygonF(QRectF(*self._rect))
        painter.setClipRegion(
            QRegion(to_screen.map(corners).toPolygon()), Qt.ClipOperation.IntersectClip
        )
        painter.fillRect(self._canvas.rect(), QBrush(checkerboard()))
        painter.setTransform(to_screen, True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.zoom < 1)
        painter.drawImage(QPointF(self._rect.x, self._rect.y), self._image)
        painter.restore()

    def _paint_line(self, painter: QPainter) -> None:
        x, height = self.line, self._canvas.height()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 140), 3), (QColor(255, 255, 255, 230), 1)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, 0), QPointF(x, height))
        painter.setPen(QPen(QColor(0, 0, 0, 140), 1))
        painter.setBrush(QColor(255, 255, 255, 230))
        painter.drawEllipse(QPointF(x, height / 2), HANDLE, HANDLE)
        painter.setPen(QPen(QColor(40, 40, 40), 2))
        for side in (-1, 1):
            tip = QPointF(x + side * 7, height / 2)
            for up in (-3, 3):
                painter.drawLine(tip, QPointF(x + side * 3.5, height / 2 + up))
        _draw_label(painter, self._left, x - 10, Qt.AlignmentFlag.AlignRight)
        _draw_label(painter, self._right, x + 10, Qt.AlignmentFlag.AlignLeft)
        painter.restore()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if not self.is_on or self._layer_id or not isinstance(event, QMouseEvent):
            return False
        at = event.position().x()
        is_near = abs(at - self.line) <= GRIP
        if event.type() == QEvent.Type.MouseButtonPress and is_near:
            self._is_dragging = True
            return True
        if event.type() == QEvent.Type.MouseButtonRelease and self._is_dragging:
            self._is_dragging = False
            return True
        if event.type() == QEvent.Type.MouseMove:
            return self._drag_line(at, is_near)
        return False

    def _drag_line(self, at: float, is_near: bool) -> bool:
        if self._is_dragging:
            self.share = min(1.0, max(0.0, at / max(1, self._canvas.width())))
            self._canvas.update()
            return True
        shape = Qt.CursorShape.SplitHCursor if is_near else Qt.CursorShape.CrossCursor
        self._canvas.setCursor(shape)
        return False


def _changed_rect(document: "Document", layer_id: str, before: Group) -> Rect:
    """Where before and after may differ."""
    nodes = [*layers.walk(document.root), *layers.walk(before)]
    wanted = (n for n in nodes if (n.id == layer_id if layer_id else isinstance(n, AiLayer)))
    shown = (n for n in wanted if n.visible)
    return Rect.union(layers.extent(n, document.bounds) for n in shown) & document.bounds


def _draw_label(painter: QPainter, text: str, x: float, side: Qt.AlignmentFlag) -> None:
    width = painter.fontMetrics().horizontalAdvance(text) + 16
    left = x - width if side is Qt.AlignmentFlag.AlignRight else x
    box = QRectF(left, 10, width, 22)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 150))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(235, 235, 235))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
