"""Run, Cancel, the bar with its step count, and the lines for failures and remarks."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from editor.ai_session.job import Stage
from editor.widgets.theme import Tokens, icon

if TYPE_CHECKING:
    from editor.ai_session.job import Failure, Job

BAR_DELAY = 100
"""Milliseconds before the bar appears; shorter jobs need none."""
REFRESH_INTERVAL = 50
"""Milliseconds between two updates, because a bar repaints at once whenever it moves."""
UNCHANGED = "Almost nothing changed: raise Strength or Depth, or write what should be there."


def progress_text(job: "Job") -> str:
    """The stage or step of a job, in words."""
    if job.stage is Stage.waiting:
        return "Waiting for its turn"
    if job.stage is Stage.loading:
        return f"Loading {job.model}"
    return f"Step {job.n} of {job.of}" if job.of else "Preparing"


class Progress(QWidget):
    """The bottom of the AI dock; its height stays the same, so that nothing jumps."""

    run = Signal()
    cancel = Signal()
    live = Signal(bool)

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.run_button = QPushButton("Run")
        self.run_button.setToolTip("Run the active AI layer (Ctrl+Enter)")
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancel)
        self.live_switch = QCheckBox("Live")
        self.live_switch.setChecked(True)
        self.live_switch.setToolTip("Run strokes and dials by themselves; off means idle")
        self.live_switch.toggled.connect(self.live)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.step_label = QLabel()
        self.step_label.setProperty("role", "dim")
        # A text that changes at every step must not move the layout each time.
        self.step_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.error = QLabel()
        self.error.setProperty("role", "error")
        self.error.setWordWrap(True)
        self.note = QLabel()
        self.note.setProperty("role", "dim")
        self.note.setWordWrap(True)
        self.details = QPushButton("Details")
        self.details.clicked.connect(self._on_details)
        self._trace = ""
        self._note_layer = ""
        self._job: Job | None = None
        self._bar_timer = QTimer(self, singleShot=True)
        self._bar_timer.timeout.connect(self._show_bar)
        self._lay_out()
        self.apply_theme(tokens)
        self.show_job(None)
        self.show_failure(None)
        self.show_note("", "")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.step_label, 1)
        buttons.addWidget(self.live_switch)
        line = QHBoxLayout()
        line.addWidget(self.error, 1)
        line.addWidget(self.details)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(line)
        column.addWidget(self.note)
        column.addWidget(self.bar)
        column.addLayout(buttons)

    def apply_theme(self, tokens: Tokens) -> None:
        self.run_button.setIcon(icon("play", tokens.text, tokens.dim))
        self.cancel_button.setIcon(icon("x", tokens.text, tokens.dim))

    def show_job(self, job: "Job | None") -> None:
        """Show a job that waits or runs, or none; a short one gets no bar."""
        is_new = self._job is not job
        self._job = job
        if job is None or job.stage.is_over:
            self._bar_timer.stop()
            self._show_idle()
        elif is_new or not self._bar_timer.isActive():
            self._bar_timer.start(BAR_DELAY if is_new else REFRESH_INTERVAL)

    def show_note(self, text: str, layer: str) -> None:
        """Show a remark about the last result of a layer."""
        self._note_layer = layer
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_layer(self, layer: str) -> None:
        """Hide the remark when it is about another layer."""
        if layer != self._note_layer:
            self.show_note("", layer)

    def show_failure(self, failure: "Failure | None") -> None:
        self.error.setText(failure.text if failure else "")
        self.error.setVisible(failure is not None)
        self._trace = failure.trace if failure else ""
        self.details.setVisible(bool(self._trace))

    def _show_idle(self) -> None:
        self._job = None
        self.bar.setRange(0, 100)
        self.bar.setValue(0)
        self.step_label.setText("")
        self.cancel_button.hide()
        self.run_button.show()

    def _show_bar(self) -> None:
        job = self._job
        if job is None:
            return
        self.cancel_button.show()
        self.run_button.hide()
        self.step_label.setText(progress_text(job))
        self.step_label.setToolTip(job.note)
        # Without a count the bar moves to and fro.
        self.bar.setRange(0, job.of)
        self.bar.setValue(job.n)

    def _on_details(self) -> None:
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Details", self.error.text(), parent=self)
        box.setDetailedText(self._trace)
        box.open()
