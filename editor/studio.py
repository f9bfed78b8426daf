"""What one window works with: document, tool, brush, colours; panels and canvas observe it."""

from dataclasses import dataclass, field, replace
from typing import Any

from core.catalog import Brush, Tool, brushes, params_of, tools
from core.geometry import Size
from core.paint.document import Document
from core.signal import Signal

Colour = tuple[int, int, int, int]

BLACK: Colour = (0, 0, 0, 255)
WHITE: Colour = (255, 255, 255, 255)


@dataclass(frozen=True)
class ToolChoices:
    """The painter's present choices; straight RGBA colours, parameters by tool or brush id."""

    tool: str = "brush"
    brush: str = "round"
    foreground: Colour = BLACK
    background: Colour = WHITE
    tool_params: dict[str, Any] = field(default_factory=dict)
    brush_params: dict[str, Any] = field(default_factory=dict)


class Studio:
    """Holds the open document and the choices; says when either is exchanged.

    ``opened`` carries the new document, ``chosen`` the new choices. ``has_document`` is False
    while nothing but the blank canvas of a new window is there. ``saved`` carries a document that
    was written.
    """

    def __init__(self, document: Document | None = None) -> None:
        self.has_document = document is not None
        self.document = document or Document(Size(1024, 1024))
        self.choices = ToolChoices()
        self.opened: Signal[Document] = Signal()
        self.chosen: Signal[ToolChoices] = Signal()
        self.saved: Signal[Document] = Signal()

    def open(self, document: Document) -> None:
        """Exchange the document; the caller has asked about unsaved changes."""
        self.has_document = True
        self.document = document
        self.opened.emit(document)

    def choose(self, **changes: Any) -> None:
        """Change some choices by field name."""
        self.choices = replace(self.choices, **changes)
        self.chosen.emit(self.choices)

    def choose_all(self, choices: ToolChoices) -> None:
        """Exchange all choices."""
        self.choices = choices
        self.chosen.emit(choices)

    def choose_brush(self, brush: str) -> None:
        """Choose a brush, and with it a tool that paints with one if the present one does not."""
        tool = self.choices.tool
        if not tools[tool].uses_brush:
            with_brush = [kind for kind in tools if kind.uses_brush]
            tool = min(with_brush, key=lambda kind: kind.position).id
        self.choose(brush=brush, tool=tool)

    def swap_colours(self) -> None:
        now = self.choices
        self.choose(foreground=now.background, background=now.foreground)

    def default_colours(self) -> None:
        self.choose(foreground=BLACK, background=WHITE)

    @property
    def tool(self) -> Tool:
        return tools[self.choices.tool]()

    @property
    def tool_params(self) -> Any:
        kind = tools[self.choices.tool]
        return self.choices.tool_params.get(self.choices.tool) or params_of(kind)()

    @property
    def brush(self) -> Brush:
        return brushes[self.choices.brush](self.brush_params)

    @property
    def brush_params(self) -> Any:
        kind = brushes[self.choices.brush]
        return self.choices.brush_params.get(self.choices.brush) or params_of(kind)()

    def set_tool_params(self, params: Any) -> None:
        self.choose(tool_params={**self.choices.tool_params, self.choices.tool: params})

    def set_brush_params(self, params: Any) -> None:
        self.choose(brush_params={**self.choices.brush_params, self.choices.brush: params})
