"""What one command of the window is, when commands make sense, and the groups they come in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from core.paint.layers import AiLayer
from core.registry import Registry

if TYPE_CHECKING:
    from editor.session import Session
    from editor.studio import Studio

Run = Callable[[], object]
Rule = Callable[[], bool]


def always() -> bool:
    return True


@dataclass(frozen=True)
class Command:
    """One row of a menu, bound to what it works on; no menu: keys and buttons only.

    ``rule`` says whether it makes sense now. Rows of one ``section`` stand together.
    """

    id: str
    label: str
    keys: str
    run: Run
    rule: Rule = always
    icon: str = ""
    menu: str = ""
    section: int = 0


Section = tuple[Command, ...]
Sections = tuple[Section, ...]


class CommandGroup(Protocol):
    """The commands of one menu: a file in editor/commands, or a class that a plugin registers.

    ``label`` is the menu's name; groups of the same name share a menu. Lower positions come first.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    position: ClassVar[int]

    def sections(self, session: "Session") -> Sections: ...


command_groups: Registry[type[CommandGroup]] = Registry("command group", CommandGroup)


@dataclass(frozen=True)
class Rules:
    """When commands make sense, asked of one window's studio."""

    studio: "Studio"

    def has_document(self) -> bool:
        return self.studio.has_document

    def has_layer(self) -> bool:
        return self.studio.has_document and self.studio.document.active is not None

    def has_mask(self) -> bool:
        active = self.studio.document.active
        return self.studio.has_document and active is not None and active.mask is not None

    def has_ai_layer(self) -> bool:
        return self.studio.has_document and isinstance(self.studio.document.active, AiLayer)

    def has_selection(self) -> bool:
        return self.studio.has_document and bool(self.studio.document.selection)

    def can_undo(self) -> bool:
        return self.studio.has_document and bool(self.studio.document.history.done)

    def can_redo(self) -> bool:
        return self.studio.has_document and bool(self.studio.document.history.undone)


def on_document(studio: "Studio", edit: Callable[..., object], *arguments: object) -> Run:
    """What a command does that needs nothing but the open document."""
    return lambda: edit(studio.document, *arguments)
