"""The choosers for technique and model, which give the reason when an entry is greyed."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from core.catalog import params_of, techniques
from core.errors import ModelError
from core.models.opening import available_models, capabilities_of
from core.params import SourcePrompt, Strength, field_marked
from editor.widgets.chooser import Chooser, Entry

ADD, TOY = "add", "toy"
LABEL_WIDTH = 62
CAPABILITIES = {
    "attention": "control of attention",
    "inpaint": "an inpainting network",
    "gradient": "gradients through the network",
    "joint-attention": "control of joint attention",
    "self-attention": "control of self-attention",
}
REGION, CHANGE, MAKE = "Paint a region", "Change the picture", "Make a picture"
HEADINGS = (REGION, CHANGE, MAKE)
MAX_NAME = 40
"""Characters of a published name that fit into a line after the label."""


class AiChoices(QWidget):
    """``technique`` and ``model`` carry the id that was chosen."""

    technique = Signal(str)
    model = Signal(str)
    add_model = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._technique = Chooser("Method")
        self._model = Chooser("Model")
        self._technique.chosen.connect(self.technique)
        self._model.chosen.connect(self._on_model_chosen)
        _lay_out_rows(self, {"Method": self._technique, "Model": self._model})

    def show_recipe(self, technique: str, model: str) -> None:
        self._technique.show_entries(technique_entries(model), technique)
        self._model.show_entries(model_entries(model), model)

    def _on_model_chosen(self, name: str) -> None:
        if name == ADD:
            self.add_model.emit()
        else:
            self.model.emit(name)


def _lay_out_rows(parent: QWidget, rows: dict[str, Chooser]) -> None:
    grid = QGridLayout(parent)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, (text, chooser) in enumerate(rows.items()):
        label = QLabel(text)
        label.setProperty("role", "dim")
        label.setBuddy(chooser)
        label.setMinimumWidth(LABEL_WIDTH)
        grid.addWidget(label, row, 0)
        grid.addWidget(chooser, row, 1)


def technique_entries(model: str) -> list[Entry]:
    """Every technique under its heading, with what the model lacks for it."""
    try:
        has = capabilities_of(model)
    except ModelError:
        has = frozenset(CAPABILITIES)
    entries = []
    for heading in HEADINGS:
        kinds = [kind for kind in techniques if technique_heading(kind) == heading]
        if kinds:
            entries.append(Entry(f"heading:{heading}", heading, is_heading=True))
        for kind in sorted(kinds, key=lambda kind: kind.label):
            about = first_line(kind.__doc__)
            entries.append(
                Entry(kind.id, _label_of(kind), about, missing_capabilities(kind.needs - has))
            )
    return entries


def technique_heading(kind: Any) -> str:
    """The heading that a technique is listed under; empty for one that only makes a map."""
    params = params_of(kind)
    if kind.shows_map:
        return ""
    if kind.needs_mask:
        return REGION
    starts_from_picture = field_marked(params, Strength) or field_marked(params, SourcePrompt)
    return CHANGE if starts_from_picture else MAKE


def _label_of(kind: Any) -> str:
    """What it is for, and the name that its paper gave it."""
    name = kind.paper.name if kind.paper else ""
    says_more = 0 < len(name) <= MAX_NAME and name.lower() != kind.label.lower()
    return f"{kind.label} ({name})" if says_more else str(kind.label)


def missing_capabilities(needs: frozenset[str]) -> str:
    """Why a model cannot run a technique, in a sentence; empty when it can."""
    if not needs:
        return ""
    words = ", ".join(CAPABILITIES.get(need, need) for need in sorted(needs))
    return f"The chosen model lacks {words}: choose another model first."


def model_entries(chosen: str) -> list[Entry]:
    """Built-in models and checkpoints, the chosen one in any case, and a way to add one.

    The toy, which can only show how things work, is listed where somebody has chosen it.
    """
    found = [m for m in available_models() if m.name != TOY or chosen == TOY]
    entries = [Entry(m.name, m.label, m.name, m.note) for m in found]
    if chosen not in {entry.id for entry in entries}:
        entries.append(Entry(chosen, Path(chosen).stem, chosen))
    return [*entries, Entry(ADD, "Add a checkpoint…")]


def first_line(text: str | None) -> str:
    """The first line of a docstring, which is written for people."""
    return (text or "").strip().split("\n")[0]
