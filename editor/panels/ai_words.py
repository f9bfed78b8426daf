"""The prompts of an AI layer: prompt, negative prompt, source prompt, and a line of help."""

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from core.editing.token_alignment import find_differing_tokens
from editor.panels.ai_suggest import SuggestButton

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

LINE_HEIGHT = 18
WANTED, SHOWN = "What should be there", "What the picture shows now"
CHANGES_LINK = "*"
"""The link that selects what would change instead of what a word refers to."""


class PromptField(QPlainTextEdit):
    """A few lines of text; Ctrl+Enter runs, Enter makes no new line."""

    run = Signal()

    def __init__(self, name: str, hint: str, lines: int) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setTabChangesFocus(True)
        self.setFixedHeight(LINE_HEIGHT * lines + 14)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.run.emit()
            event.accept()
        else:
            super().keyPressEvent(event)

    def event(self, event: "QEvent") -> bool:
        # Letters typed here are text, and not the window's one-letter shortcuts.
        if event.type() is event.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if event.text() and not control:
                event.accept()
                return True
        return super().event(event)

    def show_text(self, text: str) -> None:
        """Show a text without emitting a signal; the cursor stays when nothing changes."""
        if text != self.toPlainText():
            blocked = self.blockSignals(True)
            self.setPlainText(text)
            self.blockSignals(blocked)

    def write(self, text: str) -> None:
        """Replace the text as typing does: with a signal, and undone by Ctrl+Z."""
        self.selectAll()
        self.insertPlainText(text)


class PromptFields(QWidget):
    """``changed`` carries prompt, negative prompt and source prompt while they are written."""

    changed = Signal(str, str, str)
    run = Signal()
    suggest = Signal()
    search = Signal(str)
    """A word to find in the picture, or an empty string for what would change."""

    def __init__(self) -> None:
        super().__init__()
        self.prompt = PromptField("Prompt", WANTED, 2)
        self.negative = PromptField("Negative prompt", "What should not be there", 1)
        self.source = PromptField("Picture shows", SHOWN, 2)
        self.suggestion = SuggestButton()
        self.suggestion.clicked.connect(self.suggest)
        self.difference = QLabel()
        self.difference.setTextFormat(Qt.TextFormat.RichText)
        self.difference.setWordWrap(True)
        self.difference.setAccessibleName("Words that differ")
        self.difference.linkActivated.connect(self._on_link)
        self.hint = QLabel()
        self.hint.setProperty("role", "dim")
        self.hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        shows = QHBoxLayout()
        shows.addWidget(self.source, 1)
        shows.addWidget(self.suggestion, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(shows)
        layout.addWidget(self.prompt)
        layout.addWidget(self.negative)
        for field in (self.source, self.prompt, self.negative):
            field.textChanged.connect(self._on_text_changed)
            field.run.connect(self.run)
        layout.addWidget(self.difference)
        layout.addWidget(self.hint)

    def show_prompts(self, prompt: str, negative: str, has_guidance: bool) -> None:
        """Show the prompts; the negative prompt only where a guidance takes it."""
        self.prompt.show_text(prompt)
        self.negative.show_text(negative)
        self.negative.setVisible(has_guidance)

    def show_hints(self, prompt: str, source: str) -> None:
        """Show in empty fields what is asked for; the prompt only where it is asked for."""
        self.prompt.setPlaceholderText(prompt)
        self.prompt.setVisible(bool(prompt))
        self.source.setPlaceholderText(source)

    def show_source(self, source: str, prompt: str, is_asked: bool = True) -> None:
        """Show the source prompt and which words differ, where it is asked for."""
        self.source.show_text(source)
        self.source.setVisible(is_asked)
        self.suggestion.setVisible(is_asked)
        self.difference.setText(mark_changes(source, prompt) if is_asked else "")
        self.difference.setVisible(bool(self.difference.text()))

    def apply_theme(self) -> None:
        """Set the rich text again, because it keeps the colours of the old theme."""
        text = self.difference.text()
        self.difference.clear()
        self.difference.setText(text)

    def show_hint(self, text: str) -> None:
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def _on_link(self, link: str) -> None:
        self.search.emit("" if link == CHANGES_LINK else link)

    def _on_text_changed(self) -> None:
        fields = (self.prompt, self.negative, self.source)
        self.changed.emit(*(field.toPlainText() for field in fields))


def mark_changes(source: str, prompt: str) -> str:
    """Both prompts as rich text: what goes is struck out, what comes is bold."""
    if not source.strip() or not prompt.strip():
        return ""
    old, new = source.split(), prompt.split()
    if old == new:
        return "Nothing differs yet: write what it should become."
    gone, come = (set(places) for places in find_differing_tokens(old, new))
    before = " ".join(_link(w, i in gone) for i, w in enumerate(old))
    after = " ".join(f"<b>{escape(w)}</b>" if i in come else escape(w) for i, w in enumerate(new))
    return f"{before} → {after} &nbsp;<a href='{CHANGES_LINK}'>Select what changes</a>"


def _link(word: str, is_gone: bool) -> str:
    """A word of the source prompt that can be clicked to select what it refers to."""
    text = f"<s>{escape(word)}</s>" if is_gone else escape(word)
    style = "color: palette(text); text-decoration: none"
    return f"<a href='{escape(word, quote=True)}' style='{style}'>{text}</a>"
