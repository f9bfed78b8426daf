"""Undo and redo: two stacks of edits under one memory budget, the oldest dropped first."""

from collections.abc import Callable
from dataclasses import replace

from core.paint.edits import DocumentState, Edit
from core.paint.layers import Group


class History:
    """Holds at most ``budget`` bytes of replaced pixels and ``limit`` entries."""

    def __init__(self, budget: int = 512 << 20, limit: int = 500) -> None:
        self.budget = budget
        self.limit = limit
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self._sizes: dict[int, int] = {}
        self._merging = True

    @property
    def bytes(self) -> int:
        """Memory of the pixels that all remembered edits hold on to."""
        return sum(self._sizes[id(edit)] for edit in (*self.done, *self.undone))

    def push(self, edit: Edit) -> None:
        """Remember an edit that was just made; everything undone is forgotten."""
        self._forget(self.undone)
        self.undone = []
        last = self.done[-1] if self.done else None
        if self._merging and last is not None and edit.merge and last.merge == edit.merge:
            self._forget([self.done.pop()])
            edit = last.join(edit)
        self._merging = True
        self.done.append(edit)
        self._sizes[id(edit)] = edit.bytes
        self._trim()

    def seal(self) -> None:
        """The next edit starts an entry of its own even if it could merge."""
        self._merging = False

    def undo(self) -> Edit | None:
        """The edit to take back, moved to the redo stack; None when there is none."""
        if not self.done:
            return None
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self) -> Edit | None:
        """The edit to make again, moved back to the undo stack; None when there is none."""
        if not self.undone:
            return None
        self.done.append(self.undone.pop())
        return self.done[-1]

    def amend(self, since: Group, change: Callable[[Group], Group]) -> None:
        """Exchange the tree in every remembered state from the one with root ``since`` on.

        For what was computed from a state and belongs to it, whatever was done in between.
        """
        line = [*self.done, *reversed(self.undone)]
        reached = False
        for place, edit in enumerate(line):
            before = _amend_state(
                edit.before, change, reached := reached or edit.before.root is since
            )
            after = _amend_state(edit.after, change, reached := reached or edit.after.root is since)
            if before is not edit.before or after is not edit.after:
                self._forget([edit])
                line[place] = replace(edit, before=before, after=after)
                self._sizes[id(line[place])] = line[place].bytes
        count = len(self.done)
        self.done, self.undone = line[:count], line[count:][::-1]
        self._trim()

    def rewrite(self, change: Callable[[DocumentState], DocumentState]) -> None:
        """Exchange every remembered state; edits that change nothing any more are dropped.

        ``change`` returns the same object whenever it is given the same state.
        """
        for name in ("done", "undone"):
            old: list[Edit] = getattr(self, name)
            new = [replace(e, before=change(e.before), after=change(e.after)) for e in old]
            new = [edit for edit in new if not edit.is_empty]
            self._forget(old)
            self._sizes.update((id(edit), edit.bytes) for edit in new)
            setattr(self, name, new)

    def _trim(self) -> None:
        while len(self.done) > 1 and (self.bytes > self.budget or len(self.done) > self.limit):
            self._forget([self.done.pop(0)])

    def _forget(self, edits: list[Edit]) -> None:
        for edit in edits:
            self._sizes.pop(id(edit), None)


def _amend_state(
    state: DocumentState, change: Callable[[Group], Group], reached: bool
) -> DocumentState:
    root = change(state.root) if reached else state.root
    return state if root is state.root else replace(state, root=root)
