"""A whole window for tests: the App with an engine that is never started."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from core.settings import Settings
from editor.app import App


@contextmanager
def window(settings: Settings | None = None) -> Iterator[App]:
    """An App whose window is shown, closed again afterwards."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    app = App(application, settings or Settings(model="toy"))
    app.window.show()
    application.processEvents()
    try:
        yield app
    finally:
        app.close()
        application.removeEventFilter(app.window)
        app.window.deleteLater()
        app.session.canvas.deleteLater()
        application.processEvents()
        # Windows that are kept make every later one slower: each takes part in a change of style.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
