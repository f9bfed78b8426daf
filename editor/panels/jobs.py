"""The Jobs dock: the running job, those that wait, and how the last ones ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editor.ai_session.job import Job, Stage
from editor.panels.ai_progress import REFRESH_INTERVAL, progress_text
from editor.panels.panel import Place, panels
from editor.widgets.theme import Tokens, icon

if TYPE_CHECKING:
    from editor.session import Session

EMPTY_TEXT = "Nothing has run yet. Paint with the AI brush (A) over what should change."


def summary(job: Job) -> str:
    """The progress of a job, or how it ended, in words."""
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


class JobRow(QWidget):
    """One job: its name, its progress, and a button to cancel it."""

    def __init__(self, job: Job, tokens: Tokens, cancel: Callable[[Job], None]) -> None:
        super().__init__()
        self.job = job
        self._name = QLabel(f"{_kind_prefix(job)}{job.name}")
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._cancel_button = QToolButton()
        self._cancel_button.setToolTip("Cancel")
        self._cancel_button.setAccessibleName(f"Cancel {job.name}")
        self._cancel_button.clicked.connect(lambda: cancel(job))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self._name)
        texts.addWidget(self._summary)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 4, 4)
        row.addLayout(texts, 1)
        row.addWidget(self._cancel_button, 0, Qt.AlignmentFlag.AlignTop)
        self.apply_theme(tokens)
        self.refresh()

    @property
    def text(self) -> str:
        return f"{self._name.text()}: {self._summary.text()}"

    def apply_theme(self, tokens: Tokens) -> None:
        self._cancel_button.setIcon(icon("x", tokens.text))

    def refresh(self) -> None:
        role = "error" if self.job.failure is not None else "dim"
        if self._summary.property("role") != role:
            self._summary.setProperty("role", role)
            self._summary.style().polish(self._summary)
        self._summary.setText(summary(self.job))
        self.setToolTip(self.job.note)
        self._cancel_button.setVisible(not self.job.stage.is_over)


@panels.register
class JobsPanel(QWidget):
    """Lists jobs, the newest first."""

    id: ClassVar[str] = "jobs"
    title: ClassVar[str] = "Jobs"
    place: ClassVar[Place] = Place(50, is_tab=True)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.rows: list[JobRow] = []
        self._refresh_timer = QTimer(self, singleShot=True, interval=REFRESH_INTERVAL)
        self._refresh_timer.timeout.connect(self.refresh)
        self._lay_out()
        session.tokens.changed.connect(self.apply_theme)
        session.jobs.changed.connect(
            lambda _: self._refresh_timer.isActive() or self._refresh_timer.start()
        )
        self.refresh()

    def _lay_out(self) -> None:
        empty = QLabel(EMPTY_TEXT)
        empty.setProperty("role", "dim")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        empty.setContentsMargins(8, 8, 8, 8)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 4, 0, 4)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(scroll)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in the theme's colours."""
        for row in self.rows:
            row.apply_theme(tokens)

    def refresh(self) -> None:
        """Bring the rows in step with the jobs."""
        recent = list(self.session.jobs.recent)
        kept = {row.job: row for row in self.rows}
        for job in kept.keys() - set(recent):
            kept.pop(job).deleteLater()
        self.rows = []
        for place, job in enumerate(recent):
            row = kept.get(job)
            if row is None:
                row = JobRow(job, self.session.tokens.value, self.session.jobs.cancel)
                self._column.insertWidget(place, row)
            row.refresh()
            self.rows.append(row)
        self._stack.setCurrentIndex(1 if recent else 0)


def _kind_prefix(job: Job) -> str:
    if job.is_comparison:
        return "Compare: "
    return "Refresh: " if job.is_refresh else ""
