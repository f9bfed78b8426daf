"""The canvas: pointer events out to tools, changed rectangles in from the document."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QCursor,
    QEnterEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from core.document import Document
from core.errors import EditorError
from core.geometry import Rect
from core.layers import AiLayer
from core.pixels import Pixels
from core.tools.gesture import Context, Kind, PointerEvent
from editor import view as views
from editor.canvas_overlays import (
    PixelGrid,
    Preview,
    RegionTint,
    SelectionOutline,
    transform,
)
from editor.canvas_tiles import Pyramid, level_for
from editor.studio import Studio
from editor.view import ViewTransform

if TYPE_CHECKING:
    from core.tools.painting import Gesture
    from editor.canvas_overlays import (
        Overlay,
    )

WheelFilter = Callable[[QWheelEvent, float, float], bool]
PAUSE = 0.25
"""Seconds without a movement after which a gesture is told that time passes."""
MIDDLE = Qt.MouseButton.MiddleButton


class Canvas(QWidget):
    """Shows the studio's document and plays the chosen tool's gestures.

    ``wheel_filters`` are asked first what a wheel turn over document (x, y) means; ``prepare``
    completes the context of a gesture; ``overlays`` are drawn last.
    """

    zoomed = Signal(float)
    hovered = Signal(float, float)
    inked = Signal(float)
    failed = Signal(str)

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.studio = studio
        self.view = ViewTransform()
        self.wheel_filters: list[WheelFilter] = []
        self.overlays: list[Overlay] = []
        self.prepare: Callable[[Context], Context] = lambda context: context
        self.region = RegionTint()
        self.outline = SelectionOutline()
        self.preview = Preview()
        self.surround = QColor("#2b2b2b")
        self._gesture: Gesture | None = None
        self._last = PointerEvent(Kind.move, 0, 0)
        self._ink_since: float | None = None
        self._pan: QPointF | None = None
        self._turn: tuple[float, float] | None = None
        self._space = False
        self._pointer: QPointF | None = None
        self._fits = True
        self._leave: list[Callable[[], None]] = []
        self._pulse = QTimer(self)
        self._pulse.setInterval(round(PAUSE * 1000))
        self._pulse.timeout.connect(self._time_passes)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Canvas")
        self.setMinimumSize(160, 120)
        studio.opened.connect(self._open)
        studio.chosen.connect(lambda _: self._chosen())
        self._open(studio.document)

    # The document

    def _open(self, document: Document) -> None:
        self.cancel()
        for leave in self._leave:
            leave()
        self.document = document
        self._pyramid = Pyramid(document)
        self.region.layer = None
        self.preview.show(Rect(0, 0, 0, 0), None)
        self._leave = [
            document.changed.connect(self._changed),
            document.selected.connect(lambda _: self._selected()),
        ]
        self._selected()
        self.fit()

    def _changed(self, rect: Rect) -> None:
        self._pyramid.touched(rect)
        self.update(self._on_screen(rect))

    def _selected(self) -> None:
        self.outline.show(self.document.selection, self.document)
        self.update()

    def _chosen(self) -> None:
        self._show_cursor()
        self.update()

    def show_preview(self, rect: Rect, rgba: Pixels | None) -> None:
        """Show RGBA premultiplied bytes stretched over a document rectangle; None takes it away."""
        before = self.preview.rect
        self.preview.show(rect, rgba)
        self.update(self._on_screen(before | rect))

    def _on_screen(self, rect: Rect) -> QRect:
        left, top, right, bottom = self.view.bounds_on_screen(rect)
        return QRectF(QPointF(left - 2, top - 2), QPointF(right + 2, bottom + 2)).toAlignedRect()

    # The view

    def set_view(self, view: ViewTransform) -> None:
        self._fits = False
        self.view = view
        self.zoomed.emit(view.zoom)
        self.update()

    def fit(self) -> None:
        """The whole canvas in the window."""
        self.set_view(views.fitted(self.document.size, self.width(), self.height()))
        self._fits = True

    def actual_size(self) -> None:
        self.zoom_to(1.0)

    def zoom_to(self, zoom: float) -> None:
        """Zoom about the middle of the window."""
        self.set_view(self.view.zoomed(zoom, self.width() / 2, self.height() / 2))

    def zoom_by(self, stops: int) -> None:
        self.zoom_to(self.view.next_stop(stops))

    def turn_by(self, degrees: float) -> None:
        middle = self.width() / 2, self.height() / 2
        self.set_view(self.view.turned(self.view.angle + degrees, *middle))

    def upright(self) -> None:
        self.turn_by(-self.view.angle)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits:
            self.fit()

    # Gestures

    @property
    def is_gesturing(self) -> bool:
        return self._gesture is not None

    def cancel(self) -> None:
        """End a running gesture and put back what it did."""
        gesture, self._gesture = self._gesture, None
        self._pulse.stop()
        if gesture is not None:
            gesture.close()
            self.region.layer = None
            self.update()

    def _begin(self, event: PointerEvent) -> None:
        choices = self.studio.choices
        context = Context(
            self.document,
            self.document.state.active,
            self.studio.brush,
            self.studio.tool_params,
            choices.foreground,
            pick=self._pick,
            panned=self._panned,
        )
        self._gesture = self.studio.tool.gesture(self.prepare(context), event)
        self._pulse.start()
        self._advance(None)

    def _advance(self, event: PointerEvent | None) -> None:
        gesture = self._gesture
        if gesture is None:
            return
        try:
            if event is None:
                next(gesture)
            else:
                gesture.send(event)
            self._show_region()
        except StopIteration:
            self._end()
        except EditorError as error:
            self._end()
            self.failed.emit(str(error))

    def _end(self) -> None:
        self._gesture = None
        self._pulse.stop()
        self.region.layer = None
        self.update()

    def _show_region(self) -> None:
        active = self.document.active
        is_painting = self.studio.choices.tool == "ai-brush"
        self.region.layer = active if is_painting and isinstance(active, AiLayer) else None

    def _pick(self, colour: tuple[int, int, int, int], is_background: bool) -> None:
        self.studio.choose(**{"background" if is_background else "foreground": colour})

    def _panned(self, dx: float, dy: float) -> None:
        """A movement in document pixels under a view that moves along."""
        here = self.view.to_screen(0, 0)
        there = self.view.to_screen(dx, dy)
        self.set_view(self.view.panned(there[0] - here[0], there[1] - here[1]))

    def _time_passes(self) -> None:
        if self._gesture is not None:
            self._last = replace(self._last, time=time.monotonic())
            self._advance(self._last)

    def _pointed(self, kind: Kind, at: QPointF, pressure: float, keys: Qt.KeyboardModifier) -> None:
        x, y = self.view.to_document(at.x(), at.y())
        event = PointerEvent(
            kind,
            x,
            y,
            pressure,
            time.monotonic(),
            bool(keys & Qt.KeyboardModifier.ShiftModifier),
            bool(keys & Qt.KeyboardModifier.ControlModifier),
            bool(keys & Qt.KeyboardModifier.AltModifier),
        )
        self._last = event if kind is Kind.move else replace(event, kind=Kind.move)
        if self._ink_since is None:
            self._ink_since = time.perf_counter()
        if kind is Kind.press:
            self.cancel()
            self._begin(event)
        else:
            self._advance(event)

    # Qt's events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        at = event.position()
        if event.button() == MIDDLE or self._space:
            self._pan = at
            self._show_cursor()
        elif event.button() == Qt.MouseButton.LeftButton:
            if self._is_turning(event.modifiers()):
                self._turn = (self.view.angle, self._bearing(at))
            else:
                self._pointed(Kind.press, at, 1.0, event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self._hover(at)
        if self._pan is not None:
            step, self._pan = at - self._pan, at
            self.set_view(self.view.panned(step.x(), step.y()))
        elif self._turn is not None:
            angle, bearing = self._turn
            middle = self.width() / 2, self.height() / 2
            self.set_view(self.view.turned(angle + self._bearing(at) - bearing, *middle))
        elif self._gesture is not None:
            self._pointed(Kind.move, at, 1.0, event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan is not None or self._turn is not None:
            self._pan, self._turn = None, None
            self._show_cursor()
        elif self._gesture is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pointed(Kind.release, event.position(), 1.0, event.modifiers())

    def tabletEvent(self, event: QTabletEvent) -> None:
        at = event.position()
        self._hover(at)
        kinds = {
            QEvent.Type.TabletPress: Kind.press,
            QEvent.Type.TabletMove: Kind.move,
            QEvent.Type.TabletRelease: Kind.release,
        }
        kind = kinds[event.type()]
        if self._space or (kind is Kind.press and event.button() != Qt.MouseButton.LeftButton):
            event.ignore()
            return
        if kind is Kind.press or self._gesture is not None:
            pressure = self._last.pressure if kind is Kind.release else event.pressure()
            self._pointed(kind, at, pressure, event.modifiers())
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = event.position()
        x, y = self.view.to_document(at.x(), at.y())
        if not any(filter_(event, x, y) for filter_ in self.wheel_filters):
            turns = event.angleDelta().y() / 120
            self.set_view(self.view.zoomed(self.view.zoom * 1.2**turns, at.x(), at.y()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = True
            self._show_cursor()
        elif event.key() == Qt.Key.Key_Escape and self._gesture is not None:
            self.cancel()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._show_cursor()
        else:
            super().keyReleaseEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()

    def _hover(self, at: QPointF) -> None:
        for spot in (self._pointer, at):
            if spot is not None:
                self.update(self._outline_rect(spot))
        self._pointer = at
        self.hovered.emit(*self.view.to_document(at.x(), at.y()))

    def _is_turning(self, keys: Qt.KeyboardModifier) -> bool:
        wanted = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        return keys & wanted == wanted

    def _bearing(self, at: QPointF) -> float:
        import math

        return math.degrees(math.atan2(at.y() - self.height() / 2, at.x() - self.width() / 2))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self.surround)
        self._paint_document(painter, event.rect())
        seen = self.view.seen(self.width(), self.height())
        grid = PixelGrid(seen, self.document.bounds)
        drawn: list[Overlay] = [self.region, self.preview, grid, self.outline, *self.overlays]
        for overlay in drawn:
            overlay.paint(painter, self.view)
        self._paint_outline(painter)
        painter.end()
        if self._ink_since is not None:
            self.inked.emit((time.perf_counter() - self._ink_since) * 1000)
            self._ink_since = None

    def _paint_document(self, painter: QPainter, exposed: QRect) -> None:
        painter.save()
        bounds = self.document.bounds
        corners = [
            QPointF(*self.view.to_screen(x, y))
            for x, y in (
                (0, 0),
                (bounds.right, 0),
                (bounds.right, bounds.bottom),
                (0, bounds.bottom),
            )
        ]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(checkerboard()))
        painter.drawPolygon(QPolygonF(corners))
        self._paint_tiles(painter, exposed)
        painter.restore()

    def _paint_tiles(self, painter: QPainter, exposed: QRect) -> None:
        level = level_for(self.view.zoom)
        painter.setTransform(transform(self.view), True)
        smooth = self.view.zoom < 1 or bool(self.view.angle)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        seen = self._seen(exposed) & self.document.bounds
        for spot in self._pyramid.spots(seen, level):
            painter.drawImage(QRectF(*spot.rect), self._pyramid.image(spot))

    def _seen(self, exposed: QRect) -> Rect:
        moved = self.view.panned(-exposed.x(), -exposed.y())
        return moved.seen(exposed.width(), exposed.height()).padded(1)

    def _brush_size(self) -> float:
        params = self.studio.tool_params
        if hasattr(params, "size"):
            return float(params.size)
        if self.studio.choices.tool in {"brush", "eraser"}:
            return float(getattr(self.studio.brush_params, "size", 0))
        return 0.0

    def _outline_rect(self, at: QPointF) -> QRect:
        radius = self._brush_size() * self.view.zoom / 2 + 3
        return QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius).toAlignedRect()

    def _paint_outline(self, painter: QPainter) -> None:
        radius = self._brush_size() * self.view.zoom / 2
        if self._pointer is None or radius < 2 or self._space:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, wider in ((QColor(0, 0, 0, 160), 0.0), (QColor(255, 255, 255, 200), -1.0)):
            painter.setPen(QPen(colour, 1))
            painter.drawEllipse(self._pointer, radius + wider, radius + wider)

    def _show_cursor(self) -> None:
        if self._space or self.studio.choices.tool == "hand":
            held = self._pan is not None
            shape = Qt.CursorShape.ClosedHandCursor if held else Qt.CursorShape.OpenHandCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        self.setCursor(QCursor(shape))


def checkerboard() -> QPixmap:
    """What shows through where the picture is clear."""
    tile = QPixmap(16, 16)
    tile.fill(QColor("#9a9a9a"))
    painter = QPainter(tile)
    painter.fillRect(QRect(QPoint(0, 0), QPoint(7, 7)), QColor("#b4b4b4"))
    painter.fillRect(QRect(QPoint(8, 8), QPoint(15, 15)), QColor("#b4b4b4"))
    painter.end()
    return tile
