"""The button that fills in what the picture shows, or gives the reason why it cannot."""

from PySide6.QtWidgets import QPushButton

REST, BUSY = "Suggest", "Looking…"
ABOUT = "Look at the picture and fill in what it shows"


class SuggestButton(QPushButton):
    """A button as wide as the longer of its texts, so that nothing moves when it is pressed."""

    def __init__(self) -> None:
        super().__init__(BUSY)
        self.setFixedWidth(self.sizeHint().width())
        self.setAccessibleName("Suggest what the picture shows")
        self.show_state("", is_busy=False)

    def show_state(self, reason: str, is_busy: bool) -> None:
        """``reason`` is why there is no describer; empty when there is one."""
        self.setText(BUSY if is_busy else REST)
        self.setEnabled(not (reason or is_busy))
        self.setToolTip(reason or ABOUT)
