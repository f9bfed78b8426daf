"""Hearing a run to its end, and what its last message ought to be."""

import asyncio
from typing import Any

from core.engine.job_stream import JobStream, StreamMessage
from core.engine.messages import JobDone, JobFailed


async def heard(run: JobStream) -> list[StreamMessage]:
    """Every message of a run, in order."""
    return [message async for message in run]


def done(messages: list[Any]) -> JobDone:
    assert isinstance(messages[-1], JobDone), messages[-1]
    return messages[-1]


def failed(messages: list[Any]) -> JobFailed:
    assert isinstance(messages[-1], JobFailed), messages[-1]
    assert not messages[-1].retry
    return messages[-1]


def wait(work: Any, seconds: float = 120) -> None:
    """Run a coroutine to its end under plain asyncio."""

    async def limited() -> None:
        await asyncio.wait_for(work, seconds)

    asyncio.run(limited())
