"""The Jobs dock: what runs, what waits, and how the last ones ended."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from editor.job import Job, Stage
from editor.panels.ai_progress import progress_text

if TYPE_CHECKING:
    from editor.app import App

EMPTY = "Nothing has run yet. Paint with the AI brush (A) over what should change."
JOB = Qt.ItemDataRole.UserRole


def summary(job: Job) -> str:
    """How a job stands or ended, in words."""
    if job.failure is not None:
        return job.failure.text
    if not job.stage.is_over:
        return progress_text(job)
    words = {
        Stage.finished: "finished",
        Stage.cancelled: "cancelled",
        Stage.overtaken: "a newer one took its place",
        Stage.failed: "failed",
    }[job.stage]
    if job.is_comparison and job.note:
        return job.note
    if job.is_from_cache:
        return f"{words} at once, from what was tried before"
    return f"{words} in {job.final_ms:.0f} ms" if job.final_ms is not None else words


class JobsPanel(QWidget):
    """Newest first; the button cancels the chosen job, or all of them."""

    id = "jobs"
    title = "Jobs"

    def __init__(self, app: "App") -> None:
        super().__init__()
        self.app = app
        self.list = QListWidget()
        self.list.setAccessibleName("Jobs")
        self.list.setWordWrap(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemSelectionChanged.connect(self._dress_button)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self._cancel)
        self._late = QTimer(self, singleShot=True, interval=0)
        self._late.timeout.connect(self.refresh)
        self._items: dict[Job, QListWidgetItem] = {}
        self._lay_out()
        app.jobs.changed.connect(lambda _: self._late.start())
        self.refresh()

    def _lay_out(self) -> None:
        empty = QLabel(EMPTY)
        empty.setProperty("role", "dim")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        empty.setContentsMargins(8, 8, 8, 8)
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.cancel)
        column.addLayout(row)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(full)

    def refresh(self) -> None:
        """Bring the list in step with the jobs, keeping what is chosen."""
        recent = list(self.app.jobs.recent)
        if list(self._items) != recent:
            chosen = self._chosen()
            self.list.clear()
            self._items = {job: self._add(job) for job in recent}
            if chosen in self._items:
                self._items[chosen].setSelected(True)
        for job, item in self._items.items():
            text = f"{_kind(job)}{job.name}\n{summary(job)}"
            if item.text() != text:
                item.setText(text)
                item.setToolTip(job.note or summary(job))
        self._stack.setCurrentIndex(1 if recent else 0)
        self._dress_button()

    def _add(self, job: Job) -> QListWidgetItem:
        item = QListWidgetItem(self.list)
        item.setData(JOB, job)
        return item

    def _chosen(self) -> Job | None:
        items = self.list.selectedItems()
        return items[0].data(JOB) if items else None

    def _dress_button(self) -> None:
        chosen = self._chosen()
        running = any(not job.stage.is_over for job in self._items)
        one = chosen is not None and not chosen.stage.is_over
        self.cancel.setText("Cancel this" if one else "Cancel all")
        self.cancel.setEnabled(running)

    def _cancel(self) -> None:
        chosen = self._chosen()
        if chosen is not None and not chosen.stage.is_over:
            self.app.jobs.cancel(chosen)
        else:
            self.app.jobs.cancel_all()


def _kind(job: Job) -> str:
    if job.is_comparison:
        return "Compare: "
    return "Refresh: " if job.is_refresh else ""
