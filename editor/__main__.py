"""Start the editor: one window on an event loop that Qt and asyncio share."""

import asyncio
import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from core.engine.display import has_display
from core.settings import Settings
from editor.app import App
from editor.files.crash_handler import CrashHandler


def main(arguments: list[str] | None = None) -> int:
    """Open a window, with the first file named in arguments; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not has_display():
        sys.stderr.write(
            "sfumato: there is no display here that answers. Set DISPLAY, or use sfumato run and "
            "python -m editor.dev.tour, which need none.\n"
        )
        return 2
    from qasync import QEventLoop

    # On X11 Qt would drop pen and mouse samples that come faster than it paints.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
    application = QApplication([sys.argv[0]])
    application.setApplicationName("Sfumato")
    application.setDesktopFileName("sfumato")
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    closed = asyncio.Event()
    application.aboutToQuit.connect(closed.set)
    app = open_window(application)
    crash_handler = CrashHandler(app.session, app.autosave.flush)
    app.window.show()
    QTimer.singleShot(0, app.start)
    if arguments:
        QTimer.singleShot(0, lambda: app.files.open_path(Path(arguments[0])))
    with loop:
        loop.run_until_complete(closed.wait())
        app.close()
    crash_handler.release()
    return 0


def open_window(application: QApplication, settings: Settings | None = None) -> App:
    """Build a window, with the settings given or those of the person; it is not shown yet."""
    return App(application, settings)


if __name__ == "__main__":
    sys.exit(main())
