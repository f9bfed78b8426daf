"""The editor's end of one worker process: a reader thread, a writer thread and the way to end it.

The reader turns frames into calls on the event loop. The writer exists because a pipe holds only
64 KB: a worker that is stopped, or slow to read, would otherwise block whoever sends it a picture,
and that is the thread that paints the canvas.
"""

import asyncio
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import core
from core.engine import framing, message_codec
from core.engine.commands import Command
from core.engine.device import limit_threads
from core.engine.messages import WorkerMessage
from core.settings import folders

TAIL = 4000
"""Characters of the log shown under Details."""
CLOSING = 5.0
"""Seconds that closing waits for a killed process, should the system be slow to let it go."""
LOG_LIMIT = 1 << 20
"""Bytes after which the log starts anew."""


class WorkerProcess:
    """One running worker. ``heard`` and ``ended`` (with the exit code) are called on the loop."""

    def __init__(
        self,
        arguments: Sequence[str],
        heard: Callable[["WorkerProcess", WorkerMessage], None],
        ended: Callable[["WorkerProcess", int], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard, self._ended = heard, ended
        self._log = _log_path()
        self._log_start = self._log.stat().st_size if self._log else 0
        self._child = _start(arguments, self._log)
        self._outbox: queue.SimpleQueue[list[framing.Part] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="worker-reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="worker-writer", daemon=True)
        self._reader.start()
        self._writer.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def send(self, command: Command) -> None:
        """Never waits. Arrays in the command must not be written to afterwards."""
        self._outbox.put(framing.pack_frame(message_codec.encode_command(command)))

    def kill(self) -> None:
        """End the process now; ``ended`` follows on the loop."""
        self._child.kill()

    def close(self) -> None:
        """End the process and both threads, without a call to ``ended``."""
        self._ended = _unheard
        self._heard = _unheard
        self.kill()
        self._reader.join(CLOSING)

    def log_tail(self) -> str:
        """What this worker has written to its log last."""
        if self._log is None:
            return ""
        with self._log.open("rb") as file:
            start = max(self._log_start, self._log.stat().st_size - TAIL)
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def _read(self) -> None:
        assert self._child.stdout is not None
        try:
            while (frame := framing.read_frame(self._child.stdout)) is not None:  # type: ignore[arg-type]
                self._tell(self._on_frame, message_codec.decode_message(frame))
        except OSError:
            self._child.kill()
        code = self._child.wait()
        self._child.stdout.close()
        self._outbox.put(None)
        self._writer.join()
        self._tell(self._on_end, code)

    def _write(self) -> None:
        assert self._child.stdin is not None
        sink: IO[bytes] = self._child.stdin
        try:
            while (parts := self._outbox.get()) is not None:
                sink.writelines(parts)
                sink.flush()
        except OSError:
            pass  # the worker is gone; the reader sees that too, and says so
        with suppress(OSError):
            sink.close()

    def _tell(self, what: Callable[..., None], value: object) -> None:
        # A loop that was closed without the engine has nobody left to listen.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, value)

    def _on_frame(self, message: WorkerMessage) -> None:
        self._heard(self, message)

    def _on_end(self, code: int) -> None:
        self._ended(self, code)


def _unheard(process: WorkerProcess, value: object) -> None:
    """What is said to nobody."""


def command_line() -> list[str]:
    """How this program starts its worker, installed or frozen into one executable."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--worker"]
    return [sys.executable, "-m", "core.engine.worker"]


def _start(arguments: Sequence[str], log: Path | None) -> "subprocess.Popen[bytes]":
    line = [*command_line(), *arguments]
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    pipe = subprocess.PIPE
    with (log or Path(os.devnull)).open("ab") as errors:
        return subprocess.Popen(
            line, stdin=pipe, stdout=pipe, stderr=errors, env=_environment(), creationflags=hidden
        )


def _environment() -> dict[str, str]:
    root = str(Path(core.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONFAULTHANDLER": "1"}
    # No model is ever fetched behind the person's back.
    environment["HF_HUB_OFFLINE"] = "1"
    limit_threads(environment)
    return environment


def _log_path() -> Path | None:
    """The worker's log, begun anew when long; None where it cannot be written."""
    path = folders().log / "worker.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".old.log"))
        path.touch()
    except OSError:
        return None
    return path
