"""What a panel declares, and the registry of panels that the window reads."""

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from core.registry import Registry

if TYPE_CHECKING:
    from editor.session import Session


class Place(NamedTuple):
    """Where a panel's dock stands on the right; lower positions are further up.

    ``height`` is what it gets at first, in pixels. A tab stands behind the last dock that has a
    row of its own; ``is_tab_when_low`` is for screens too low for every row.
    """

    position: int
    height: int = 0
    is_tab: bool = False
    is_tab_when_low: bool = False


class Panel(Protocol):
    """A widget of the window's docks, built with the window's session."""

    id: ClassVar[str]
    title: ClassVar[str]
    place: ClassVar[Place]

    def __init__(self, session: "Session") -> None: ...


panels: Registry[type[Panel]] = Registry("panel", Panel)
