"""The worker process: reads commands from its standard input and runs one job at a time.

A reader thread reads every command at once. So the editor never waits on a full pipe, a ping gets
its Pong while a network runs, and a cancelled job stops at its next step. When the pipe closes,
the editor has ended, and the worker ends too.
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

CLOSED_PIPE_EXIT = 0
"""Exit code when the editor has closed the pipe."""


class Pipes(NamedTuple):
    """The input and output streams of the worker; only frames pass through them."""

    source: BinaryIO
    sink: BinaryIO


def take_pipes() -> Pipes:
    """Keep standard input and output for frames; what a library prints goes to the log."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Pipes(source, sink)


class MessageWriter:
    """Sends messages; two threads write, so a lock keeps frames whole."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._lock = threading.Lock()

    def __call__(self, message: WorkerMessage) -> None:
        with self._lock:
            framing.write_frame(self._sink, message_codec.encode_message(message))


class CommandReader(threading.Thread):
    """The reader thread: replies to pings, notes cancellations, queues the rest."""

    def __init__(self, source: BinaryIO, send: MessageWriter) -> None:
        super().__init__(name="commands", daemon=True)
        self.jobs: queue.SimpleQueue[QueuedCommand] = queue.SimpleQueue()
        self.cancelled: set[int] = set()
        self._source = source
        self._send = send

    def run(self) -> None:
        try:
            while (frame := framing.read_frame(self._source)) is not None:
                self._take(frame)
        except OSError:
            traceback.print_exc()
        # A network may be running in the other thread; nothing waits for its result any more.
        os._exit(CLOSED_PIPE_EXIT)

    def _take(self, frame: framing.Frame) -> None:
        command = message_codec.decode_command(frame)
        if isinstance(command, Ping):
            self._send(Pong())
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
    send = MessageWriter(pipes.sink)
    reader = CommandReader(pipes.source, send)
    reader.start()
    threads = import_modules(options.load)
    chosen = device.choose_device(options.device)
    cache = ModelCache(chosen, options.cache_mb)
    send(WorkerReady(os.getpid(), chosen, threads, time.monotonic() - began))
    while True:
        serve(reader.jobs.get(), cache, reader, send)


def import_modules(modules: Sequence[str]) -> int:
    """Import everything that a job needs; return the number of threads that networks use."""
    import torch

    catalog.load("techniques", "verifiers", "modifiers", "models", "describers")
    for name in modules:
        importlib.import_module(name)
    load_plugins(SHIPPED, folders().plugins)
    return int(torch.get_num_threads())


def serve(
    command: QueuedCommand, cache: ModelCache, reader: CommandReader, send: MessageWriter
) -> None:
    """Run one command; every exception becomes a message, so that the next command can run."""
    try:
        if isinstance(command, OpenModel):
            send(cache.open_and_describe(command.id, command.model, cache.device_at(command.retry)))
        elif isinstance(command, DescribePicture):
            send(PictureDescribed(command.id, describe_picture(command.picture, command.model)))
        else:
            JobRunner(command, cache, send, lambda: command.id in reader.cancelled).run()
    except Stopped:
        send(JobCancelled(command.id))
    except EditorError as error:
        send(JobFailed(command.id, str(error), traceback.format_exc()))
    except MemoryError:
        text = "There is not enough memory for this model: close other programs, or choose another."
        send(JobFailed(command.id, text, traceback.format_exc()))
    except Exception as error:  # noqa: BLE001 - a bug in one technique must not end the worker
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        send(JobFailed(command.id, text, traceback.format_exc(), is_bug=True))
    finally:
        reader.cancelled.discard(command.id)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sfumato worker")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--cache-mb", type=int, default=256)
    parser.add_argument("--load", action="append", default=[], help="a module that registers")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
