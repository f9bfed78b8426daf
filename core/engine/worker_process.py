"""The editor's side of one worker process: a reader thread, a writer thread, starting and ending.

The reader turns frames into calls on the event loop. The writer exists because a pipe holds only
64 KB: a worker that is stopped, or slow to read, would otherwise block the thread that sends it a
picture, which is the thread that paints the canvas.
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

MAX_TAIL_BYTES = 4000
"""Bytes of the log shown under Details."""
CLOSE_TIMEOUT = 5.0
"""Seconds that closing waits for a killed process, in case the system is slow to end it."""
MAX_LOG_BYTES = 1 << 20
"""Bytes after which the log starts anew."""


class WorkerProcess:
    """One running worker.

    ``on_message`` and ``on_end`` (with the exit code) are called on the event loop.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        on_message: Callable[["WorkerProcess", WorkerMessage], None],
        on_end: Callable[["WorkerProcess", int], None],
        threads: int = 0,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._message_callback, self._end_callback = on_message, on_end
        self._log = _log_path()
        self._log_start = self._log.stat().st_size if self._log else 0
        self._child = _start(arguments, self._log, threads)
        self._outbox: queue.SimpleQueue[list[framing.Part] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="worker-reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="worker-writer", daemon=True)
        self._reader.start()
        self._writer.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def send(self, command: Command) -> None:
        """Queue a command; never waits. Arrays in it must not be written to afterwards."""
        self._outbox.put(framing.pack_frame(message_codec.encode_command(command)))

    def kill(self) -> None:
        """End the process now; ``on_end`` follows on the loop."""
        self._child.kill()

    def close(self) -> None:
        """End the process and both threads, without a call to ``on_end``."""
        self._end_callback = _ignore
        self._message_callback = _ignore
        self.kill()
        self._reader.join(CLOSE_TIMEOUT)

    def log_tail(self) -> str:
        """Read the end of what this worker has written to its log."""
        if self._log is None:
            return ""
        with self._log.open("rb") as file:
            start = max(self._log_start, self._log.stat().st_size - MAX_TAIL_BYTES)
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def _read(self) -> None:
        assert self._child.stdout is not None
        try:
            while (frame := framing.read_frame(self._child.stdout)) is not None:  # type: ignore[arg-type]
                self._call_on_loop(self._on_frame, message_codec.decode_message(frame))
        except OSError:
            self._child.kill()
        code = self._child.wait()
        self._child.stdout.close()
        self._outbox.put(None)
        self._writer.join()
        self._call_on_loop(self._on_end, code)

    def _write(self) -> None:
        assert self._child.stdin is not None
        sink: IO[bytes] = self._child.stdin
        try:
            while (parts := self._outbox.get()) is not None:
                sink.writelines(parts)
                sink.flush()
        except OSError:
            pass  # the worker is gone; the reader notices that too, and calls on_end
        with suppress(OSError):
            sink.close()

    def _call_on_loop(self, function: Callable[..., None], value: object) -> None:
        # After the loop was closed there is nobody left to call.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, value)

    def _on_frame(self, message: WorkerMessage) -> None:
        self._message_callback(self, message)

    def _on_end(self, code: int) -> None:
        self._end_callback(self, code)


def _ignore(process: WorkerProcess, value: object) -> None:
    """A callback that does nothing."""


def command_line() -> list[str]:
    """Return how this program starts its worker, installed or frozen into one executable."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--worker"]
    return [sys.executable, "-m", "core.engine.worker"]


def _start(arguments: Sequence[str], log: Path | None, threads: int) -> "subprocess.Popen[bytes]":
    line = [*command_line(), *arguments]
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    pipe = subprocess.PIPE
    with (log or Path(os.devnull)).open("ab") as errors:
        return subprocess.Popen(
            line,
            stdin=pipe,
            stdout=pipe,
            stderr=errors,
            env=_environment(threads),
            creationflags=hidden,
        )


def _environment(threads: int) -> dict[str, str]:
    root = str(Path(core.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONFAULTHANDLER": "1"}
    # No model is ever downloaded without the person's consent.
    environment["HF_HUB_OFFLINE"] = "1"
    limit_threads(environment, threads)
    return environment


def _log_path() -> Path | None:
    """The worker's log, begun anew when long; None where it cannot be written."""
    path = folders().log / "worker.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".old.log"))
        path.touch()
    except OSError:
        return None
    return path
