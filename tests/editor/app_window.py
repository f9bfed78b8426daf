"""A whole window for tests: the App with an engine that is never started."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from core.settings import Settings
from editor.app import App


@contextmanager
def window(settings: Settings | None = None, is_remembered: bool = False) -> Iterator[App]:
    """An App whose window is shown, closed again afterwards.

    It has the settings given, or those in the settings file when it is remembered.
    """
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    chosen = None if is_remembered else settings or Settings(model="toy")
    app = App(application, chosen)
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
