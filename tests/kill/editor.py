"""A real editor that works at random until somebody kills it, and writes down each of its states.

Each line of its log is the time, the hash of the document, whether that is unsaved, and for how
many seconds the window's thread and the journal's have waited for a processor so far.
"""

import asyncio
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.errors import EditorError
from core.files import journal
from core.formats.opening import save_document
from core.geometry import Size
from core.paint.document import Document
from core.paint.layers import Layer
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.settings import Settings
from editor.app import App
from editor.commands import document_edits as edits
from tests.editor.files.recovery_scenes import LEFT, NONE, _at
from tests.kill.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

READY = "ready"
SMALL_JOURNAL = 1 << 20
KINDS = ("small", "small", "ora", "ai", "photo")


class StateLog:
    """Writes one line for each state, at once and past every buffer."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._digest = Digest()
        self._last = ""

    def follow(self, document: Document) -> None:
        document.changed.connect(lambda _: self.note(document))
        document.restructured.connect(lambda _: self.note(document))
        self.note(document)

    def note(self, document: Document) -> None:
        line = f"{self._digest.of(document)} {int(document.is_modified)}"
        if line != self._last:
            self._last = line
            main, writer = waits(os.getpid(), threads())
            self.write(f"{time.monotonic():.6f} {line} {main:.6f} {writer:.6f}")

    def write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


def threads() -> list[int]:
    """The thread of the window, and that of the journal when there is one."""
    found = [thread.native_id for thread in threading.enumerate() if thread.name == "journal"]
    return [os.getpid(), *(number for number in found if number is not None)]


def waits(process: int, tasks: list[int]) -> tuple[float, float]:
    """For how many seconds two threads were ready to run while others ran."""
    found = []
    for task in tasks[:2]:
        try:
            text = Path(f"/proc/{process}/task/{task}/schedstat").read_text()
        except OSError:
            text = "0 0 0"
        found.append(int(text.split()[1]) / 1e9)
    return found[0], found[1] if len(found) > 1 else 0.0


class Painter:
    """Does one thing after the other, chosen by a seed."""

    def __init__(self, app: App, folder: Path, chance: random.Random, kind: str) -> None:
        self._app, self._folder, self._chance, self._kind = app, folder, chance, kind
        self._names = 0

    @property
    def _document(self) -> Document:
        return self._app.session.studio.document

    async def work(self) -> None:
        acts: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._stroke, self._stroke, self._stroke, self._edit, self._edit, self._undo,
            self._save, self._save_as, self._fill,
        ]  # fmt: skip
        if self._kind == "ai":
            acts += [self._ai_stroke] * 4
        parent = os.getppid()
        while os.getppid() == parent:
            await self._chance.choice(acts)()
            await asyncio.sleep(self._chance.choice((0.0, 0.05, 0.4)))

    async def _stroke(self, tool: str = "brush") -> None:
        if not isinstance(self._document.active, Layer):
            edits.add_layer(self._document)
        self._app.session.studio.choose(tool=tool)
        width, height = self._document.size
        x, y = self._chance.random() * width * 0.7, self._chance.random() * height
        QTest.mousePress(self._app.session.canvas, LEFT, NONE, _at(self._app, x, y))
        for step in range(self._chance.randrange(3, 60)):
            spot = _at(self._app, x + step * width / 200, y + step % 7)
            QTest.mouseMove(self._app.session.canvas, spot)
            await asyncio.sleep(0.012)
        QTest.mouseRelease(self._app.session.canvas, LEFT, NONE, _at(self._app, x, y))

    async def _ai_stroke(self) -> None:
        await self._stroke("ai-brush")
        await asyncio.sleep(self._chance.random())

    async def _edit(self) -> None:
        document, chance = self._document, self._chance
        choices: list[Callable[[Document], object]] = [
            edits.add_layer, edits.duplicate, edits.add_group, edits.add_mask, edits.remove_mask,
            edits.delete, edits.toggle_lock, edits.select_all, edits.select_none,
        ]  # fmt: skip
        act = chance.choice(choices)
        active = document.active
        if active is None or len(document.root.children) < 2:
            act = edits.add_layer
        if act is edits.select_all and chance.random() < 0.7:
            corners = [(chance.random() * 300, chance.random() * 300) for _ in range(5)]
            document.select(Selection.polygon(corners, document.size))
            return
        try:
            act(document)
        except EditorError:
            edits.select_none(document)

    async def _undo(self) -> None:
        for _ in range(self._chance.randrange(1, 4)):
            self._document.undo()
            await asyncio.sleep(0.02)
        if self._chance.random() < 0.5:
            self._document.redo()

    async def _fill(self) -> None:
        if isinstance(self._document.active, Layer):
            colour = tuple(self._chance.randrange(256) for _ in range(3))
            edits.fill(self._document, (colour[0], colour[1], colour[2], 255))

    async def _save(self) -> None:
        path = self._document.path or self._folder / "first.ora"
        if not self._app.files.background.is_busy:
            self._app.files.save_to(path.with_suffix(".ora"))

    async def _save_as(self) -> None:
        self._names += 1
        if not self._app.files.background.is_busy:
            self._app.files.save_to(self._folder / f"as-{self._names % 3}.ora")


def run(seed: int, folder: Path, photo: Path) -> None:
    """Open a window and work in it until the end."""
    from qasync import QEventLoop

    chance = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    if chance.random() < 0.6:
        journal.MAX_JOURNAL_BYTES = SMALL_JOURNAL
    application = QApplication([""])
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    app = App(application, Settings(model="toy", technique="nested-diffusion"))
    log = StateLog(folder / "states.log")
    app.session.studio.opened.connect(log.follow)
    app.session.studio.saved.connect(log.note)
    app.window.show()

    async def play() -> None:
        app.start()
        if kind == "ai":
            await app.session.engine.open("toy")
        await open_picture(app, kind, folder, photo)
        log.write(f"{READY} {' '.join(map(str, threads()))} {app.session.engine.pid or 0}")
        await Painter(app, folder, chance, kind).work()

    with loop:
        loop.run_until_complete(play())


async def open_picture(app: App, kind: str, folder: Path, photo: Path) -> None:
    path = photo
    if kind == "ora":
        document = edits.new_document(Size(900, 700), (255, 255, 255, 255))
        noise = np.random.default_rng(1).integers(0, 255, (700, 900, 4), np.uint8)
        document.insert("Noise", Layer("noise", tiles=Tiles.of(noise)))
        path = folder / "first.ora"
        save_document(document, path)
    if kind in {"ora", "photo"}:
        QTimer.singleShot(0, lambda: app.files.open_path(path))
        while app.session.studio.document.path != path:
            await asyncio.sleep(0.02)
    else:
        app.files.show(edits.new_document(Size(640, 480), (255, 255, 255, 255)))
    app.autosave.flush(5.0)


if __name__ == "__main__":
    run(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
