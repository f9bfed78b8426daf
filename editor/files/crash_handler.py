"""What nobody caught is logged and told, and the window stays open."""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from types import TracebackType
from typing import TYPE_CHECKING

from core.errors import EditorError
from core.settings import folders

if TYPE_CHECKING:
    from editor.session import Session

LOG = logging.getLogger("sfumato")
LIMIT = 1 << 20
QUIET_SECONDS = 60.0
"""The same error is told again only after so long without it."""


class CrashHandler:
    """Takes the place of Python's own hook until ``release``.

    ``record`` records the open document and says whether that worked. Without a folder for the
    log there is none.
    """

    def __init__(self, session: "Session", record: Callable[[], bool]) -> None:
        self.session = session
        self._record = record
        self._before = sys.excepthook
        self._seen: dict[str, float] = {}
        self._handler = _open_log()
        LOG.addHandler(self._handler)
        sys.excepthook = self._on_exception

    def release(self) -> None:
        sys.excepthook = self._before
        LOG.removeHandler(self._handler)
        self._handler.close()

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if isinstance(error, EditorError):
            self.session.tell(str(error))
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        now = time.monotonic()
        is_new = now - self._seen.get(text, -QUIET_SECONDS) >= QUIET_SECONDS
        self._seen[text] = now
        if not is_new:
            return
        LOG.error("not handled: %s", text)
        self.session.tell(
            f"Something went wrong that Sfumato did not expect. {self._say_what_is_kept()}", text
        )

    def _say_what_is_kept(self) -> str:
        if self._record():
            return "Your work is kept; save it under a new name to be safe."
        return "Your work is not recorded: save it under a new name now."


def _open_log() -> logging.Handler:
    folder = folders().log
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return RotatingFileHandler(
            folder / "editor.log",
            maxBytes=LIMIT,
            backupCount=2,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError:
        return logging.NullHandler()
