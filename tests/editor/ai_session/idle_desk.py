"""A desk for tests of the idle search: it starts soon, and the worker's tasks are recorded."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core import catalog
from core.engine.engine import EngineState
from core.engine.job_stream import JobStream, StreamMessage
from editor.ai_session import idle_seed_search as module
from editor.ai_session.current_recipe import CurrentRecipe
from editor.ai_session.idle_seed_search import IdleSeedSearch
from editor.ai_session.result_cache import Variant
from editor.ai_session.seed_walk import SeedWalk
from tests.editor.workshop import Bench, Workshop, recipe, stroke

REST = 0.08


class IdleDesk:
    """A workshop with an idle search; ``runs`` are the tasks of the worker."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.current_recipe = CurrentRecipe(shop.studio, shop.jobs, shop.live, recipe())
        self.seeds = SeedWalk(shop.studio, self.current_recipe, shop.jobs)
        self.idle = IdleSeedSearch(shop.studio, shop.jobs, self.current_recipe)
        self.notes: list[str] = []
        self.texts: list[str] = []
        self.runs: list[JobStream] = []
        shop.jobs.noted.connect(self.notes.append)
        self.idle.changed.connect(lambda _: self.texts.append(self.idle.text))

    def count_runs(self, submit: Callable[..., JobStream]) -> Callable[..., JobStream]:
        def submit_and_record(*given: Any, **more: Any) -> JobStream:
            self.runs.append(submit(*given, **more))
            return self.runs[-1]

        return submit_and_record

    async def paint_layer(self, **changes: Any) -> str:
        """Paint an AI layer and wait for its result, with the search off."""
        layer = stroke(self.shop, recipe(**changes))
        await self.shop.jobs.wait_until_idle()
        assert self.shop.layer(layer).rendered
        self.runs.clear()
        return layer

    async def wait_until(self, true: Callable[[], Any]) -> None:
        while not true():
            await asyncio.sleep(0.005)

    async def search(self) -> list[Variant]:
        """Switch the search on and wait until it ends; returns the variants."""
        self.idle.turn(True)
        await self.wait_until(lambda: self.idle.text)
        await self.wait_until(lambda: not self.idle.text)
        return self.seeds.variants()

    async def remaining_messages(self, number: int) -> list[StreamMessage]:
        """The messages of a run that the search did not read."""
        return [message async for message in self.runs[number]]

    async def search_until_step(self) -> JobStream:
        """Switch the search on and wait until a run is in a step."""
        self.idle.turn(True)
        await self.wait_until(lambda: self.runs)
        await asyncio.sleep(0.1)
        return self.runs[-1]


Work = Callable[[IdleDesk], Coroutine[Any, Any, None]]
Play = Callable[[Work], None]


def make_player(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Play:
    """A function that runs a test at a desk of its own."""
    monkeypatch.setattr(module, "REST_SECONDS", REST)
    register_faulty_kinds(monkeypatch)

    def run(work: Work) -> None:
        async def with_desk(shop: Workshop) -> None:
            desk = IdleDesk(shop)
            try:
                with monkeypatch.context() as patch:
                    patch.setattr(shop.engine, "submit", desk.count_runs(shop.engine.submit))
                    await work(desk)
            finally:
                desk.idle.close()
                await desk.wait_until(lambda: shop.engine.state is EngineState.ready)

        bench.run(with_desk)

    return run


def register_faulty_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the faulty techniques of the worker in this process, for one test."""
    for registry in (catalog.techniques, catalog.describers):
        monkeypatch.setattr(registry, "_items", dict(registry._items))
    from tests.core.engine import oddities

    for kind in (oddities.Slow, oddities.Greedy, oddities.KilledOnce, oddities.Broken):
        catalog.techniques.register(kind)
