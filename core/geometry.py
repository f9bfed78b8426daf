"""Points, sizes and rectangles: immutable tuples with the arithmetic a canvas needs."""

from collections.abc import Iterable
from typing import NamedTuple


class Point(NamedTuple):
    """A position in pixels, x to the right and y down."""

    x: int
    y: int

    def translate(self, dx: int, dy: int) -> "Point":
        return Point(self.x + dx, self.y + dy)


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class Rect(NamedTuple):
    """A rectangle of pixels without its right and bottom edges; one without area is falsy."""

    x: int
    y: int
    width: int
    height: int

    @staticmethod
    def of(size: Size) -> "Rect":
        return Rect(0, 0, size.width, size.height)

    @staticmethod
    def from_edges(left: int, top: int, right: int, bottom: int) -> "Rect":
        return Rect(left, top, max(0, right - left), max(0, bottom - top))

    @staticmethod
    def union(rects: Iterable["Rect"]) -> "Rect":
        total = EMPTY
        for rect in rects:
            total = total | rect
        return total

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices into an array whose origin is (0, 0)."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0

    def __and__(self, other: "Rect") -> "Rect":
        return Rect.from_edges(
            max(self.x, other.x),
            max(self.y, other.y),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def __or__(self, other: "Rect") -> "Rect":
        if not self or not other:
            return self or other
        return Rect.from_edges(
            min(self.x, other.x),
            min(self.y, other.y),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def translate(self, dx: int, dy: int) -> "Rect":
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def pad(self, by: int) -> "Rect":
        return Rect.from_edges(self.x - by, self.y - by, self.right + by, self.bottom + by)

    def snap(self, step: int) -> "Rect":
        """The smallest rectangle around this one whose edges are multiples of step."""
        return Rect.from_edges(
            self.x // step * step,
            self.y // step * step,
            -(-self.right // step) * step,
            -(-self.bottom // step) * step,
        )


EMPTY = Rect(0, 0, 0, 0)
