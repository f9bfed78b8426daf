"""One window per file: a note on the disk says which running process has a picture open."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from core.errors import FileError
from core.files.process import describe_process, is_running


class Lock:
    """Marks a file as open in one running window; the mark ends with its process.

    The notes lie in a folder of their own, one for each open file.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        name = hashlib.blake2b(os.fsencode(path.resolve()), digest_size=12).hexdigest()
        self.path = path
        self._file = folder / f"{name}.json"

    @property
    def holder(self) -> int | None:
        """The process that has the file open, when that is a living one other than this."""
        try:
            process = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        if not is_running(process) or int(process["pid"]) == os.getpid():
            return None
        return int(process["pid"])

    def take(self) -> None:
        """Raises FileError when another window has the file open."""
        if self.holder is not None:
            raise FileError(
                f"{self.path.name} is open in another Sfumato window: "
                "close it there, or open a copy under another name."
            )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(describe_process()))

    def release(self) -> None:
        """Let other windows open the file; a lock that another window holds stays."""
        if self.holder is None:
            with suppress(FileNotFoundError):
                self._file.unlink()
