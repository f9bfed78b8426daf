"""What the selection tools share: how a new shape joins the selection, as one undo entry."""

from core.paint.pointer import GestureContext, PointerEvent
from core.paint.selection import Selection


def select(context: GestureContext, shape: Selection, press: PointerEvent) -> None:
    """Change the selection by a shape; nothing is recorded where nothing changes."""
    before = context.document.selection
    after = join_selection(before, shape, press)
    if after is not before and (before or after):
        context.document.select(after)


def join_selection(before: Selection, shape: Selection, press: PointerEvent) -> Selection:
    """The old selection and a new shape, by the keys held at the press."""
    if press.shift:
        return before.unite(shape) if shape else before
    if press.alt:
        return before.subtract(shape) if shape else before
    if press.control:
        return before.intersect(shape)
    return shape
