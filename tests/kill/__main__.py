"""Kill a real editor at random, many times, and say how much work each kill cost.

    python -m tests.kill --seeds 300 [--first 0] [--minutes 60]

A seed decides what the editor does and when it is killed (SIGKILL). Afterwards the next start
is played: what it offers must be a state that the editor wrote down, the work that came later
must be younger than a second, and nothing may be left lying about. Work that waited because other
programs had the processor is given in both ways: by the clock on the wall, and by the editor's own
time, which is without the seconds that its threads were ready to run and did not.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from core.errors import FileError
from core.files.atomic import PREFIX, SUFFIX
from core.formats.opening import open_document
from core.settings import folders
from editor.files.autosave import find_unsaved
from tests.kill import editor
from tests.kill.digest import Digest

LONGEST = {"small": 3.0, "ora": 4.0, "ai": 5.0, "photo": 8.0}
"""Seconds of work after which the kill comes at the latest."""
START_SECONDS = 120
MAX_LOSS = 1.0


@dataclass
class Kill:
    """What one kill cost, in seconds; ``faults`` is empty where all is well."""

    seed: int
    kind: str
    states: int = 0
    loss: float = 0.0
    own_loss: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass
class State:
    """One line of the editor's log."""

    time: float
    digest: str
    is_modified: bool
    waits: tuple[float, float]


def kill_once(seed: int, folder: Path, photo: Path) -> Kill:
    """Start an editor, kill it, and play the next start."""
    os.environ["SFUMATO_HOME"] = str(folder / "home")
    kind = editor.KINDS[seed % len(editor.KINDS)]
    kill = Kill(seed, kind)
    child = start_editor(seed, folder, photo)
    log = folder / "states.log"
    ready = wait_for_ready(log, child)
    if not ready:
        kill.faults.append("the editor did not start: see " + str(folder / "errors.txt"))
        return kill
    time.sleep(random.Random(seed + 1_000_000).uniform(0.0, LONGEST[kind]))
    waits = editor.waits(child, ready[:2])
    killed = time.monotonic()
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        kill.faults.append("the editor ended by itself: see " + str(folder / "errors.txt"))
    if ready[-1] and not is_gone(ready[-1]):
        kill.faults.append("the worker outlived the editor")
    states = read_states(log)
    kill.states = len(states)
    judge(kill, states, killed, waits)
    kill.faults += list(leftovers(folder, photo))
    return kill


def start_editor(seed: int, folder: Path, photo: Path) -> int:
    """The process of an editor; a fork, so that it need not load everything anew."""
    folder.mkdir(parents=True)
    child = os.fork()
    if child == 0:
        errors = os.open(folder / "errors.txt", os.O_WRONLY | os.O_CREAT)
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        try:
            editor.run(seed, folder, photo)
        finally:
            # Whatever ended it: the parent's work is not this process's.
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            os._exit(1)
    return child


def wait_for_ready(log: Path, child: int) -> list[int]:
    """The numbers of the editor's threads and of its worker once it works; empty if it ended."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        for line in log.read_text().splitlines() if log.exists() else []:
            if line.startswith(editor.READY):
                return [int(number) for number in line.split()[1:]]
        if os.waitpid(child, os.WNOHANG)[0]:
            return []
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return []


def is_gone(process: int) -> bool:
    # It may be loading its libraries, and looks for its editor only then.
    end = time.monotonic() + START_SECONDS
    while psutil.pid_exists(process) and time.monotonic() < end:
        with suppress(psutil.Error):
            if psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
                return True
        time.sleep(0.02)
    return not psutil.pid_exists(process)


def read_states(log: Path) -> list[State]:
    states = []
    for line in log.read_text().splitlines():
        parts = line.split()
        if len(parts) == 5 and parts[0] != editor.READY:
            waits = float(parts[3]), float(parts[4])
            states.append(State(float(parts[0]), parts[1], parts[2] == "1", waits))
    return states


def judge(kill: Kill, states: list[State], killed: float, waits: tuple[float, float]) -> None:
    """Which of the editor's states comes back, and how old the work is that does not."""
    found = find_unsaved()
    known = [place for place, state in enumerate(states) if not state.is_modified]
    for recovery in found:
        try:
            document = recovery.load(open_document)
        except FileError as error:
            kill.faults.append(f"not read: {error}")
            continue
        digest = Digest().of(document)
        places = [place for place, state in enumerate(states) if state.digest == digest]
        if not places:
            kill.faults.append("a state that never existed was offered")
        if document.note:
            kill.faults.append(document.note)
        known += places
        recovery.discard()
    last = max(known, default=-1)
    if last + 1 < len(states):
        first_lost = states[last + 1]
        kill.loss = killed - first_lost.time
        waited = max(end - begin for end, begin in zip(waits, first_lost.waits, strict=True))
        kill.own_loss = max(0.0, kill.loss - waited)
    if kill.own_loss > MAX_LOSS:
        kill.faults.append(f"{kill.own_loss:.2f} s of work were lost")


def leftovers(folder: Path, photo: Path) -> Iterator[str]:
    """What lies about after the next start, and pictures that do not open."""
    for place in (folder, photo.parent, folders().config):
        for path in place.glob(f"{PREFIX}*{SUFFIX}"):
            yield f"{path.name} is left"
    for place in (folders().autosave, folders().locks):
        for path in place.iterdir() if place.is_dir() else []:
            yield f"{place.name}/{path.name} is left"
    for path in folder.glob("*.ora"):
        try:
            open_document(path)
        except FileError as error:
            yield str(error)


def make_photo(folder: Path) -> Path:
    """A picture of 24 million pixels with EXIF and dpi."""
    path = folder / "photo.jpg"
    small = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)
    image = Image.fromarray(small).resize((6000, 4000))
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    image.save(path, quality=90, dpi=(300, 300), exif=exif)
    return path


def summarise(kills: list[Kill]) -> str:
    """How the losses are spread, by kind of work."""
    lines = []
    for kind in ("all", *LONGEST):
        chosen = [kill for kill in kills if kind in {"all", kill.kind}]
        if chosen:
            own = np.array([kill.own_loss for kill in chosen])
            wall = np.array([kill.loss for kill in chosen])
            lines.append(
                f"{kind}: {len(chosen)} kills, lost seconds: median {np.median(own):.2f}, "
                f"95 % {np.quantile(own, 0.95):.2f}, most {own.max():.2f} "
                f"(by the wall {np.median(wall):.2f}, {np.quantile(wall, 0.95):.2f}, "
                f"{wall.max():.2f}), faults {sum(bool(kill.faults) for kill in chosen)}"
            )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30, help="how many kills")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no kill after so long")
    options = parser.parse_args()
    kills: list[Kill] = []
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="sfumato-kill-") as name:
        photo = make_photo(Path(name))
        for seed in range(options.first, options.first + options.seeds):
            if time.monotonic() > end:
                break
            kill = kill_once(seed, Path(name) / str(seed), photo)
            kills.append(kill)
            sys.stdout.write(json.dumps(asdict(kill)) + "\n")
            sys.stdout.flush()
    sys.stdout.write(summarise(kills) + "\n")
    return int(any(kill.faults for kill in kills))


if __name__ == "__main__":
    sys.exit(main())
