"""A chooser for a further model of a recipe: an installed one, one from a file, or none."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from core.ai.recipe_inputs import file_stamp
from core.errors import ModelError
from core.models.files import refuse_pickle
from core.models.opening import available_models, backend_of
from core.params import ModelName
from editor.widgets.chooser import Chooser, Entry

FILE, FOLDER = "ask for a file", "ask for a folder"


class ModelBox(Chooser):
    """A chooser for a model; ``changed`` carries its id or path, empty for none."""

    changed = Signal(str)

    def __init__(self, marker: ModelName, name: str, label: str) -> None:
        super().__init__(label)
        self.name = ""
        self._marker = marker
        self.chosen.connect(self._on_chosen)
        self.show_name(name)

    def show_name(self, name: str) -> None:
        """Show another model without emitting a signal."""
        self.name = name
        self.show_entries(entries(self._marker, name), name)

    def _on_chosen(self, name: str) -> None:
        picked = {FILE: self._ask_for_file, FOLDER: self._ask_for_folder}.get(name, lambda: name)()
        is_new = bool(picked or not name) and picked != self.name
        self.show_name(picked if is_new else self.name)
        if is_new:
            self.changed.emit(picked)

    def _ask_for_file(self) -> str:
        kinds = "Checkpoints (*.safetensors)"
        return QFileDialog.getOpenFileName(self, self.accessibleName(), "", kinds)[0]

    def _ask_for_folder(self) -> str:
        return QFileDialog.getExistingDirectory(self, self.accessibleName())


def entries(marker: ModelName, chosen: str) -> list[Entry]:
    """No model, the installed ones, the chosen one in any case, and two ways to open another."""
    found = [Entry("", marker.none, marker.help)]
    found += [
        Entry(model.name, model.label, model.name, model.note) for model in available_models()
    ]
    if chosen not in {entry.id for entry in found}:
        found.append(_external_entry(chosen))
    return [*found, Entry(FILE, "A .safetensors file…"), Entry(FOLDER, "A diffusers folder…")]


def _external_entry(name: str) -> Entry:
    """A model from outside the models folder; its label shows when it cannot be used."""
    path = Path(name)
    if path.is_absolute() and not file_stamp(path):
        return Entry(name, f"Gone: {path.stem}", f"{name} does not exist; was it moved?")
    try:
        refuse_pickle(path)
        backend_of(name)
    except ModelError as error:
        return Entry(name, f"Not usable: {path.stem}", str(error))
    return Entry(name, path.stem, name)
