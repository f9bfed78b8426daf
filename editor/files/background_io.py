"""File work in a thread: a frozen value goes out, the result comes back as an event."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QEventLoop, QObject, Signal

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
Then = Callable[["Future[Any]"], None]


class BackgroundIo(QObject):
    """Runs one piece of work after the other in a thread of its own; they touch no widget."""

    _done = Signal(object, object)
    emptied = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(1, "files")
        self._open = 0
        self._done.connect(self._finish)

    @property
    def is_busy(self) -> bool:
        return self._open > 0

    def start(self, work: Callable[[], Any], then: Then) -> None:
        """Do work; ``then`` gets its finished future in the window's thread."""
        self._open += 1
        future = self._threads.submit(work)
        future.add_done_callback(lambda done: self._done.emit(done, then))

    def _finish(self, future: "Future[Any]", then: Then) -> None:
        self._open -= 1
        try:
            then(future)
        finally:
            if not self._open:
                self.emptied.emit()

    def wait(self) -> None:
        """Until all is done the window goes on drawing, but takes no input.

        Not for coroutines: other tasks of the event loop go on meanwhile.
        """
        while self._open:
            loop = QEventLoop()
            self.emptied.connect(loop.quit)
            loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)

    def result(self, work: Callable[[], T]) -> T:
        """Do work and wait for what it gives, or raises."""
        found: list[Future[T]] = []
        self.start(work, found.append)
        self.wait()
        return found[0].result()

    def close(self) -> None:
        """What was begun is finished; nobody hears of it any more."""
        self._threads.shutdown(wait=True)
