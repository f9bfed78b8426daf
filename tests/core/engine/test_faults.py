"""A real worker process that is killed, stopped, stuck or out of memory, and how it ends."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core.engine.engine import Engine, EngineState, Timeouts, WorkerOptions
from core.engine.messages import JobCancelled, JobFailed, JobStep
from tests.core.engine.conftest import QUICK, MakeTask, Running
from tests.core.engine.streams import collect, done, failed, wait


def retries(messages: list[Any]) -> list[str]:
    return [m.retry for m in messages if isinstance(m, JobFailed) and m.retry]


def test_a_step_that_ignores_cancel_costs_the_worker_its_life(
    make_task: MakeTask, running: Running
) -> None:
    async def work() -> None:
        timeouts = Timeouts(tick=0.05, step=100, cancel=0.3)
        async with running(timeouts) as engine:
            run = engine.submit(make_task("slow", pause=60.0))
            while engine.state is not EngineState.busy:
                await asyncio.sleep(0.01)
            before = engine.pid
            run.cancel()
            assert isinstance((await collect(run))[-1], JobCancelled)
            assert engine.pid != before
            done(await collect(engine.submit(make_task("slow"))))

    wait(work())


def test_killed_in_a_job_it_is_retried_and_done(
    make_task: MakeTask, running: Running, tmp_path: Path
) -> None:
    async def work() -> None:
        async with running() as engine:
            states: list[EngineState] = []
            engine.changed.connect(states.append)
            task = make_task("killed-once", note=str(tmp_path / "note"))
            messages = await collect(engine.submit(task))
            assert retries(messages) == ["again with empty caches"]
            first = next(m for m in messages if isinstance(m, JobFailed))
            assert "exit code -9" in first.text
            assert done(messages).pixels.shape == (96, 96, 4)
            assert EngineState.restarting in states

    wait(work())


def test_killed_from_outside_while_idle_it_comes_back(
    make_task: MakeTask, running: Running
) -> None:
    async def work() -> None:
        async with running() as engine:
            done(await collect(engine.submit(make_task("slow"))))
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            await asyncio.sleep(0.2)
            done(await collect(engine.submit(make_task("slow"))))

    wait(work())


def test_killed_every_time_it_fails_with_advice_and_keeps_serving(
    make_task: MakeTask, running: Running
) -> None:
    async def work() -> None:
        async with running() as engine:
            messages = await collect(engine.submit(make_task("killed")))
            assert retries(messages) == ["again with empty caches", "at half the model's size"]
            assert "try a smaller region" in failed(messages).text
            done(await collect(engine.submit(make_task("slow"))))

    wait(work())


def test_an_idle_worker_that_is_stopped_is_replaced(make_task: MakeTask, running: Running) -> None:
    async def work() -> None:
        async with running(Timeouts(tick=0.05, silence=1)) as engine:
            done(await collect(engine.submit(make_task("slow"))))
            before = engine.pid
            assert before is not None
            os.kill(before, signal.SIGSTOP)
            while engine.pid == before:
                await asyncio.sleep(0.05)
            done(await collect(engine.submit(make_task("slow"))))

    wait(work())


def test_a_stopped_worker_is_replaced(make_task: MakeTask, running: Running) -> None:
    async def work() -> None:
        async with running(Timeouts(tick=0.05, silence=1, step=100)) as engine:
            run = engine.submit(make_task("slow", steps=40, pause=0.02))
            async for message in run:
                if isinstance(message, JobStep):
                    break
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGSTOP)
            rest = await collect(run)
            assert any("did not answer" in m.text for m in rest if isinstance(m, JobFailed))
            done(rest)

    wait(work())


def test_a_stuck_job_is_tried_again(make_task: MakeTask, running: Running, tmp_path: Path) -> None:
    async def work() -> None:
        async with running(Timeouts(tick=0.05, step=1)) as engine:
            messages = await collect(engine.submit(make_task("stuck", note=str(tmp_path / "note"))))
            assert any("made no progress" in m.text for m in messages if isinstance(m, JobFailed))
            done(messages)

    wait(work())


def test_out_of_memory_is_retried_inside_the_worker(
    make_task: MakeTask, running: Running, tmp_path: Path
) -> None:
    async def work() -> None:
        async with running() as engine:
            messages = await collect(
                engine.submit(make_task("greedy", note=str(tmp_path / "note")))
            )
            before = engine.pid
            assert retries(messages) == ["again with empty caches"]
            assert done(messages).facts["retries"] == ["again with empty caches"]
            assert engine.pid == before

    wait(work())


def test_out_of_memory_at_every_retry_fails_in_one_sentence(
    make_task: MakeTask, running: Running
) -> None:
    async def work() -> None:
        async with running() as engine:
            messages = await collect(engine.submit(make_task("insatiable")))
            assert retries(messages) == ["again with empty caches", "at half the model's size"]
            assert "not enough memory" in failed(messages).text
            assert not failed(messages).is_bug

    wait(work())


def test_the_loop_never_waits_for_a_stopped_worker(make_task: MakeTask, running: Running) -> None:
    """A 5 ms timer while 64 MB of jobs pile up before a pipe that nobody reads."""
    late: list[float] = []

    async def ticking() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            late.append(time.perf_counter() - began - 0.005)

    async def work() -> None:
        timeouts = Timeouts(tick=0.05, silence=60)
        async with running(timeouts) as engine:
            done(await collect(engine.submit(make_task("slow"))))
            task = make_task("slow", side=2048)
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGSTOP)
            timer = asyncio.create_task(ticking())
            await asyncio.sleep(0.1)
            run = engine.submit(task)
            await asyncio.sleep(0.5)
            os.kill(engine.pid, signal.SIGKILL)
            done(await collect(run))
            timer.cancel()

    wait(work())
    assert len(late) > 50
    assert max(late) < 0.2
    assert float(np.median(late)) < 0.05


def test_closing_ends_processes_threads_and_streams(make_task: MakeTask, running: Running) -> None:
    async def work() -> None:
        async with running() as engine:
            run = engine.submit(make_task("slow", steps=1000, pause=0.05))
            await anext(run)
            pids.append(engine.pid)
            engine.close()
            assert isinstance((await collect(run))[-1], JobCancelled)
            assert engine.state is EngineState.stopped

    pids: list[int | None] = []
    wait(work())
    assert not psutil.pid_exists(pids[0] or 0)
    assert not [t for t in threading.enumerate() if t.name.startswith("worker-")]


def test_the_worker_ends_with_its_parent(make_task: MakeTask, running: Running) -> None:
    """Closing the pipe is all that a killed parent does."""

    async def work() -> None:
        async with running() as engine:
            run = engine.submit(make_task("slow", steps=1000, pause=0.05))
            await anext(run)
            child = psutil.Process(engine.pid)
            process = engine._process
            assert process is not None
            process._outbox.put(None)
            await asyncio.to_thread(process._writer.join)
            assert await asyncio.to_thread(child.wait, 10) in (0, None)

    wait(work())


def test_a_worker_that_cannot_start_is_given_up(
    make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "core.engine.worker_process.command_line",
        lambda: ["python3", "-c", "import sys; sys.exit(3)"],
    )

    async def work() -> None:
        engine = Engine(timeouts=QUICK)
        engine.start()
        messages = await collect(engine.submit(make_task("slow")))
        assert "sfumato doctor" in failed(messages).text
        assert engine.state is EngineState.stopped
        engine.close()

    wait(work())


def test_a_job_begins_again_when_the_worker_gets_other_options(
    make_task: MakeTask, running: Running
) -> None:
    async def work() -> None:
        async with running() as engine:
            run = engine.submit(make_task("slow", steps=6, pause=0.02))
            async for message in run:
                if isinstance(message, JobStep):
                    break
            pid = engine.pid
            engine.configure(WorkerOptions("cpu", 128, 1))
            rest = await collect(run)
            done(rest)
            assert not [message for message in rest if isinstance(message, JobFailed)]
            assert [m.n for m in rest if isinstance(m, JobStep)][0] == 1
            assert engine.pid != pid
            pid = engine.pid
            engine.configure(WorkerOptions("cpu", 128, 1))
            assert engine.pid == pid

    wait(work())


def test_a_cancelled_job_does_not_begin_again_with_other_options(
    make_task: MakeTask, running: Running
) -> None:
    async def work() -> None:
        async with running() as engine:
            run = engine.submit(make_task("slow", steps=1000, pause=0.02))
            async for message in run:
                if isinstance(message, JobStep):
                    break
            run.cancel()
            engine.configure(WorkerOptions("cpu", 64))
            assert isinstance((await collect(run))[-1], JobCancelled)

    wait(work())
