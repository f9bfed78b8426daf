"""What panels, commands and dialogs of one window get: its parts, and how to tell the person."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.errors import readable
from core.signal import Signal

if TYPE_CHECKING:
    from core.engine.engine import Engine
    from core.settings import Settings
    from core.signal import Observable
    from editor.actions import Actions
    from editor.ai_session.ai_actions import AiActions
    from editor.ai_session.idle_seed_search import IdleSeedSearch
    from editor.ai_session.job_queue import JobQueue
    from editor.ai_session.live_loop import LiveLoop
    from editor.canvas.canvas import Canvas
    from editor.canvas.compare_wipe import CompareWipe
    from editor.studio import Studio
    from editor.widgets.theme import Tokens


class Message(NamedTuple):
    """One sentence for the message bar; ``details`` are shown on demand."""

    sentence: str
    details: str = ""
    is_error: bool = True


class Note(NamedTuple):
    """One sentence for the status bar, for some seconds; 0 seconds: until the next one."""

    text: str
    seconds: float = 6.0


@dataclass(frozen=True)
class Session:
    """The parts of one window. Built once by the App and passed on; it holds no logic.

    ``told`` carries what the message bar shows, ``noted`` what the status bar shows.
    """

    studio: "Studio"
    engine: "Engine"
    jobs: "JobQueue"
    live: "LiveLoop"
    ai: "AiActions"
    idle: "IdleSeedSearch"
    canvas: "Canvas"
    compare: "CompareWipe"
    actions: "Actions"
    settings: "Observable[Settings]"
    tokens: "Observable[Tokens]"
    told: "Signal[Message]" = field(default_factory=Signal)
    noted: "Signal[Note]" = field(default_factory=Signal)

    def tell(self, sentence: str, details: str = "", is_error: bool = True) -> None:
        """Show one sentence in the message bar."""
        self.told.emit(Message(readable(sentence), readable(details), is_error))

    def note(self, text: str, seconds: float = 6.0) -> None:
        """Show one sentence in the status bar for a while."""
        self.noted.emit(Note(readable(text), seconds))
