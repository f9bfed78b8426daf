"""What the selection tools share: how a new shape joins the selection, as one undo entry."""

from core.paint.pointer import Context, PointerEvent
from core.paint.selection import Selection


def select(context: Context, shape: Selection, press: PointerEvent) -> None:
    """Change the selection by a shape; nothing is recorded where nothing changes."""
    before = context.document.selection
    after = joined(before, shape, press)
    if after is not before and (before or after):
        context.document.select(after)


def joined(before: Selection, shape: Selection, press: PointerEvent) -> Selection:
    """The old selection and a new shape, by the keys held at the press."""
    if press.shift:
        return before.union(shape) if shape else before
    if press.alt:
        return before.minus(shape) if shape else before
    if press.control:
        return before.intersection(shape)
    return shape
