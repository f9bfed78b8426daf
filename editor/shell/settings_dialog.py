"""The Settings dialog: one form a page, made from the markers of its values."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from core import params as declared
from core.errors import EditorError
from core.params import Choice, Folder, Range
from core.settings import folders
from editor.widgets.file_line import ShortName
from editor.widgets.forms import build_form

if TYPE_CHECKING:
    from core.settings import Settings

MAX_THREADS = 64
WIDTH = 480


@dataclass(frozen=True)
class WindowPage:
    """What the window looks like and does."""

    title: ClassVar[str] = "Window"
    theme: Annotated[str, Choice(("dark", "light"), names=("Dark", "Light"))] = "dark"
    wheel: Annotated[
        str,
        Choice(
            ("seeds", "zoom"),
            "Wheel over a fresh AI layer",
            "Under the AI brush. Elsewhere the wheel zooms; with Shift it walks through seeds",
            names=("Shows other seeds", "Zooms"),
        ),
    ] = "seeds"


@dataclass(frozen=True)
class WorkerPage:
    """What the worker computes with."""

    title: ClassVar[str] = "Worker"
    device: Annotated[
        str,
        Choice(
            ("auto", "cpu", "cuda", "mps"),
            help="Where models run",
            names=("The fastest there is", "Processor", "NVIDIA or AMD graphics", "Apple graphics"),
        ),
    ] = "auto"
    worker_threads: Annotated[
        int,
        Range(
            0,
            MAX_THREADS,
            "Threads",
            help="Cores that models run on; 0 leaves one core free to paint",
        ),
    ] = 0
    cache_mb: Annotated[
        int,
        Range(0, 8192, "Memory for results", "MB", help="Repeated steps are not computed again"),
    ] = 256


@dataclass(frozen=True)
class SafetyPage:
    """How much is kept to go back to."""

    title: ClassVar[str] = "Undo and autosave"
    undo_mb: Annotated[
        int, Range(64, 16_384, "Memory for undo", "MB", help="The oldest steps go first")
    ] = 1024
    autosave_seconds: Annotated[
        float,
        Range(0.1, 1.0, "Autosave after", "s", 0.1, help="At most this much work is ever lost"),
    ] = 1.0


@dataclass(frozen=True)
class FilesPage:
    """Where the person's own models are."""

    title: ClassVar[str] = "Folders"
    models_folder: Annotated[
        str, Folder("Your models", help="Checkpoints here are offered; nothing in it is changed")
    ] = ""


PAGES: tuple[type[Any], ...] = (WindowPage, WorkerPage, SafetyPage, FilesPage)


class SettingsDialog(QDialog):
    """Shows settings and gives the changed ones; what no page shows stays as it is."""

    def __init__(self, settings: "Settings", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(WIDTH)
        self._settings = settings
        self._before = [_read_page(page, settings) for page in PAGES]
        self.forms = [build_form(value, lambda _: None) for value in self._before]
        self.tabs = QTabWidget()
        for page, form in zip(PAGES, self.forms, strict=True):
            self.tabs.addTab(_make_page(form, *_extras(page)), page.title)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.Ok
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(buttons)

    @property
    def settings_wanted(self) -> "Settings":
        """The settings with every value that the person has changed."""
        changes: dict[str, Any] = {}
        for form, before in zip(self.forms, self._before, strict=True):
            was = dataclasses.asdict(before)
            now = dataclasses.asdict(form.value)
            changes |= {name: value for name, value in now.items() if value != was[name]}
        return dataclasses.replace(self._settings, **changes)


def _read_page(page: type[Any], settings: "Settings") -> Any:
    """The values of a page; one that its field cannot show is shown as the default."""
    values = {}
    for field in declared.fields(page):
        try:
            values[field.name] = declared.check(field, getattr(settings, field.name))
        except EditorError:
            values[field.name] = field.default
    return page(**values)


def _make_page(form: QWidget, *extras: QWidget) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(12, 16, 12, 12)
    layout.setSpacing(8)
    layout.addWidget(form)
    for widget in extras:
        layout.addWidget(widget)
    layout.addStretch(1)
    return page


def _extras(page: type[Any]) -> list[QWidget]:
    """What a page shows besides its form."""
    if page is WindowPage:
        return [_note("Language: English. There are no translations yet.")]
    if page is WorkerPage:
        return [_note("The worker begins anew with these; a running job is computed again.")]
    if page is FilesPage:
        there = folders()
        named = {
            "Settings": there.config,
            "Models": there.models,
            "Plugins": there.plugins,
            "Autosave": there.autosave,
            "Log": there.log,
        }
        return [_folder_row(name, path) for name, path in named.items()]
    return []


def _note(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "dim")
    label.setWordWrap(True)
    return label


def _folder_row(name: str, path: Path) -> QWidget:
    """A folder of the program, with a button that shows it in the file manager."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    label, where, show = _note(name), ShortName(), QPushButton("Show")
    label.setFixedWidth(64)
    where.show_text(str(path))
    where.setToolTip(str(path))
    where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    show.setAccessibleName(f"Show the folder {name}")
    show.setEnabled(path.is_dir())
    show.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))))
    layout.addWidget(label)
    layout.addWidget(where, 1)
    layout.addWidget(show)
    return row
