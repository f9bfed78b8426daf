"""The message bar above the canvas: one sentence, its details, and a button to dismiss it."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMessageBox, QPushButton, QToolButton

from editor.widgets.theme import Tokens, icon


class MessageBar(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.setObjectName("MessageBar")
        self._details = ""
        self._act: Callable[[], None] | None = None
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._mark = QLabel()
        self._more = QPushButton("Details")
        self._more.clicked.connect(self._show_details)
        self._action = QPushButton()
        self._action.clicked.connect(self._do)
        self._close = QToolButton()
        self._close.setToolTip("Dismiss")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(self._mark)
        row.addWidget(self.sentence, 1)
        for button in (self._action, self._more, self._close):
            row.addWidget(button)
        self.apply_theme(tokens)
        self.hide()

    def apply_theme(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._close.setIcon(icon("x", tokens.text))

    def tell(
        self,
        sentence: str,
        details: str = "",
        is_error: bool = True,
        action: str = "",
        act: Callable[[], None] | None = None,
    ) -> None:
        """Show a sentence, with an optional button that does something about it."""
        colour = self._tokens.danger if is_error else self._tokens.accent
        name = "circle-alert" if is_error else "circle-dot"
        self._mark.setPixmap(icon(name, colour).pixmap(16, 16))
        self.sentence.setText(sentence)
        self._details, self._act = details, act
        self._more.setVisible(bool(details))
        self._action.setText(action)
        self._action.setVisible(act is not None)
        self.show()

    def withdraw(self, sentence: str) -> None:
        """Hide a sentence that is no longer true, if it is the one that is shown."""
        if self.sentence.text() == sentence:
            self.hide()

    def _show_details(self) -> None:
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Details", self.sentence.text(), parent=self)
        box.setDetailedText(self._details)
        box.open()

    def _do(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()
