"""Hearing a run to its end, and what its last message ought to be."""

import asyncio
from typing import Any

from core.engine.job_stream import Heard, Run
from core.engine.messages import Done, Failed


async def heard(run: Run) -> list[Heard]:
    """Every message of a run, in order."""
    return [message async for message in run]


def done(messages: list[Any]) -> Done:
    assert isinstance(messages[-1], Done), messages[-1]
    return messages[-1]


def failed(messages: list[Any]) -> Failed:
    assert isinstance(messages[-1], Failed), messages[-1]
    assert not messages[-1].retry
    return messages[-1]


def wait(work: Any, seconds: float = 120) -> None:
    """Run a coroutine to its end under plain asyncio."""

    async def limited() -> None:
        await asyncio.wait_for(work, seconds)

    asyncio.run(limited())
