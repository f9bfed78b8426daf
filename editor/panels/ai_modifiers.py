"""The modifiers of a recipe: a guidance, and extras that wrap it, each with its dials."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from core.catalog import modifiers, params_of
from core.errors import EditorError
from core.params import NegativePrompt, Value, field_marked, from_json, to_json, values_by_name
from core.task import ModifierSetting
from editor.panels.ai_choices import LABEL_WIDTH, first_line
from editor.widgets.chooser import Chooser, Entry
from editor.widgets.forms import build_form

if TYPE_CHECKING:
    from editor.widgets.forms import Form

NO_GUIDANCE = ""


class ModifierBox(QWidget):
    """Chooses modifiers. ``turned`` carries them and the dial that moved; ``settled`` ends a drag.

    The guidance comes first among the modifiers, so that it is the innermost one.
    """

    turned = Signal(object, str)
    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.guidance = Chooser("Guidance")
        self.guidance.chosen.connect(self.choose_guidance)
        self.extras = QToolButton()
        self.extras.setAccessibleName("Extras")
        self.extras.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.extras.setMenu(QMenu(self.extras))
        self.forms: dict[str, Form] = {}
        self._wrapped: tuple[ModifierSetting, ...] = ()
        self._negative = ""
        self._label = QLabel("Guidance")
        self._label.setBuddy(self.guidance)
        self._lay_out()

    def _lay_out(self) -> None:
        extras = QLabel("Extras")
        grid = QGridLayout()
        grid.setSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (label, widget) in enumerate(
            ((self._label, self.guidance), (extras, self.extras))
        ):
            label.setProperty("role", "dim")
            label.setMinimumWidth(LABEL_WIDTH)
            grid.addWidget(label, row, 0)
            grid.addWidget(widget, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(grid)
        self._dials = QVBoxLayout()
        column.addLayout(self._dials)

    def show_modifiers(
        self, wrapped: tuple[ModifierSetting, ...], negative: str, has_own_guidance: bool
    ) -> None:
        """Show a recipe's modifiers; techniques with a guidance of their own need none."""
        self._wrapped, self._negative = wrapped, negative
        chosen = next((one.id for one in wrapped if is_guidance(one.id)), NO_GUIDANCE)
        self.guidance.show_entries(guidance_entries(), chosen)
        for widget in (self._label, self.guidance):
            widget.setVisible(not has_own_guidance)
        self._list_extras()
        shown = [one for one in wrapped if not (has_own_guidance and is_guidance(one.id))]
        self._show_dials(shown)

    def _list_extras(self) -> None:
        on = {one.id for one in self._wrapped}
        extras = [kind for kind in modifiers if not is_guidance(kind.id)]
        menu = self.extras.menu()
        menu.clear()
        for kind in extras:
            action = menu.addAction(kind.label)
            action.setToolTip(first_line(kind.__doc__))
            action.setCheckable(True)
            action.setChecked(kind.id in on)
            action.toggled.connect(lambda state, name=kind.id: self.choose_extra(name, state))
        menu.setToolTipsVisible(True)
        names = [kind.label for kind in extras if kind.id in on]
        self.extras.setText(", ".join(names) or "None")

    def _show_dials(self, shown: list[ModifierSetting]) -> None:
        values = {one.id: params for one in shown if (params := _params(one)) is not None}
        if list(values) != list(self.forms):
            for form in self.forms.values():
                form.deleteLater()
            self.forms = {name: self._make_form(name, params) for name, params in values.items()}
        for name, params in values.items():
            self.forms[name].show_value(params)

    def _make_form(self, name: str, params: Any) -> "Form":
        form = build_form(
            params,
            lambda value: self._on_params(name, value),
            lambda _: self.settled.emit(),
            (NegativePrompt,),
        )
        self._dials.addWidget(form)
        return form

    def _on_params(self, name: str, params: Any) -> None:
        values = to_json(params) | self._negative_for(type(params))
        changed = tuple(
            replace(one, params=values) if one.id == name else one for one in self._wrapped
        )
        if changed != self._wrapped:
            self._emit_turned(changed, name)

    def choose_guidance(self, name: str) -> None:
        """Choose another guidance, or none; extras stay."""
        extras = tuple(one for one in self._wrapped if not is_guidance(one.id))
        chosen = () if name == NO_GUIDANCE else (self._default_setting(name),)
        self._emit_turned(chosen + extras, "guidance")

    def choose_extra(self, name: str, on: bool) -> None:
        """Add an extra around the other modifiers, or remove it."""
        others = tuple(one for one in self._wrapped if one.id != name)
        self._emit_turned((*others, self._default_setting(name)) if on else others, name)

    def _default_setting(self, name: str) -> ModifierSetting:
        kind = params_of(modifiers[name])
        return ModifierSetting(name, to_json(kind()) | self._negative_for(kind))

    def _negative_for(self, params: type[Any]) -> dict[str, Value]:
        """The negative prompt, by its name in a modifier that takes one."""
        return values_by_name(params, {NegativePrompt: self._negative})

    def _emit_turned(self, wrapped: tuple[ModifierSetting, ...], dial: str) -> None:
        self._wrapped = wrapped
        self.turned.emit(wrapped, dial)


def is_guidance(name: str) -> bool:
    """Whether a modifier steers by a negative prompt; all others are extras."""
    return name in modifiers and bool(field_marked(params_of(modifiers[name]), NegativePrompt))


def guidance_entries() -> list[Entry]:
    found = [Entry(m.id, m.label, first_line(m.__doc__)) for m in modifiers if is_guidance(m.id)]
    about = "The model follows the prompt as it was trained to; half the calls."
    return [Entry(NO_GUIDANCE, "None", about), *found]


def _params(one: ModifierSetting) -> Any:
    """A modifier's Params; defaults where they do not fit, None when it is not installed."""
    if one.id not in modifiers:
        return None
    kind = params_of(modifiers[one.id])
    try:
        return from_json(kind, one.params)
    except EditorError:
        return kind()
