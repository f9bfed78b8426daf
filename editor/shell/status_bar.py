"""The status bar: zoom, position, colour format, ink and AI latencies, what the worker does."""

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget


class StatusBar(QStatusBar):
    """Every figure has its place; the message on the left fades after a while."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._labels: dict[str, QLabel] = {}
        for name in ("zoom", "position", "format", "ink", "preview", "final", "worker"):
            label = QLabel()
            label.setAccessibleName(name.capitalize())
            self._labels[name] = label
            self.addPermanentWidget(label)
            label.hide()
        self._show("format", "sRGB 8-bit")

    def _show(self, name: str, text: str) -> None:
        label = self._labels[name]
        label.setText(text)
        label.setVisible(bool(text))

    def text(self, name: str) -> str:
        """What stands in one place."""
        return self._labels[name].text()

    def set_zoom(self, zoom: float) -> None:
        self._show("zoom", f"{zoom:.0%}")

    def set_position(self, x: float, y: float) -> None:
        self._show("position", f"{int(x // 1)}, {int(y // 1)}")

    def set_ink(self, milliseconds: float) -> None:
        self._show("ink", f"ink {milliseconds:.0f} ms")

    def set_preview(self, milliseconds: float) -> None:
        self._show("preview", f"preview {milliseconds:.0f} ms")

    def set_final(self, milliseconds: float) -> None:
        self._show("final", f"final {milliseconds:.0f} ms")

    def set_worker(self, text: str) -> None:
        self._show("worker", text)

    def say(self, text: str, seconds: float = 6.0) -> None:
        """Show a sentence for a while; for 0 seconds until the next one."""
        self.showMessage(text, round(seconds * 1000))
