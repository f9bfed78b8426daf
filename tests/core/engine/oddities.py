"""Techniques and describers that fail on purpose, in the worker of the engine's tests."""

import os
import signal
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from core.catalog import Paper, describers, techniques
from core.diffusion.model import Image, Model, Step
from core.paint.tiles import Pixels  # noqa: TC001
from core.params import ModelName, Prompt, Range, Text
from core.task import Task  # noqa: TC001


class Oddity:
    """Encodes the picture, takes steps, and lets ``odd`` do its worst before the second one."""

    id: ClassVar[str] = ""
    label: ClassVar[str] = "Oddity"
    paper: ClassVar[Paper | None] = None
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    shows_map: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Prompt()] = ""
        steps: Annotated[int, Range(1, 1000)] = 4
        pause: Annotated[float, Range(0, 60)] = 0.0
        note: Annotated[str, Text("File that remembers past runs")] = ""

    def run(self, task: "Task[Params]", model: Model) -> Generator[Step, None, Image]:
        z = model.encode(task.image)
        for n in range(task.params.steps):
            time.sleep(task.params.pause)
            yield Step(n + 1, task.params.steps, z)
            if n == 0:
                z = self.odd(task.params, z)
        return model.decode(z)

    def odd(self, params: "Params", z: Any) -> Any:
        return z


def is_first(params: Oddity.Params) -> bool:
    """Whether this has not been called with the same note before, in any process."""
    note = Path(params.note)
    if note.exists():
        return False
    note.write_text("been here")
    return True


@techniques.register
class Slow(Oddity):
    """Does nothing, step by step."""

    id = "slow"


@techniques.register
class Broken(Oddity):
    """Has a bug."""

    id = "broken"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        return vars(params)["missing"]


@techniques.register
class Nonsense(Oddity):
    """Ends in values that are not numbers."""

    id = "nonsense"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        return z * float("nan")


@techniques.register
class Printer(Oddity):
    """Writes to standard output, from Python and from below it."""

    id = "printer"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        print("hello from Python", flush=True)  # noqa: T201
        os.write(1, b"hello from below\n")
        return z


@techniques.register
class Greedy(Oddity):
    """Runs out of memory the first time."""

    id = "greedy"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        if is_first(params):
            raise MemoryError("a petabyte, please")
        return z


@techniques.register
class GreedyPair(Greedy):
    """Needs two models, and runs out of memory the first time."""

    id = "greedy-pair"

    @dataclass(frozen=True)
    class Params(Oddity.Params):
        second: Annotated[str, ModelName("Second")] = ""


@techniques.register
class Insatiable(Oddity):
    """Runs out of memory as torch does on the CPU, every time."""

    id = "insatiable"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate"
        )


@techniques.register
class KilledOnce(Oddity):
    """Is killed as by the system, the first time."""

    id = "killed-once"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        if is_first(params):
            os.kill(os.getpid(), signal.SIGKILL)
        return z


@techniques.register
class Killed(Oddity):
    """Is killed every time."""

    id = "killed"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


@techniques.register
class Stuck(Oddity):
    """Makes no progress the first time, though the process is alive."""

    id = "stuck"

    def odd(self, params: Oddity.Params, z: Any) -> Any:
        if is_first(params):
            time.sleep(600)
        return z


@describers.register
class Witness:
    """Describes pictures for the toy model by their size: not white ones, and black is a bug."""

    id: ClassVar[str] = "witness"
    label: ClassVar[str] = "Witness"
    worlds: ClassVar[frozenset[str]] = frozenset({"toy"})

    @staticmethod
    def why_unavailable() -> str:
        return ""

    def describe(self, pixels: Pixels) -> str:
        height, width, _ = pixels.shape
        if not pixels.any():
            raise KeyError("black")
        return "" if pixels.min() == 255 else f"{width} by {height}"
