"""The bar on top: the dials of the active tool and its brush."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolBar, QWidget

from core.ai.recipe_values import prompt_of
from core.catalog import tools
from core.params import Range, fields
from editor.ai_session.current_recipe import with_prompt
from editor.widgets.slider import NumberSlider

if TYPE_CHECKING:
    from typing import Any

    from editor.session import Session

WIDTH = 132


class OptionsBar(QToolBar):
    """Rebuilt when another tool is chosen; its sliders follow the keys."""

    def __init__(self, session: "Session") -> None:
        super().__init__("Options")
        self.session = session
        self.setObjectName("Options")
        self.setMovable(False)
        self._name = QLabel()
        self._name.setMinimumWidth(110)
        self._holder = QWidget()
        self._row = QHBoxLayout(self._holder)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._sliders: dict[str, NumberSlider] = {}
        self._prompt: QLineEdit | None = None
        self._shown = ("", "")
        self.addWidget(self._name)
        self.addWidget(self._holder)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.addAction(session.actions["compare"])
        session.studio.chosen.connect(lambda _: self.refresh())
        session.ai.current_recipe.changed.connect(lambda _: self._show_prompt())
        self.refresh()

    def refresh(self) -> None:
        choices = self.session.studio.choices
        if (choices.tool, choices.brush) != self._shown:
            self._shown = (choices.tool, choices.brush)
            self._build(choices.tool)
        for key, slider in self._sliders.items():
            slider.set_value(float(getattr(self._params(key), key.split(".")[1])))

    def _params(self, key: str) -> "Any":
        on_brush = key.startswith("brush.")
        return self.session.studio.brush_params if on_brush else self.session.studio.tool_params

    def _build(self, tool: str) -> None:
        while self._row.count():
            item = self._row.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        self._sliders, self._prompt = {}, None
        self._name.setText(tools[tool].label)
        if tools[tool].uses_brush:
            self._add_dials("brush", self.session.studio.brush_params)
        self._add_dials("tool", self.session.studio.tool_params)
        if tools[tool].paints_region:
            self._add_prompt()

    def _add_dials(self, owner: str, params: "Any") -> None:
        for field in fields(type(params)):
            if not isinstance(field.marker, Range):
                continue
            now = float(getattr(params, field.name))
            slider = NumberSlider(
                field.marker, now, float(field.default), field.label, field.type is int
            )
            slider.setFixedWidth(WIDTH)
            key = f"{owner}.{field.name}"
            slider.changed.connect(lambda value, key=key: self._on_dial(key, value))
            self._sliders[key] = slider
            self._row.addWidget(slider)

    def _on_dial(self, key: str, value: float) -> None:
        from dataclasses import replace

        owner, name = key.split(".")
        changed = replace(self._params(key), **{name: value})
        studio = self.session.studio
        (studio.set_brush_params if owner == "brush" else studio.set_tool_params)(changed)

    def _add_prompt(self) -> None:
        self._prompt = QLineEdit()
        self._prompt.setPlaceholderText("What should appear here, such as: a red apple")
        self._prompt.setAccessibleName("Prompt")
        self._prompt.setMinimumWidth(240)
        self._prompt.textEdited.connect(self._on_prompt)
        self._prompt.returnPressed.connect(self.session.ai.current_recipe.run)
        self._row.addWidget(self._prompt)
        self._show_prompt()

    def _on_prompt(self, text: str) -> None:
        self.session.ai.current_recipe.write(
            with_prompt(self.session.ai.current_recipe.shown, text)
        )

    def _show_prompt(self) -> None:
        prompt = prompt_of(self.session.ai.current_recipe.shown)
        if self._prompt is not None and self._prompt.text() != prompt:
            self._prompt.setText(prompt)
