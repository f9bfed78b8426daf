"""New, open, save and export, without ever losing what is not saved."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

from core import settings as stored
from core.document import Document
from core.errors import EditorError
from core.formats.opening import format_for, open_document, open_filter, save_document, save_filter
from core.saving import Lock
from editor.new_dialog import NewDialog
from editor.verbs import new_document, paste

if TYPE_CHECKING:
    from editor.app import App

SAMPLES = Path(__file__).resolve().parent.parent / "resources" / "samples"
Answer = QMessageBox.StandardButton


class Files:
    """What the File menu does; ``lock`` is held while a document has a file."""

    def __init__(self, app: "App") -> None:
        self.app = app
        self.lock: Lock | None = None

    @property
    def document(self) -> Document:
        return self.app.studio.document

    def new(self) -> None:
        if self.may_leave():
            dialog = NewDialog(self.app.window)
            if dialog.exec():
                self.show(new_document(dialog.size_wanted, dialog.background))

    def open(self) -> None:
        """Ask for a file and open it."""
        start = str(self.document.path.parent) if self.document.path else ""
        name, _ = QFileDialog.getOpenFileName(self.app.window, "Open", start, open_filter())
        if name:
            self.open_path(Path(name))

    def open_sample(self) -> None:
        found = sorted(p for p in SAMPLES.glob("*") if p.suffix in {".ora", ".png", ".jpg"})
        if not found:
            raise EditorError("The sample pictures are missing from resources/samples.")
        self.open_path(found[0], as_copy=True)

    def open_path(self, path: Path, as_copy: bool = False) -> bool:
        """Open a file after asking about unsaved work; tells in the strip what went wrong."""
        if not self.may_leave():
            return False
        lock = Lock(path)
        try:
            document = open_document(path)
            if as_copy:
                document.path = None
            else:
                lock.take()
        except EditorError as error:
            self.app.tell(str(error))
            return False
        self.show(document)
        if not as_copy:
            self.lock = lock
            self._remember(path)
        if document.note:
            self.app.tell(document.note, is_error=False)
        return True

    def show(self, document: Document) -> None:
        """Make a document the open one."""
        self._release()
        self.app.show_document(document)

    def save(self) -> bool:
        """Save in place; a picture with layers that came from a flat file asks for a name."""
        path = self.document.path
        if path is None or (path.suffix.lower() != ".ora" and len(self.document.root.children) > 1):
            return self.save_as()
        return self._save(path)

    def save_as(self) -> bool:
        path = self.document.path or Path("Untitled.ora")
        start = str(path.with_suffix(".ora"))
        name, _ = QFileDialog.getSaveFileName(self.app.window, "Save as", start, save_filter())
        return bool(name) and self._save(_with_suffix(Path(name)))

    def _save(self, path: Path) -> bool:
        lock = Lock(path)
        try:
            lock.take()
            save_document(self.document, path)
        except EditorError as error:
            self.app.tell(str(error))
            return False
        if self.lock is not None and self.lock.path != path:
            self.lock.release()
        self.lock = lock
        self._remember(path)
        self.app.saved()
        self.app.status.say(f"Saved {path.name}")
        return True

    def export(self) -> None:
        """A flat copy beside the document, which stays what it is."""
        path = self.document.path or Path("Untitled.ora")
        start = str(path.with_suffix(".png"))
        name, _ = QFileDialog.getSaveFileName(self.app.window, "Export", start, save_filter())
        if name:
            target = _with_suffix(Path(name), ".png")
            format_for(target).write(self.document, target)
            self.app.status.say(f"Exported {target.name}")

    def dropped(self, path: Path) -> None:
        """A dropped file opens, or becomes a layer of the picture that is open."""
        if not self.app.has_document or path.suffix.lower() == ".ora":
            self.open_path(path)
            return
        try:
            pixels = open_document(path)
            from core.composite import flatten

            paste(self.document, flatten(pixels.root, pixels.bounds))
        except EditorError as error:
            self.app.tell(str(error))

    def may_leave(self) -> bool:
        """Whether the document may be closed; asks when something is not saved."""
        if not self.app.has_document or not self.document.is_modified:
            return True
        answer = self.ask_about_changes()
        if answer == Answer.Save:
            return self.save()
        return answer == Answer.Discard

    def ask_about_changes(self) -> Answer:
        name = self.document.path.name if self.document.path else "Untitled"
        box = QMessageBox(self.app.window)
        box.setWindowTitle("Sfumato")
        box.setText(f"Save the changes to {name}?")
        box.setInformativeText("They will be lost otherwise.")
        box.setStandardButtons(Answer.Save | Answer.Discard | Answer.Cancel)
        box.setDefaultButton(Answer.Save)
        return Answer(box.exec())

    def close(self) -> None:
        self._release()

    def _release(self) -> None:
        if self.lock is not None:
            self.lock.release()
        self.lock = None

    def _remember(self, path: Path) -> None:
        self.app.settings = self.app.settings.opened(path)
        try:
            stored.save(replace(self.app.settings))
        except EditorError as error:
            self.app.tell(str(error))


def _with_suffix(path: Path, default: str = ".ora") -> Path:
    return path if path.suffix else path.with_suffix(default)
