"""Changing the person's settings: the window and the worker follow, and the file is written."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from core import settings as stored
from core.engine.engine import WorkerOptions
from editor.widgets.style import apply_theme

if TYPE_CHECKING:
    from core.settings import Settings
    from editor.session import Session


def change_settings(session: "Session", settings: "Settings") -> None:
    """Use other settings from now on, and remember them.

    Raises FileError when the file cannot be written; the settings are used all the same.
    """
    is_other_theme = settings.theme != session.settings.value.theme
    session.settings.set(settings)
    if is_other_theme:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        session.tokens.set(apply_theme(application, settings.theme))
    stored.save(settings)


def worker_options(settings: "Settings") -> WorkerOptions:
    """What the worker is started with by these settings."""
    return WorkerOptions(settings.device, settings.cache_mb, settings.worker_threads)
