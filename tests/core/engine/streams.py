"""Collects the messages of a job, and checks the last one."""

import asyncio
from typing import Any

from core.engine.job_stream import JobStream, StreamMessage
from core.engine.messages import JobDone, JobFailed


async def collect(run: JobStream) -> list[StreamMessage]:
    """Collect every message of a job, in order."""
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
