"""Runs the gesture of the chosen tool: a generator that gets pointer events."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt, QTimer, Signal

from core.catalog import params_of, tools
from core.errors import EditorError
from core.paint.pointer import GestureContext, PointerEvent, PointerKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.catalog import Tool
    from core.paint.pointer import Colour
    from core.tools.painting import Gesture
    from editor.canvas.view_transform import ViewTransform
    from editor.studio import Studio

PAUSE = 0.25
"""Seconds without a movement after which a gesture gets its last event again."""
_Key = Qt.KeyboardModifier


class Gestures(QObject):
    """Runs one gesture at a time.

    ``moved`` is emitted after every event of a gesture and at its end; ``failed`` carries the
    reason when one failed, ``told`` what is worth knowing. ``prepare`` completes the
    context of a gesture before it starts.
    """

    moved = Signal()
    failed = Signal(str)
    panned = Signal(float, float)
    sketched = Signal(list)
    told = Signal(str)
    began = Signal()

    def __init__(self, studio: "Studio", parent: QObject) -> None:
        super().__init__(parent)
        self.studio = studio
        self.prepare: Callable[[GestureContext], GestureContext] = lambda context: context
        self.tool = ""
        self.event_time = 0.0
        self._said: set[str] = set()
        self._gesture: Gesture | None = None
        self._last = PointerEvent(PointerKind.move, 0, 0)
        self._pulse = QTimer(self)
        self._pulse.setInterval(round(PAUSE * 1000))
        self._pulse.timeout.connect(self._on_pulse)

    @property
    def is_running(self) -> bool:
        return self._gesture is not None

    @property
    def pressure(self) -> float:
        """How hard the pen pressed last."""
        return self._last.pressure

    @property
    def paints_region(self) -> bool:
        """Whether the tool of the last gesture paints the region of an AI layer."""
        return self.tool in tools and tools[self.tool].paints_region

    def begin(self, event: PointerEvent, with_eraser: bool = False) -> None:
        """Start the chosen tool's gesture; a pen turned over erases whatever is chosen."""
        self.cancel()
        self.began.emit()
        choices = self.studio.choices
        self.tool = eraser() if with_eraser else choices.tool
        tool, params = self._build_tool()
        context = GestureContext(
            self.studio.document,
            self.studio.document.state.active,
            self.studio.brush,
            params,
            choices.foreground,
            pick=self._pick,
            panned=self.panned.emit,
            sketched=self.sketched.emit,
            told=self._tell_once,
        )
        self._gesture = tool.gesture(self.prepare(context), event)
        self._remember_event(event)
        self._pulse.start()
        self._advance(None)

    def continue_gesture(self, event: PointerEvent) -> None:
        """Pass a movement or the release to the gesture, if one runs."""
        if self._gesture is not None:
            self._remember_event(event)
            self._advance(event)

    def cancel(self) -> None:
        """End a running gesture and undo what it did."""
        gesture = self._gesture
        self._end()
        if gesture is not None:
            gesture.close()
            self.moved.emit()

    def _build_tool(self) -> "tuple[Tool, object]":
        kind = tools[self.tool]
        params = self.studio.choices.tool_params.get(self.tool) or params_of(kind)()
        return kind(), params

    def _remember_event(self, event: PointerEvent) -> None:
        self.event_time = time.perf_counter()
        self._last = replace(event, kind=PointerKind.move)

    def _advance(self, event: PointerEvent | None) -> None:
        gesture = self._gesture
        if gesture is None:
            return
        try:
            if event is None:
                next(gesture)
            else:
                gesture.send(event)
        except StopIteration:
            self._end()
        except EditorError as error:
            self._end()
            self.failed.emit(str(error))
        self.moved.emit()

    def _end(self) -> None:
        self._gesture = None
        self._pulse.stop()

    def _on_pulse(self) -> None:
        self._last = replace(self._last, time=time.monotonic())
        self._advance(self._last)

    def _tell_once(self, sentence: str) -> None:
        """Say what is worth knowing once, and not at every stroke."""
        if sentence not in self._said:
            self._said.add(sentence)
            self.told.emit(sentence)

    def _pick(self, colour: "Colour", is_background: bool) -> None:
        self.studio.choose(**{"background" if is_background else "foreground": colour})


def eraser() -> str:
    """The id of the tool that the other end of a pen takes."""
    return min((tool for tool in tools if tool.erases), key=lambda tool: tool.position).id


def pointer_event(
    kind: PointerKind, at: QPointF, view: "ViewTransform", pressure: float, keys: _Key
) -> PointerEvent:
    """An event on the screen as a pointer event in document pixels."""
    x, y = view.to_document(at.x(), at.y())
    return PointerEvent(
        kind,
        x,
        y,
        pressure,
        time.monotonic(),
        bool(keys & _Key.ShiftModifier),
        bool(keys & _Key.ControlModifier),
        bool(keys & _Key.AltModifier),
    )
