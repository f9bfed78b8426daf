"""Which technique, which model: choosers that say why something is greyed."""

from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from core.catalog import techniques
from core.errors import ModelError
from core.models.opening import available, capabilities_of

ID = Qt.ItemDataRole.UserRole
ADD = "add"
LABEL = 62
CAPABILITIES = {
    "attention": "control of attention",
    "inpaint": "an inpainting network",
    "gradient": "gradients through the network",
}


class Entry(NamedTuple):
    """One line of a chooser; ``reason`` says why it cannot be chosen, empty when it can."""

    id: str
    label: str
    about: str = ""
    reason: str = ""


class Chooser(QComboBox):
    """A combo box over ids; ``chosen`` carries the id a person picked."""

    chosen = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._entries: list[Entry] = []
        self.activated.connect(lambda _: self.chosen.emit(self.currentData(ID)))

    def show_entries(self, entries: list[Entry], chosen: str) -> None:
        """List entries and show one of them, telling nobody."""
        if entries != self._entries:
            self._entries = entries
            model = QStandardItemModel(self)
            for entry in entries:
                model.appendRow(_item(entry))
            self.setModel(model)
        self.setCurrentIndex(self.findData(chosen, ID))
        self.setToolTip(self.currentData(Qt.ItemDataRole.ToolTipRole) or "")


def _item(entry: Entry) -> QStandardItem:
    item = QStandardItem(f"{entry.label} (not available)" if entry.reason else entry.label)
    item.setData(entry.id, ID)
    item.setToolTip(entry.reason or entry.about)
    item.setEnabled(not entry.reason)
    return item


class Choices(QWidget):
    """``technique`` and ``model`` carry the id that was chosen."""

    technique = Signal(str)
    model = Signal(str)
    add_model = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._technique = Chooser("Technique")
        self._model = Chooser("Model")
        self._technique.chosen.connect(self.technique)
        self._model.chosen.connect(self._model_chosen)
        _rows(self, {"Technique": self._technique, "Model": self._model})

    def show_recipe(self, technique: str, model: str) -> None:
        self._technique.show_entries(technique_entries(model), technique)
        self._model.show_entries(model_entries(model), model)

    def _model_chosen(self, name: str) -> None:
        if name == ADD:
            self.add_model.emit()
        else:
            self.model.emit(name)


def _rows(parent: QWidget, rows: dict[str, Chooser]) -> None:
    grid = QGridLayout(parent)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, (text, chooser) in enumerate(rows.items()):
        label = QLabel(text)
        label.setProperty("role", "dim")
        label.setBuddy(chooser)
        label.setMinimumWidth(LABEL)
        grid.addWidget(label, row, 0)
        grid.addWidget(chooser, row, 1)


def technique_entries(model: str) -> list[Entry]:
    """Every technique, with what the model lacks for it."""
    try:
        has = capabilities_of(model)
    except ModelError:
        has = frozenset(CAPABILITIES)
    return [Entry(t.id, t.label, first_line(t.__doc__), lacking(t.needs - has)) for t in techniques]


def lacking(needs: frozenset[str]) -> str:
    """Why a model cannot do it, in a sentence; empty when nothing lacks."""
    if not needs:
        return ""
    words = ", ".join(CAPABILITIES.get(need, need) for need in sorted(needs))
    return f"The chosen model lacks {words}: choose another model first."


def model_entries(chosen: str) -> list[Entry]:
    """Built-in models and checkpoints, the chosen one in any case, and a way to add one."""
    entries = [Entry(m.name, m.label, m.name, m.note) for m in available()]
    if chosen not in {entry.id for entry in entries}:
        entries.append(Entry(chosen, Path(chosen).stem, chosen))
    return [*entries, Entry(ADD, "Add a checkpoint…")]


def first_line(text: str | None) -> str:
    """The first line of a docstring, which is written for people."""
    return (text or "").strip().split("\n")[0]
