"""One job as the caller sees it: a stream of messages that surely ends."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from core.engine.commands import Describe, Errand, Job
from core.engine.job_models import names
from core.engine.messages import (
    Cancelled,
    Described,
    Done,
    Failed,
    Message,
    Opened,
    Started,
    Step,
)

Heard = Message | Opened | Described


class Run:
    """Iterate over it for messages; the last one is Done, Cancelled or Failed without a retry.

    Whoever stops listening because their own task is cancelled stops the job too. One that
    ``yields`` is cancelled by the engine as soon as anything else is asked for.
    """

    def __init__(
        self, command: Errand, cancel: Callable[[int], None], yields: bool = False
    ) -> None:
        self.command = command
        self.yields = yields
        self.is_cancelled = False
        self.is_loading = True
        self.is_over = False
        self.blame = ""
        self._cancel = cancel
        self._messages: asyncio.Queue[Heard] = asyncio.Queue()
        self._is_read = False

    @property
    def job(self) -> int:
        return self.command.id

    def cancel(self) -> None:
        """Stop at the next step; the stream then ends with Cancelled."""
        self._cancel(self.job)

    def hear(self, message: Heard) -> None:
        """Pass a message to whoever iterates."""
        if self.is_over:
            return
        self.is_over = is_last(message)
        if isinstance(message, Started):
            self.is_loading = bool(message.loading)
        elif isinstance(message, Step):
            self.is_loading = False
        if isinstance(message, Failed) and message.retry:
            self.command = replace(self.command, rung=self.command.rung + 1)
        self._messages.put_nowait(message)

    def again(self, rung: int) -> "Run":
        """The same stream, to be sent once more at a rung of the ladder."""
        self.command = replace(self.command, rung=rung)
        self.is_loading, self.blame = True, ""
        return self

    def left_loaded(self, message: Heard, before: frozenset[str]) -> frozenset[str]:
        """The models that the worker surely holds when this is over, given those before it."""
        command = self.command
        if isinstance(command, Describe):
            return before
        used = frozenset(
            names(command.request.recipe) if isinstance(command, Job) else [command.model]
        )
        if isinstance(message, Cancelled):
            return before & used
        went_well = isinstance(message, (Done, Opened)) and command.rung == 0
        return used if went_well else frozenset()

    def __aiter__(self) -> "Run":
        return self

    async def __anext__(self) -> Heard:
        if self._is_read:
            raise StopAsyncIteration
        try:
            message = await self._messages.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        self._is_read = is_last(message)
        return message


def is_last(message: Heard) -> bool:
    """Whether nothing follows a message."""
    if isinstance(message, Failed):
        return not message.retry
    return isinstance(message, (Done, Cancelled, Opened, Described))
