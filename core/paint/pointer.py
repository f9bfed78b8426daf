"""What tools and brushes work with: pointer events, samples, stamps and the gesture's context."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from core.geometry import Rect
from core.paint.document import Document
from core.paint.tiles import Pixels
from core.task import Recipe

if TYPE_CHECKING:
    from core.catalog import Brush

Colour = tuple[int, int, int, int]


class PointerKind(Enum):
    """Where in a gesture an event lies."""

    press = auto()
    move = auto()
    release = auto()


@dataclass(frozen=True)
class PointerEvent:
    """The pen over the document: position in document pixels, pressure 0..1, time in seconds."""

    kind: PointerKind
    x: float
    y: float
    pressure: float = 1.0
    time: float = 0.0
    shift: bool = False
    control: bool = False
    alt: bool = False


@dataclass(frozen=True)
class Sample:
    """One point on the stroke where a stamp falls."""

    x: float
    y: float
    pressure: float = 1.0
    direction: float = 0.0


@dataclass(frozen=True, eq=False)
class Stamp:
    """A dab: alpha (height x width uint8, 0..255) with its corner on the canvas at (x, y).

    ``flow`` (0..1) is how much of it one dab adds; kept apart, faint dabs lose no bits.
    """

    alpha: Pixels
    x: int
    y: int
    flow: float = 1.0

    @property
    def rect(self) -> Rect:
        return Rect(self.x, self.y, self.alpha.shape[1], self.alpha.shape[0])


class StrokePath:
    """Turns pointer events into samples at even spacing, the first one at the press."""

    def __init__(self) -> None:
        self._last: PointerEvent | None = None
        self._left = 0.0

    @staticmethod
    def first(event: PointerEvent) -> Sample:
        """The sample that a stroke begins with."""
        return Sample(event.x, event.y, event.pressure)

    def samples(self, event: PointerEvent, spacing: Callable[[float], float]) -> Iterator[Sample]:
        """Samples from the last event up to this one; spacing in pixels follows the pressure."""
        last, self._last = self._last, event
        if last is None:
            self._left = max(0.5, spacing(event.pressure))
            yield self.first(event)
            return
        length = math.hypot(event.x - last.x, event.y - last.y)
        angle = math.atan2(event.y - last.y, event.x - last.x)
        while self._left <= length:
            t = self._left / length if length else 1.0
            pressure = last.pressure + t * (event.pressure - last.pressure)
            x, y = last.x + t * (event.x - last.x), last.y + t * (event.y - last.y)
            yield Sample(x, y, pressure, angle)
            self._left += max(0.5, spacing(pressure))
        self._left -= length


def _do_nothing(*_: Any) -> None:
    return None


def _is_never(_: str) -> bool:
    return False


@dataclass
class GestureContext:
    """What a gesture may use: the document, its target layer, brush, colour and tool settings.

    ``recipe`` is what a new AI layer starts with. ``pick`` receives a colour the eyedropper found
    (and whether it is for the background), ``stroked`` the id of an AI layer whose region was just
    painted on, ``panned`` a movement of the view in document pixels, ``sketched`` the corners of a
    closed outline to show while the gesture lasts, ``told`` a sentence for the person.
    ``is_pending`` says whether an AI layer's answer is still to come, ``has_new_words`` that the
    recipe holds words that the active AI layer was not asked for.
    """

    document: Document
    layer: str
    brush: "Brush"
    params: Any
    colour: Colour = (0, 0, 0, 255)
    path: StrokePath = field(default_factory=StrokePath)
    recipe: Recipe = field(default_factory=lambda: Recipe("layered-brush"))
    pick: Callable[[Colour, bool], None] = _do_nothing
    stroked: Callable[[str], None] = _do_nothing
    panned: Callable[[float, float], None] = _do_nothing
    sketched: Callable[[Sequence[tuple[float, float]]], None] = _do_nothing
    told: Callable[[str], None] = _do_nothing
    is_pending: Callable[[str], bool] = _is_never
    has_new_words: bool = False
