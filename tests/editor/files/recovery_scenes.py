"""A real editor process for the tests of recovery, which kills itself in the middle of a scene.

    python -m tests.editor.files.recovery_scenes SCENE PICTURE

``stroke``, ``generation`` and ``save`` end by SIGKILL in the middle of what they are named after;
``recover`` takes the offer of the next start and saves what it got over PICTURE. ``work`` opens
PICTURE, paints, saves it in place and under another name, and reports what was told.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.formats.opening import save_document
from core.settings import Settings
from editor.app import App
from editor.files.crash_handler import CrashHandler
from editor.files.recovery_offer import RecoveryOffer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


def report(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at(app: App, x: float, y: float) -> QPoint:
    left, top = app.session.canvas.view.to_screen(x, y)
    return QPoint(round(left), round(top))


async def _open(app: App, picture: Path) -> None:
    QTimer.singleShot(0, lambda: app.files.open_path(picture))
    while app.session.studio.document.path != picture:
        await asyncio.sleep(0.02)


async def _sweep(app: App, y: float, seconds: float, has_release: bool = True) -> None:
    """Draw from left to right at an even pace, reporting when each place was reached."""
    width, began = app.session.studio.document.size.width, time.monotonic()
    QTest.mousePress(app.session.canvas, LEFT, NONE, _at(app, 10, y))
    while (passed := time.monotonic() - began) < seconds:
        x = 10 + (width - 20) * passed / seconds
        QTest.mouseMove(app.session.canvas, _at(app, x, y))
        report(x=x, time=time.monotonic())
        await asyncio.sleep(0.02)
    if has_release:
        QTest.mouseRelease(app.session.canvas, LEFT, NONE, _at(app, width - 10, y))


async def stroke(app: App, picture: Path) -> None:
    await _open(app, picture)
    await _sweep(app, 40, 2.5, has_release=False)
    report(killed=time.monotonic())
    die()


async def generation(app: App, picture: Path) -> None:
    await _open(app, picture)
    await _sweep(app, 40, 0.3)
    app.session.studio.choose(tool="ai-brush")
    app.session.ai.current_recipe.write(
        app.session.ai.current_recipe.shown.with_params(prompt="red", steps=20, inner_steps=50)
    )
    await app.session.engine.open("toy")
    await _sweep(app, 120, 0.2)
    while app.session.jobs.running is None or app.session.jobs.running.n < 2:
        await asyncio.sleep(0.001)
    # Stopped, the worker stays in the middle of the job for as long as the test needs.
    assert app.session.engine.pid is not None
    os.kill(app.session.engine.pid, signal.SIGSTOP)
    report(
        worker=app.session.engine.pid,
        steps=app.session.jobs.running.n,
        of=app.session.jobs.running.of,
    )
    await asyncio.sleep(1.3)
    assert not app.session.jobs.is_idle
    die()


async def save(app: App, picture: Path) -> None:
    await _open(app, picture)
    await _sweep(app, 40, 0.3)
    await asyncio.sleep(1.3)
    os.fsync = lambda _: die()  # type: ignore[assignment]
    app.files.save()


async def work(app: App, picture: Path) -> None:
    await _open(app, picture)
    for y, path in ((40, picture), (80, picture.with_name("other.ora"))):
        await _sweep(app, y, 0.1)
        await asyncio.sleep(0.7)
        app.files.save_to(path)
        while app.files.background.is_busy:
            await asyncio.sleep(0.02)
    app.close()


async def recover(app: App, picture: Path) -> None:
    offer = None
    while offer is None:
        await asyncio.sleep(0.02)
        offer = app.window.findChild(RecoveryOffer)
    await asyncio.sleep(0.1)
    app.window.grab().save(str(picture.with_name("offer.png")))
    QTest.mouseClick(offer.recover, LEFT)
    report(layers=[node.name for node in app.session.studio.document.root.children])
    save_document(app.session.studio.document, picture.with_name("recovered.ora"))
    app.close()


def main() -> None:
    from qasync import QEventLoop

    scenes: dict[str, Callable[[App, Path], Coroutine[Any, Any, None]]] = {
        scene.__name__: scene for scene in (stroke, generation, save, recover, work)
    }
    application = QApplication([""])
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    app = App(application, Settings(model="toy", technique="nested-diffusion"))
    app.session.told.connect(lambda message: report(told=message.sentence))
    handler = CrashHandler(app.session, app.autosave.flush)
    app.window.show()

    async def play() -> None:
        app.start()
        await scenes[sys.argv[1]](app, Path(sys.argv[2]))

    with loop:
        loop.run_until_complete(play())
    handler.release()


if __name__ == "__main__":
    main()
