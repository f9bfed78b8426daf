"""The tour: a whole session in the real window, played offscreen with real events and timed.

    python -m editor.dev.tour [FOLDER]

Leaves the picture with its layers, a picture of the window and the timings in FOLDER (./out).
"""

import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer  # noqa: E402 - after the platform is chosen
from PySide6.QtGui import QWheelEvent  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication, QWidget  # noqa: E402

from core.formats.opening import open_document, save_document  # noqa: E402
from core.paint.layers import AiLayer, walk  # noqa: E402
from core.settings import Settings  # noqa: E402
from editor.__main__ import open_window  # noqa: E402
from editor.files.file_actions import SAMPLES, FileActions  # noqa: E402
from editor.panels.layers import LayersPanel  # noqa: E402
from editor.shell.window import SIZE, MainWindow  # noqa: E402

LEFT = Qt.MouseButton.LeftButton
PROMPT = "a mushroom"
STROKE_CENTRE = (0.83, 0.85)
"""Where the AI brush goes, in shares of the canvas: an empty spot of the meadow."""
TIMEOUT_SECONDS = 300.0


class Tour:
    """Plays one session; ``stages`` are seconds by name."""

    def __init__(self, window: MainWindow, files: FileActions, folder: Path) -> None:
        self.window, self.files, self.session = window, files, window.session
        self.folder = folder
        self.stages: dict[str, float] = {}

    async def play(self) -> list[Path]:
        """Open, paint, brush with a prompt, walk seeds, hide, undo, save; the files left behind."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._open()
        await self._paint_stroke()
        await self._ai_stroke()
        await self._reseed()
        await self._hide_and_undo()
        return await self._save()

    @contextmanager
    def _time(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.stages[name] = round(time.perf_counter() - began, 3)

    async def _open(self) -> None:
        with self._time("open the sample"):
            # From the loop and not from this task, as a click would.
            picture = SAMPLES / "meadow.png"
            QTimer.singleShot(0, lambda: self.files.open_path(picture, as_copy=True))
            while not self.session.studio.has_document:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)

    async def _paint_stroke(self) -> None:
        self._key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | _SHIFT)
        await asyncio.sleep(0.1)
        self._key(Qt.Key.Key_B)
        self.session.studio.choose(foreground=(224, 120, 60, 255))
        with self._time("ink stroke"):
            await self._sweep([(0.08 + 0.02 * i, 0.12 + 0.03 * (i % 4)) for i in range(16)])

    async def _ai_stroke(self) -> None:
        self._key(Qt.Key.Key_A)
        field = self._prompt_field()
        field.setFocus()
        QTest.keyClicks(field, PROMPT)
        await asyncio.sleep(0.05)
        with self._time("load the model"):
            await self.session.engine.open(self.session.ai.current_recipe.shown.model)
        with self._time("AI stroke, from press to picture"):
            await self._sweep([_circle_point(turn / 12) for turn in range(13)])
            await self._wait_until_settled()

    def _prompt_field(self) -> QWidget:
        """The prompt field of the options bar."""
        found = [w for w in self.window.options.findChildren(QWidget) if _is_prompt(w)]
        return found[0]

    async def _reseed(self) -> None:
        canvas = self.session.canvas
        at = self._at(*STROKE_CENTRE)
        wheel = QWheelEvent(
            QPointF(at),
            QPointF(canvas.mapToGlobal(at)),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        with self._time("another seed, from wheel to picture"):
            QApplication.sendEvent(canvas, wheel)
            await self._wait_until_settled()

    async def _hide_and_undo(self) -> None:
        panel = self.window.panel(LayersPanel)
        tree = panel.tree
        with self._time("hide and undo"):
            row = tree.visualItemRect(tree.items()[0])
            QTest.mouseClick(tree.viewport(), LEFT, pos=QPoint(row.left() + 8, row.center().y()))
            await asyncio.sleep(0.05)
            hidden = [node for node in walk(self.session.studio.document.root) if not node.visible]
            if len(hidden) != 1:
                raise RuntimeError("A click on the eye did not hide the layer.")
            self._key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
            await asyncio.sleep(0.05)

    async def _save(self) -> list[Path]:
        document = self.session.studio.document
        picture, window = self.folder / "tour.ora", self.folder / "tour.png"
        with self._time("save"):
            save_document(document, picture)
        made = [n for n in walk(open_document(picture).root) if isinstance(n, AiLayer)]
        if not (made and made[0].visible and made[0].rendered):
            raise RuntimeError("The saved picture does not hold the AI layer.")
        await asyncio.sleep(0.4)
        self.window.grab().save(str(window))
        timings = self.folder / "tour.json"
        timings.write_text(json.dumps(self._report(), indent=1) + "\n")
        return [picture, window, timings]

    def _report(self) -> dict[str, object]:
        status = self.window.status
        shown = {name: status.text(name) for name in ("ink", "preview", "final", "worker")}
        return {"seconds": self.stages, "status bar": shown}

    async def _wait_until_settled(self) -> None:
        """Wait for the model; raises RuntimeError when a job failed or takes for ever."""
        await asyncio.sleep(0.05)
        await asyncio.wait_for(self.session.jobs.wait_until_idle(), TIMEOUT_SECONDS)
        failed = [job.failure for job in self.session.jobs.recent if job.failure is not None]
        if failed:
            raise RuntimeError(failed[0].text)

    async def _sweep(self, path: list[tuple[float, float]]) -> None:
        """Press, drag and release along points given as shares of the canvas."""
        canvas = self.session.canvas
        QTest.mousePress(canvas, LEFT, pos=self._at(*path[0]))
        for point in path:
            QTest.mouseMove(canvas, self._at(*point))
            await asyncio.sleep(0.012)
        QTest.mouseRelease(canvas, LEFT, pos=self._at(*path[-1]))

    def _at(self, across: float, down: float) -> QPoint:
        size = self.session.studio.document.size
        x, y = self.session.canvas.view.to_screen(across * size.width, down * size.height)
        return QPoint(round(x), round(y))

    def _key(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.session.canvas.setFocus()
        QTest.keyClick(self.session.canvas, key, keys)


_SHIFT = Qt.KeyboardModifier.ShiftModifier


def _circle_point(turn: float) -> tuple[float, float]:
    """A point on a small circle about the place, 0..1 being once round."""
    angle = 2 * math.pi * turn
    return STROKE_CENTRE[0] + 0.04 * math.cos(angle), STROKE_CENTRE[1] + 0.04 * math.sin(angle)


def _is_prompt(widget: QWidget) -> bool:
    return widget.accessibleName() == "Prompt"


def main(arguments: list[str] | None = None) -> int:
    """Play the tour and print where its files are."""
    from qasync import QEventLoop

    arguments = sys.argv[1:] if arguments is None else arguments
    folder = Path(arguments[0] if arguments else "out").resolve()
    application = QApplication([sys.argv[0]])
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    app = open_window(application, Settings())
    tour = Tour(app.window, app.files, folder)

    async def session() -> list[Path]:
        app.window.show()
        app.start()
        await asyncio.sleep(0.1)
        # The screen that Qt draws offscreen is smaller than a window of the usual size.
        app.window.resize(*SIZE)
        try:
            return await tour.play()
        finally:
            app.close()

    with loop:
        files = loop.run_until_complete(session())
    for name, seconds in tour.stages.items():
        sys.stdout.write(f"{seconds:8.2f} s  {name}\n")
    sys.stdout.write("".join(f"Saved {path}\n" for path in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
