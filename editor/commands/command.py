"""What one command of the window is, and when commands make sense."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.paint.layers import AiLayer

if TYPE_CHECKING:
    from editor.app import App

Verb = Callable[["App"], object]
Rule = Callable[["App"], bool]


def always(_: "App") -> bool:
    return True


def has_document(app: "App") -> bool:
    return app.has_document


def has_layer(app: "App") -> bool:
    return app.has_document and app.studio.document.active is not None


def has_ai_layer(app: "App") -> bool:
    return app.has_document and isinstance(app.studio.document.active, AiLayer)


def has_selection(app: "App") -> bool:
    return app.has_document and bool(app.studio.document.selection)


@dataclass(frozen=True)
class Command:
    """One row of a menu; ``table`` fills in the last two, and no menu is keys and buttons only."""

    id: str
    label: str
    keys: str
    run: Verb
    rule: Rule = always
    icon: str = ""
    ends_section: bool = False
    menu: str = ""


Section = tuple[Command, ...]
Menu = tuple[Section, ...]


def on_document(verb: Callable[..., object], *arguments: object) -> Verb:
    """What a command does that asks nothing but the open document."""
    return lambda app: verb(app.studio.document, *arguments)
