"""What the selection tools share: how a new shape joins the selection, and one undo entry."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from core.document import Document
from core.selection import Selection
from core.tools.gesture import Context, PointerEvent


@contextmanager
def selecting(context: Context, press: PointerEvent) -> Iterator[Callable[[Selection], None]]:
    """Gives a function that shows the selection a shape would make; the last one stays."""
    document = context.document
    before = document.selection
    with document.editing("Select"):
        yield lambda shape: _show(document, joined(before, shape, press))


def joined(before: Selection, shape: Selection, press: PointerEvent) -> Selection:
    """The old selection and a new shape, by the keys held at the press."""
    if press.shift:
        return before.union(shape) if shape else before
    if press.alt:
        return before.minus(shape) if shape else before
    if press.control:
        return before.intersection(shape)
    return shape


def _show(document: Document, selection: Selection) -> None:
    document.show(replace(document.state, selection=selection))
