"""The bar on top: the brush, the dials of the active tool and its brush, and the prompt."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QSizePolicy, QToolBar, QToolButton, QWidget

from core.ai.recipe_values import prompt_of
from core.catalog import brushes, tools
from core.params import BrushHardness, BrushSize, Range, fields
from editor.ai_session.current_recipe import with_prompt
from editor.widgets.chooser import Chooser, Entry
from editor.widgets.dial_row import DialRow
from editor.widgets.entry import leave_entry
from editor.widgets.forms import Form, build_form
from editor.widgets.slider import NumberSlider
from editor.widgets.theme import icon

if TYPE_CHECKING:
    from editor.session import Session
    from editor.widgets.theme import Tokens

SLIDER_WIDTH = 132
BRUSH_WIDTH = 120
PROMPT_WIDTH = 240


class OptionsBar(QToolBar):
    """Rebuilt when another tool or brush is chosen; its dials follow the keys.

    Dials that find no room are in the Brush dock, which has all of them.
    """

    brush_asked_for = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__("Options")
        self.session = session
        self.setObjectName("Options")
        self.setMovable(False)
        self._name = QLabel()
        self._name.setMinimumWidth(84)
        self.brush = Chooser("Brush")
        self.brush.setFixedWidth(BRUSH_WIDTH)
        self.brush.chosen.connect(self._on_brush)
        self.dials = DialRow()
        self._forms: dict[str, Form] = {}
        self._shown = ("", "")
        self._prompt = self._make_prompt()
        self.addWidget(self._name)
        self._brush_action = self.addWidget(self.brush)
        self.addWidget(self.dials)
        self._prompt_action = self.addWidget(self._prompt)
        self.addWidget(self._make_button())
        self.addAction(session.actions["compare"])
        session.studio.chosen.connect(lambda _: self.refresh())
        session.ai.current_recipe.changed.connect(lambda _: self._show_prompt())
        self.refresh()

    def _make_prompt(self) -> QLineEdit:
        prompt = QLineEdit()
        prompt.setPlaceholderText("What should appear here, such as: a red apple")
        prompt.setAccessibleName("Prompt")
        prompt.setMinimumWidth(PROMPT_WIDTH)
        prompt.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        prompt.textEdited.connect(self._on_prompt)
        prompt.returnPressed.connect(self.session.ai.current_recipe.run)
        return prompt

    def _make_button(self) -> QToolButton:
        self._all_dials = QToolButton()
        self._all_dials.setToolTip("Every brush and all dials (F5)")
        self._all_dials.setAccessibleName("Every brush and all dials")
        self._all_dials.clicked.connect(self.brush_asked_for)
        self.session.tokens.changed.connect(self.apply_theme)
        self.apply_theme(self.session.tokens.value)
        return self._all_dials

    def apply_theme(self, tokens: "Tokens") -> None:
        self._all_dials.setIcon(icon("paintbrush", tokens.text))

    def refresh(self) -> None:
        """Show the choices as they are now."""
        studio = self.session.studio
        shown = (studio.choices.tool, studio.choices.brush)
        if shown != self._shown:
            self._shown = shown
            self._build(studio.choices.tool)
        for owner, form in self._forms.items():
            form.show_value(studio.brush_params if owner == "brush" else studio.tool_params)

    def _build(self, tool: str) -> None:
        studio, kind = self.session.studio, tools[tool]
        self._name.setText(kind.label)
        self._brush_action.setVisible(kind.uses_brush)
        self.brush.show_entries(brush_entries(), studio.choices.brush)
        self._forms = {"tool": build_form(studio.tool_params, studio.set_tool_params)}
        if kind.uses_brush:
            self._forms["brush"] = build_form(studio.brush_params, studio.set_brush_params)
        self.dials.show_widgets(_order_rows(self._forms))
        self._prompt_action.setVisible(kind.paints_region)
        self._show_prompt()

    def _on_brush(self, name: str) -> None:
        self.session.studio.choose_brush(name)
        leave_entry(self.brush)

    def _on_prompt(self, text: str) -> None:
        recipe = self.session.ai.current_recipe
        recipe.write(with_prompt(recipe.shown, text))

    def _show_prompt(self) -> None:
        prompt = prompt_of(self.session.ai.current_recipe.shown)
        if self._prompt.text() != prompt:
            self._prompt.setText(prompt)


def brush_entries() -> list[Entry]:
    """Every brush there is, those of plugins too."""
    return [
        Entry(kind.id, kind.label, (kind.__doc__ or "").strip().split("\n")[0]) for kind in brushes
    ]


def _order_rows(forms: dict[str, Form]) -> list[QWidget]:
    """The dials in the order of their use: size, hardness, the tool's, the brush's, switches."""
    ranked: list[tuple[int, int, QWidget]] = []
    for owner, form in forms.items():
        for field in fields(type(form.value)):
            row = form.rows[field.name]
            if isinstance(row, NumberSlider):
                row.setFixedWidth(SLIDER_WIDTH)
            ranked.append((_rank(field.marker, owner), len(ranked), row))
    return [row for _, _, row in sorted(ranked, key=lambda one: one[:2])]


def _rank(marker: object, owner: str) -> int:
    if isinstance(marker, (BrushSize, BrushHardness)):
        return 0 if isinstance(marker, BrushSize) else 1
    if not isinstance(marker, Range):
        return 4
    return 2 if owner == "tool" else 3
