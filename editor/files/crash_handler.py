"""The last net: what nobody caught is logged and told once, and the window stays open."""

import logging
import sys
import traceback
from logging.handlers import RotatingFileHandler
from types import TracebackType
from typing import TYPE_CHECKING

from core.errors import EditorError
from core.settings import folders

if TYPE_CHECKING:
    from editor.session import Session

LOG = logging.getLogger("sfumato")
LIMIT = 1 << 20


class CrashHandler:
    """Takes the place of Python's own hook until ``release``."""

    def __init__(self, session: "Session") -> None:
        self.session = session
        self._before = sys.excepthook
        folder = folders().log
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "editor.log"
        self._handler = RotatingFileHandler(
            path, maxBytes=LIMIT, backupCount=2, encoding="utf-8", errors="backslashreplace"
        )
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
        LOG.error("not handled: %s", text)
        self.session.tell(
            "Something went wrong that Sfumato did not expect. "
            "Your work is kept; save it under a new name to be safe.",
            text,
        )
