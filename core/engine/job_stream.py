"""The stream of messages of one job, which always ends."""

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
    """Iterate over it for messages; is_last is true for the last one.

    When the asyncio task that iterates is cancelled, the job is cancelled too. The engine cancels
    a preemptible job as soon as another command is queued. ``failure_reason`` says why the engine
    ended the worker that ran the job.
    """

    def __init__(
        self, command: QueuedCommand, cancel: Callable[[int], None], is_preemptible: bool = False
    ) -> None:
        self.command = command
        self.is_preemptible = is_preemptible
        self.is_cancelled = False
        self.is_loading = True
        self.is_over = False
        self.failure_reason = ""
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
        """Pass a message on to the iterator."""
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
        """Return the same stream, with its command at a retry."""
        self.command = replace(self.command, retry=retry)
        self.is_loading, self.failure_reason = True, ""
        return self

    def models_after(self, message: StreamMessage, before: frozenset[str]) -> frozenset[str]:
        """The models that the worker surely has in memory after the last message."""
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
