"""One job as the caller sees it: a stream of messages that surely ends."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from core.engine.commands import DescribePicture, QueuedCommand, RunTask
from core.engine.job_models import model_names
from core.engine.messages import (
    JobCancelled,
    JobDone,
    JobFailed,
    JobMessage,
    JobStarted,
    JobStep,
    ModelOpened,
    PictureDescribed,
)

StreamMessage = JobMessage | ModelOpened | PictureDescribed


class JobStream:
    """Iterate over it for messages; the last one is Done, Cancelled or Failed without a retry.

    Whoever stops listening because their own task is cancelled stops the job too. One that
    ``yields`` is cancelled by the engine as soon as anything else is asked for.
    """

    def __init__(
        self, command: QueuedCommand, cancel: Callable[[int], None], yields: bool = False
    ) -> None:
        self.command = command
        self.yields = yields
        self.is_cancelled = False
        self.is_loading = True
        self.is_over = False
        self.blame = ""
        self._cancel = cancel
        self._messages: asyncio.Queue[StreamMessage] = asyncio.Queue()
        self._is_read = False

    @property
    def job(self) -> int:
        return self.command.id

    def cancel(self) -> None:
        """Stop at the next step; the stream then ends with Cancelled."""
        self._cancel(self.job)

    def receive(self, message: StreamMessage) -> None:
        """Pass a message to whoever iterates."""
        if self.is_over:
            return
        self.is_over = is_last(message)
        if isinstance(message, JobStarted):
            self.is_loading = bool(message.loading)
        elif isinstance(message, JobStep):
            self.is_loading = False
        if isinstance(message, JobFailed) and message.retry:
            self.command = replace(self.command, retry=self.command.retry + 1)
        self._messages.put_nowait(message)

    def restart(self, retry: int) -> "JobStream":
        """The same stream, to be sent once more at a retry of the ladder."""
        self.command = replace(self.command, retry=retry)
        self.is_loading, self.blame = True, ""
        return self

    def models_after(self, message: StreamMessage, before: frozenset[str]) -> frozenset[str]:
        """The models that the worker surely holds when this is over, given those before it."""
        command = self.command
        if isinstance(command, DescribePicture):
            return before
        used = frozenset(
            model_names(command.task.recipe) if isinstance(command, RunTask) else [command.model]
        )
        if isinstance(message, JobCancelled):
            return before & used
        went_well = isinstance(message, (JobDone, ModelOpened)) and command.retry == 0
        return used if went_well else frozenset()

    def __aiter__(self) -> "JobStream":
        return self

    async def __anext__(self) -> StreamMessage:
        if self._is_read:
            raise StopAsyncIteration
        try:
            message = await self._messages.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        self._is_read = is_last(message)
        return message


def is_last(message: StreamMessage) -> bool:
    """Whether nothing follows a message."""
    if isinstance(message, JobFailed):
        return not message.retry
    return isinstance(message, (JobDone, JobCancelled, ModelOpened, PictureDescribed))
