"""The canvas widget: passes pointer events to tools and paints what changes in the document."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QEnterEvent,
    QFocusEvent,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPointingDevice,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from core.geometry import EMPTY, Rect
from core.paint import layers
from core.paint.document import Document
from core.paint.layers import AiLayer
from core.paint.pointer import GestureContext, PointerKind
from core.paint.tiles import Tiles
from editor.canvas import view_transform as views
from editor.canvas.cursor import CanvasCursor
from editor.canvas.gestures import Gestures, pointer_event
from editor.canvas.mask_overlay import MaskOverlay
from editor.canvas.navigation import Navigation
from editor.canvas.overlays import (
    PixelGrid,
    RegionTint,
    SelectionOutline,
    Sketch,
    checkerboard,
    fill_canvas,
)
from editor.canvas.paint_document import DocumentPainter, visible_rect
from editor.canvas.view_transform import ViewTransform
from editor.studio import Studio

if TYPE_CHECKING:
    from editor.canvas.overlays import Overlay

__all__ = ["Canvas", "checkerboard"]

WheelFilter = Callable[[QWheelEvent, float, float], bool]
NOTCH = 120
"""Wheel units of one notch, as Qt counts them."""
PER_NOTCH = 1.2
TABLET = {
    QEvent.Type.TabletPress: PointerKind.press,
    QEvent.Type.TabletMove: PointerKind.move,
    QEvent.Type.TabletRelease: PointerKind.release,
}


class Canvas(QWidget):
    """Shows the studio's document and runs the chosen tool's gestures.

    ``wheel_filters`` get wheel turns over document (x, y) first; ``overlays`` are drawn last.
    ``zoomed`` carries pixels of the screen for one of the picture, ``hovered`` document pixels,
    ``inked`` the milliseconds from an event to its paint on the screen, ``failed`` and ``told`` a
    sentence for the person.
    """

    zoomed = Signal(float)
    hovered = Signal(float, float)
    inked = Signal(float)
    failed = Signal(str)
    told = Signal(str)
    began = Signal()

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.studio = studio
        self._ratio = self.devicePixelRatioF()
        self.view = ViewTransform(1 / self._ratio)
        self.wheel_filters: list[WheelFilter] = []
        self.overlays: list[Overlay] = []
        self.region = RegionTint()
        self.outline = SelectionOutline()
        self._preview_rect = EMPTY
        self.surround = QColor("#2b2b2b")
        self.mask_overlay = MaskOverlay(self)
        self._clear = QBrush(checkerboard())
        self._sketch = Sketch()
        self._gestures = Gestures(studio, self)
        self._navigation = Navigation(self)
        self._cursor = CanvasCursor(self, self._navigation)
        self._shown_sentence = ""
        self._ink_start: float | None = None
        self._is_fitted = True
        self._disconnect: list[Callable[[], None]] = []
        self._configure()
        self._gestures.moved.connect(self._on_gesture)
        self._gestures.failed.connect(self.failed)
        self._gestures.told.connect(self.told)
        self._gestures.began.connect(self.began)
        self._gestures.panned.connect(self._on_panned)
        self._gestures.sketched.connect(self._show_sketch)
        studio.opened.connect(self._on_document_opened)
        studio.chosen.connect(lambda _: self._cursor.refresh())
        self._on_document_opened(studio.document)
        self._cursor.refresh()

    def _configure(self) -> None:
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription("The picture: paint here with the chosen tool.")
        self.setMinimumSize(160, 120)

    # The document

    def _on_document_opened(self, document: Document) -> None:
        self._gestures.cancel()
        for disconnect in self._disconnect:
            disconnect()
        self.document = document
        self._document_painter = DocumentPainter(document)
        self.region.layer = None
        self._preview_rect = EMPTY
        self._disconnect = [
            document.changed.connect(self._on_changed),
            document.selected.connect(lambda _: self._on_selected()),
            document.restructured.connect(lambda _: self._on_restructured()),
        ]
        self._on_selected()
        self.fit()

    def _on_changed(self, rect: Rect) -> None:
        self._document_painter.mark_dirty(rect)
        if self.is_gesturing and self._ink_start is None:
            self._ink_start = self._gestures.event_time
        self.update(self._on_screen(rect))

    def _on_selected(self) -> None:
        self.outline.show(self.document.selection)
        self.update()

    def _on_restructured(self) -> None:
        """Follow the chosen mask; end the tint of a region that was removed or has a result."""
        sentence = self.mask_overlay.sentence
        if sentence != self._shown_sentence or sentence or self.mask_overlay.is_shown:
            self._shown_sentence = sentence
            self.update()
        layer = self.region.layer
        if layer is not None and not self.is_gesturing:
            self.region.layer = _as_blank_layer(layers.find(self.document.root, layer.id))
            self.update()

    def show_preview(self, layer_id: str, rect: Rect, tiles: Tiles | None) -> None:
        """Show pixels in a layer's place in the stack, inside a rectangle; None for its own."""
        changed = self._preview_rect | rect
        self._preview_rect = rect if tiles is not None else EMPTY
        self._document_painter.pyramid.show_preview(layer_id, tiles)
        self._document_painter.mark_dirty(changed)
        self.update(self._on_screen(changed))

    def _on_screen(self, rect: Rect) -> QRect:
        left, top, right, bottom = self.view.bounds_on_screen(rect)
        return QRectF(QPointF(left - 2, top - 2), QPointF(right + 2, bottom + 2)).toAlignedRect()

    # The view

    def set_view(self, view: ViewTransform) -> None:
        self._is_fitted = False
        self.view = view
        self.zoomed.emit(view.zoom * self._ratio)
        self.update()

    def fit(self) -> None:
        """Show the whole canvas in the window."""
        size = self.document.size
        view = views.fit_view(size, self.width(), self.height(), 1 / self._ratio)
        self.set_view(view.align(self._ratio))
        self._is_fitted = True

    def zoom_to_actual_size(self) -> None:
        """One pixel of the picture on each pixel of the screen."""
        self.zoom_to(1.0)

    def zoom_to(self, zoom: float) -> None:
        """Zoom about the middle of the window, to pixels of the screen for one of the picture."""
        middle = self.width() / 2, self.height() / 2
        self.set_view(self.view.zoom_at(zoom / self._ratio, *middle).align(self._ratio))

    def zoom_by(self, stops: int) -> None:
        self.zoom_to(views.next_stop(self.view.zoom * self._ratio, stops))

    def turn_by(self, degrees: float) -> None:
        middle = self.width() / 2, self.height() / 2
        self.set_view(self.view.rotate_at(self.view.angle + degrees, *middle))

    def turn_upright(self) -> None:
        self.turn_by(-self.view.angle)

    def _on_ratio(self, ratio: float) -> None:
        """Show pixels as large as before on a screen of another scale."""
        before, self._ratio = self._ratio, ratio
        if self._is_fitted:
            self.fit()
        else:
            self.zoom_to(self.view.zoom * before)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._is_fitted:
            self.fit()

    def _on_panned(self, dx: float, dy: float) -> None:
        """Move the view by document pixels."""
        here = self.view.to_screen(0, 0)
        there = self.view.to_screen(dx, dy)
        self.set_view(self.view.pan(there[0] - here[0], there[1] - here[1]))

    # Gestures

    @property
    def prepare(self) -> Callable[[GestureContext], GestureContext]:
        """A function that completes the context of a gesture before it starts."""
        return self._gestures.prepare

    @prepare.setter
    def prepare(self, prepare: Callable[[GestureContext], GestureContext]) -> None:
        self._gestures.prepare = prepare

    @property
    def is_gesturing(self) -> bool:
        return self._gestures.is_running

    def cancel(self) -> None:
        """End a running gesture and undo what it did."""
        self._gestures.cancel()

    def _show_sketch(self, corners: list[tuple[float, float]]) -> None:
        self._sketch.show(corners)
        self.update()

    def _on_gesture(self) -> None:
        """Tint the region that is painted, until its layer has something to show."""
        if not self.is_gesturing:
            self._show_sketch([])
        if not self._gestures.paints_region:
            return
        active = self.document.active
        painted = active if isinstance(active, AiLayer) else None
        self.region.layer = painted if self.is_gesturing else _as_blank_layer(painted)
        if not self.is_gesturing:
            self.update()

    # Qt's events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        at = event.position()
        if self._navigation.press(at, event.button()):
            self._cursor.show()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._gestures.begin(
                pointer_event(PointerKind.press, at, self.view, 1.0, event.modifiers())
            )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self._hover(at)
        if not self._navigation.move(at):
            self._gestures.continue_gesture(
                pointer_event(PointerKind.move, at, self.view, 1.0, event.modifiers())
            )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._navigation.release():
            self._cursor.show()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._gestures.continue_gesture(
                pointer_event(PointerKind.release, at, self.view, 1.0, event.modifiers())
            )

    def tabletEvent(self, event: QTabletEvent) -> None:
        at, kind = event.position(), TABLET[event.type()]
        self._hover(at)
        is_tip = kind is not PointerKind.press or event.button() == Qt.MouseButton.LeftButton
        if self._navigation.is_ready or not is_tip:
            # Qt then turns it into a mouse event, which moves the view.
            event.ignore()
            return
        pressure = self._gestures.pressure if kind is PointerKind.release else _pressure(event)
        sample = pointer_event(kind, at, self.view, pressure, event.modifiers())
        if kind is PointerKind.press:
            self.setFocus()
            upside_down = event.pointerType() == QPointingDevice.PointerType.Eraser
            self._gestures.begin(sample, with_eraser=upside_down)
        else:
            self._gestures.continue_gesture(sample)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = event.position()
        x, y = self.view.to_document(at.x(), at.y())
        if not any(filter_(event, x, y) for filter_ in self.wheel_filters):
            zoom = self.view.zoom * PER_NOTCH ** (event.angleDelta().y() / NOTCH)
            self.set_view(self.view.zoom_at(zoom, at.x(), at.y()))
        event.accept()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._on_ratio(self.devicePixelRatioF())
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            stops = event.key() == Qt.Key.Key_Escape and self.is_gesturing
            # Alt belongs to the tools: released over the canvas it must not open the menus.
            is_alt = event.key() == Qt.Key.Key_Alt
            if stops or is_alt or self._navigation.is_view_key(event):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.is_gesturing:
            self.cancel()
        elif event.key() == Qt.Key.Key_Alt:
            self._cursor.hold_alt(True)
        elif self._navigation.press_key(event):
            self._cursor.show()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Alt:
            self._cursor.hold_alt(False)
        elif self._navigation.release_key(event):
            self._cursor.show()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._navigation.forget_keys()
        self._cursor.hold_alt(False)
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._cursor.hide_outline()

    def _hover(self, at: QPointF) -> None:
        self._cursor.move_to(at)
        self.hovered.emit(*self.view.to_document(at.x(), at.y()))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        exposed = event.rect()
        painter = QPainter(self)
        painter.setClipRect(exposed)
        painter.fillRect(exposed, self.surround)
        fill_canvas(painter, self.view, self.document.bounds, exposed, self._clear)
        for late in self._document_painter.paint(painter, self.view, exposed):
            self.update(self._on_screen(late))
        grid = PixelGrid(visible_rect(exposed, self.view) & self.document.bounds)
        drawn: list[Overlay] = [self.region, grid, self.outline, self._sketch]
        for overlay in (*drawn, *self.overlays, self._cursor.outline):
            painter.save()
            overlay.paint(painter, self.view)
            painter.restore()
        painter.end()
        if self._ink_start is not None:
            self.inked.emit((time.perf_counter() - self._ink_start) * 1000)
            self._ink_start = None


def _pressure(event: QTabletEvent) -> float:
    """How hard a pen presses, 0..1; one that cannot tell presses fully."""
    can_tell = event.pointingDevice().capabilities() & QInputDevice.Capability.Pressure
    return event.pressure() if can_tell else 1.0


def _as_blank_layer(node: object) -> AiLayer | None:
    """The node if it is an AI layer with a region but without a result, else None."""
    is_blank = isinstance(node, AiLayer) and node.visible and not node.rendered and not node.baked
    return node if isinstance(node, AiLayer) and is_blank else None
