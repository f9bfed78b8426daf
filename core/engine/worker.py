"""The worker process: takes commands from its standard input, one job at a time.

A reader thread takes every command at once, so the editor never waits on a full pipe, pings are
answered while a network runs, and a cancelled job stops at its next step. When the pipe closes,
the editor is gone and so is the worker.
"""

import argparse
import importlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from core import catalog
from core.describers.dispatch import describe_picture
from core.engine import device, framing, message_codec
from core.engine.commands import CancelJob, DescribePicture, OpenModel, Ping, QueuedCommand
from core.engine.messages import (
    JobCancelled,
    JobFailed,
    PictureDescribed,
    Pong,
    WorkerMessage,
    WorkerReady,
)
from core.engine.model_cache import ModelCache
from core.engine.run_job import JobRunner
from core.errors import Cancelled as Stopped
from core.errors import EditorError
from core.plugins import SHIPPED, load_plugins
from core.settings import folders

GONE = 0
"""Exit code when the editor has closed the pipe."""


class Pipes(NamedTuple):
    """The two ends that only frames pass through."""

    source: BinaryIO
    sink: BinaryIO


def take_pipes() -> Pipes:
    """Keep standard input and output for frames; whatever a library prints goes to the log."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Pipes(source, sink)


class MessageWriter:
    """Sends messages; two threads speak, so a lock keeps frames whole."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._lock = threading.Lock()

    def __call__(self, message: WorkerMessage) -> None:
        with self._lock:
            framing.write_frame(self._sink, message_codec.encode_message(message))


class CommandReader(threading.Thread):
    """The reader thread: answers pings, notes cancellations, queues the rest."""

    def __init__(self, source: BinaryIO, speak: MessageWriter) -> None:
        super().__init__(name="commands", daemon=True)
        self.jobs: queue.SimpleQueue[QueuedCommand] = queue.SimpleQueue()
        self.cancelled: set[int] = set()
        self._source = source
        self._speak = speak

    def run(self) -> None:
        try:
            while (frame := framing.read_frame(self._source)) is not None:
                self._take(frame)
        except OSError:
            traceback.print_exc()
        # A network may be running in the other thread; nothing waits for its result any more.
        os._exit(GONE)

    def _take(self, frame: framing.Frame) -> None:
        command = message_codec.decode_command(frame)
        if isinstance(command, Ping):
            self._speak(Pong())
        elif isinstance(command, CancelJob):
            self.cancelled.add(command.id)
        else:
            self.jobs.put(command)


def main(arguments: Sequence[str]) -> int:
    """Serve until the pipe closes."""
    began = time.monotonic()
    # Ctrl+C in a terminal reaches both processes; the editor decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = _options(arguments)
    pipes = take_pipes()
    speak = MessageWriter(pipes.sink)
    ear = CommandReader(pipes.source, speak)
    ear.start()
    threads = prepare(options.load)
    chosen = device.choose_device(options.device)
    shelf = ModelCache(chosen, options.cache_mb)
    speak(WorkerReady(os.getpid(), chosen, threads, time.monotonic() - began))
    while True:
        serve(ear.jobs.get(), shelf, ear, speak)


def prepare(modules: Sequence[str]) -> int:
    """Import everything a job needs before the first one comes; how many threads networks use."""
    import torch

    catalog.load("techniques", "verifiers", "modifiers", "models", "describers")
    for name in modules:
        importlib.import_module(name)
    load_plugins(SHIPPED, folders().plugins)
    return int(torch.get_num_threads())


def serve(
    command: QueuedCommand, shelf: ModelCache, ear: CommandReader, speak: MessageWriter
) -> None:
    """One command; whatever goes wrong becomes a message, and the next can come."""
    try:
        if isinstance(command, OpenModel):
            speak(
                shelf.open_and_describe(command.id, command.model, shelf.device_at(command.retry))
            )
        elif isinstance(command, DescribePicture):
            speak(PictureDescribed(command.id, describe_picture(command.picture, command.model)))
        else:
            JobRunner(command, shelf, speak, lambda: command.id in ear.cancelled).run()
    except Stopped:
        speak(JobCancelled(command.id))
    except EditorError as error:
        speak(JobFailed(command.id, str(error), traceback.format_exc()))
    except MemoryError:
        text = "There is not enough memory for this model: close other programs, or choose another."
        speak(JobFailed(command.id, text, traceback.format_exc()))
    except Exception as error:  # noqa: BLE001 - a bug in one technique must not end the worker
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        speak(JobFailed(command.id, text, traceback.format_exc(), is_bug=True))
    finally:
        ear.cancelled.discard(command.id)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sfumato worker")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--cache-mb", type=int, default=256)
    parser.add_argument("--load", action="append", default=[], help="a module that registers")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
