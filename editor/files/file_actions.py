"""New, open, save and export, without ever losing what is not saved."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from core import settings as stored
from core.errors import EditorError, readable
from core.files.atomic import translate_read_errors
from core.files.file_version import FileVersion
from core.files.journal_file import Base
from core.files.lock import Lock
from core.formats.opening import (
    format_for,
    open_document,
    open_filter,
    path_in_format,
    save_document,
    save_filter,
)
from core.paint.document import Document, scratch_document
from core.paint.flatten import flatten
from editor.commands.document_edits import new_document, paste
from editor.files.background_io import BackgroundIo
from editor.shell.new_dialog import NewDialog

if TYPE_CHECKING:
    from concurrent.futures import Future

    from editor.session import Session

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
Answer = QMessageBox.StandardButton


class FileActions:
    """What the File menu does; ``lock`` is held while a document has a file.

    Dialogs open over ``parent``. Files are written in a thread, from a copy that shares the
    pixels: one can paint on meanwhile, and what is painted then counts as not saved.
    ``prepare_to_save`` is called in that thread with each file that is going to be written. After
    ``has_told_home_problem`` nothing more is said about settings that cannot be saved.
    """

    def __init__(self, session: "Session", parent: QWidget) -> None:
        self.session = session
        self._parent = parent
        self.lock: Lock | None = None
        self.background = BackgroundIo()
        self.prepare_to_save: Callable[[Path], None] = _prepare_nothing
        self._is_saved = False
        self.has_told_home_problem = False
        self._read: tuple[Document, Base | None] | None = None

    @property
    def document(self) -> Document:
        return self.session.studio.document

    def new(self) -> None:
        if self.may_leave():
            dialog = NewDialog(self._parent)
            if dialog.exec():
                self.show(new_document(dialog.size_wanted, dialog.background))

    def open(self) -> None:
        """Ask for a file and open it."""
        start = readable(self.document.path.parent) if self.document.path else ""
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open", start, open_filter())
        if name:
            self.open_path(Path(name))

    def open_sample(self) -> None:
        """Open a sample as a copy. Raises EditorError when the samples are missing."""
        found = sorted(p for p in SAMPLES.glob("*") if p.suffix in {".ora", ".png", ".jpg"})
        if not found:
            raise EditorError("The sample pictures are missing from resources/samples.")
        self.open_path(found[0], as_copy=True)

    def open_path(self, path: Path, as_copy: bool = False) -> bool:
        """Open a file after asking about unsaved work; says in the message bar what went wrong."""
        if not self.may_leave():
            return False
        lock = Lock(path, stored.folders().locks)
        self.session.note(f"Opening {path.name}…", 0)
        try:
            if not as_copy:
                lock.take()
            self._read = self.background.result(lambda: _read_with_base(path))
        except EditorError as error:
            self.session.tell(str(error))
            lock.release()
            return False
        except BaseException:
            lock.release()
            raise
        finally:
            self.session.note("")
        self._show_read(self._read[0], lock, as_copy)
        return True

    def _show_read(self, document: Document, lock: Lock, as_copy: bool) -> None:
        if as_copy:
            document.path = None
        self.show(document)
        if not as_copy:
            self.lock = lock
            self._remember(lock.path)
        if document.note:
            self.session.tell(document.note, is_error=False)

    def show(self, document: Document) -> None:
        """Make a document the open one."""
        self._release()
        if self._read is not None and self._read[0] is not document:
            self._read = None
        self.session.studio.open(document)

    def show_recovered(self, document: Document) -> None:
        """Open recovered work as the file that it was, unless another window has that open."""
        notes = [document.note]
        lock = None
        if document.path is not None:
            lock = Lock(document.path, stored.folders().locks)
            try:
                lock.take()
            except EditorError as error:
                lock, document.path = None, None
                notes.append(f"{error} The recovered work has no name yet.")
        self.show(document)
        self.lock = lock
        if any(notes):
            self.session.tell(" ".join(filter(None, notes)), is_error=False)

    def base_of(self, document: Document) -> Base | None:
        """The file that a document was read from, as it was then; None if it was made here."""
        if self._read is None or self._read[0] is not document:
            return None
        return self._read[1]

    def save(self) -> bool:
        """Save in place; a picture with layers that came from a flat file asks for a name.

        Returns whether writing has begun; the window says when it is done.
        """
        path = self.document.path
        if path is None or (path.suffix.lower() != ".ora" and len(self.document.root.children) > 1):
            return self.save_as()
        return self.save_to(path)

    def save_as(self) -> bool:
        path = self.document.path or Path("Untitled.ora")
        target = self._ask_for_name("Save as", path.with_suffix(".ora"))
        return target is not None and self.save_to(target)

    def _ask_for_name(self, title: str, start: Path) -> Path | None:
        """A file to write, in the format that the dialog's filter says; None for none."""
        name, chosen = QFileDialog.getSaveFileName(
            self._parent, title, readable(start), save_filter()
        )
        if not name:
            return None
        typed = Path(name)
        target = path_in_format(typed, chosen, start.suffix)
        # The dialog has asked about the name as it was typed.
        if target != typed and target.exists() and not self.may_replace(target):
            return None
        return target

    def may_replace(self, path: Path) -> bool:
        """Ask whether a file may be replaced."""
        box = QMessageBox(self._parent)
        box.setWindowTitle("Sfumato")
        box.setText(f"Replace {readable(path.name)}?")
        box.setInformativeText("The chosen format gives the file this name, and there is one.")
        box.setStandardButtons(Answer.Yes | Answer.Cancel)
        box.setDefaultButton(Answer.Cancel)
        return Answer(box.exec()) == Answer.Yes

    def save_to(self, path: Path) -> bool:
        """Begin to write the document as it is now; says in the message bar what goes wrong."""
        lock = Lock(path, stored.folders().locks)
        try:
            lock.take()
        except EditorError as error:
            self.session.tell(str(error))
            return False
        document, copy = self.document, _copy_document(self.document)
        self.session.note(f"Saving {path.name}…", 0)
        self.background.start(
            lambda: self._write(lambda: save_document(copy, path), path),
            lambda done: self._on_written(done, document, copy, lock),
        )
        return True

    def _write(self, write: Callable[[], None], path: Path) -> None:
        """In the thread for files. Raises FileError when the file cannot be written."""
        self.prepare_to_save(path)
        write()

    def _on_written(
        self, done: "Future[None]", document: Document, copy: Document, lock: Lock
    ) -> None:
        """The file is there, or is as it was before."""
        self._is_saved = False
        self.session.note("")
        try:
            done.result()
        except EditorError as error:
            lock.release()
            self.session.tell(str(error))
            return
        except BaseException:
            lock.release()
            raise
        self._is_saved = True
        self._exchange_lock(lock)
        if copy.path is not None:
            document.path, document.saved = copy.path, copy.saved
        self._remember(lock.path)
        self.session.studio.saved.emit(document)
        self.session.note(f"Saved {lock.path.name}")

    def _exchange_lock(self, lock: Lock) -> None:
        """Hold the file that was written: it has a new number on the disk now."""
        new = Lock(lock.path, stored.folders().locks)
        try:
            new.take()
        except EditorError:
            # Only its name is held then, which was free before.
            new = lock
        else:
            lock.release()
        self._release()
        self.lock = new

    def export(self) -> None:
        """A flat copy beside the document, which stays what it is."""
        path = self.document.path or Path("Untitled.ora")
        target = self._ask_for_name("Export", path.with_suffix(".png"))
        if target is not None:
            kind, copy = format_for(target), _copy_document(self.document)
            self.session.note(f"Exporting {target.name}…", 0)
            self.background.start(
                lambda: self._write(lambda: kind.write(copy, target), target),
                lambda done: self._on_exported(done, target, kind.label),
            )

    def _on_exported(self, done: "Future[None]", target: Path, label: str) -> None:
        self.session.note("")
        try:
            done.result()
        except EditorError as error:
            self.session.tell(str(error))
        else:
            self.session.note(f"Exported {target.name}: {label}")

    def open_dropped(self, path: Path) -> None:
        """A dropped file opens, or becomes a layer of the picture that is open."""
        if not self.session.studio.has_document or path.suffix.lower() == ".ora":
            self.open_path(path)
            return
        try:
            pixels = self.background.result(lambda: open_document(path))
            paste(self.document, flatten(pixels.root, pixels.bounds))
        except EditorError as error:
            self.session.tell(str(error))

    def may_leave(self) -> bool:
        """Whether the document may be closed; asks when something is not saved."""
        self.background.wait()
        if not self.session.studio.has_document or not self.document.is_modified:
            return True
        answer = self.ask_about_changes()
        if answer == Answer.Save:
            return self.save() and self._wrote_all()
        return answer == Answer.Discard

    def _wrote_all(self) -> bool:
        self.background.wait()
        return self._is_saved

    def ask_about_changes(self) -> Answer:
        name = readable(self.document.path.name) if self.document.path else "Untitled"
        box = QMessageBox(self._parent)
        box.setWindowTitle("Sfumato")
        box.setText(f"Save the changes to {name}?")
        box.setInformativeText("They will be lost otherwise.")
        box.setStandardButtons(Answer.Save | Answer.Discard | Answer.Cancel)
        box.setDefaultButton(Answer.Save)
        return Answer(box.exec())

    def close(self) -> None:
        self.background.close()
        self._release()

    def _release(self) -> None:
        if self.lock is not None:
            self.lock.release()
        self.lock = None

    def _remember(self, path: Path) -> None:
        settings = self.session.settings.value.with_recent(path)
        self.session.settings.set(settings)
        try:
            stored.save(settings)
        except EditorError as error:
            if not self.has_told_home_problem:
                self.session.tell(str(error))
            self.has_told_home_problem = True


def _read_with_base(path: Path) -> tuple[Document, Base | None]:
    """The document in a file, and the version of the file that it is; None if that has changed.

    Raises FileError when it cannot be read.
    """
    with translate_read_errors(path):
        version = FileVersion.of(path) if path.is_file() else None
    document = open_document(path)
    if version is None or not version.is_untouched():
        return document, None
    return document, Base.of(version, document.state)


def _prepare_nothing(path: Path) -> None:
    """What is done before a file is written where nothing records the document."""


def _copy_document(document: Document) -> Document:
    """The document as it is now, to be read by another thread."""
    copy = scratch_document(document.state)
    copy.extras = dict(document.extras)
    return copy
