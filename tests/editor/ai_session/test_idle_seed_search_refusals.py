"""Layers that the idle search skips, and how it ends when it cannot go on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import catalog
from core.engine.engine import EngineState
from core.engine.messages import JobCancelled
from core.geometry import Size
from core.paint import layers
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import Group
from core.scoring.seed_search import MAX_SEEDS
from core.verifiers.likeness import Likeness
from editor.ai_session import idle_seed_search as module
from editor.ai_session.job import Stage
from editor.ai_session.layer_results import current_key
from tests.editor.ai_session.idle_desk import REST, IdleDesk, Play
from tests.editor.workshop import recipe, stroke


def _hide_in_a_group(desk: IdleDesk) -> None:
    document = desk.shop.document
    layer = document.root.children[-1]
    group = Group("Hidden", visible=False, children=(layer,))
    root = layers.remove_node(document.root, layer.id)
    root = layers.insert_node(root, root.id, len(root.children), group)
    document.change("Group", root)
    document.activate(layer.id)


def _change_layer(**changes: Any) -> Callable[[IdleDesk], object]:
    def change(desk: IdleDesk) -> None:
        layer = desk.current_recipe.layer
        assert layer is not None
        desk.shop.document.replace("Change", replace(layer, **changes))

    return change


REASONS: dict[str, Callable[[IdleDesk], object]] = {
    "hidden": _change_layer(visible=False),
    "in a hidden group": _hide_in_a_group,
    "frozen": _change_layer(baked=True),
    "never run": _change_layer(rendered=""),
    "out of date": _change_layer(rendered="another"),
    "of a model that is not loaded": lambda desk: setattr(
        desk.shop.engine, "loaded_models", frozenset()
    ),
    "its seed is locked": lambda desk: setattr(desk.current_recipe, "is_locked", True),
    "words are being written": lambda desk: desk.current_recipe.write(
        desk.current_recipe.shown.with_params(prompt="blue")
    ),
    "not an AI layer": lambda desk: desk.shop.document.activate(
        desk.shop.document.root.children[0].id
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_it_skips_a_layer_that_is(reason: str, play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        desk.shop.live.turn(False)
        REASONS[reason](desk)
        await desk.shop.jobs.wait_until_idle()
        desk.runs.clear()
        desk.idle.turn(True)
        await asyncio.sleep(5 * REST)
        assert not desk.runs
        assert not desk.texts[1:]

    play_idle(work)


@pytest.mark.parametrize(
    "changes",
    [{"technique": "prompt-to-prompt", "source_prompt": "blue"}, {"strength": 0.0}, {"prompt": ""}],
    ids=["not seeded", "no strength", "no words"],
)
def test_it_skips_a_recipe_without_better_seeds(changes: Any, play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        if "technique" in changes:
            layer = await desk.paint_layer()
            _change_layer(recipe=recipe(**changes))(desk)
            assert desk.shop.layer(layer)
        else:
            await desk.paint_layer(**changes)
        desk.shop.live.turn(False)
        desk.runs.clear()
        desk.idle.turn(True)
        await asyncio.sleep(5 * REST)
        assert not desk.runs
        if changes.get("prompt") == "":
            assert "Write a prompt first" in desk.notes[-1]

    play_idle(work)


def test_without_a_prompt_likeness_can_still_score(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer(prompt="")
        desk.idle.choose("likeness")
        variants = await desk.search()
        assert {one.seed_score.verifier for one in variants if one.seed_score} == {"likeness"}
        assert len(variants) == MAX_SEEDS + 1

    play_idle(work)


def test_a_verifier_that_went_with_its_plugin_is_replaced(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        desk.idle.choose("of-a-plugin")
        assert desk.idle.active_verifier == "agreement"
        assert desk.idle.verifier == "of-a-plugin", "it may come back"

    play_idle(work)


def test_a_verifier_that_the_worker_cannot_use_ends_it(
    play_idle: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unknown(Likeness):
        id = "unknown"

    items = {**catalog.verifiers._items, "unknown": Unknown}
    monkeypatch.setattr(catalog.verifiers, "_items", items)

    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        desk.idle.choose("unknown")
        await desk.search()
        assert "cannot judge" in desk.notes[-1]
        desk.idle.interrupt()
        await asyncio.sleep(4 * REST)
        assert len(desk.runs) == 1
        desk.idle.turn(True)
        await desk.wait_until(lambda: len(desk.runs) == 2)

    play_idle(work)


@pytest.mark.parametrize("fault", ["greedy", "killed-once", "broken"])
def test_a_fault_ends_it_quietly_and_the_next_job_runs(
    fault: str, play_idle: Play, tmp_path: Path
) -> None:
    """The layer's own run finds the note that says it has been there; the search does not."""

    async def work(desk: IdleDesk) -> None:
        note = tmp_path / "note"
        layer = await desk.paint_layer()
        shown = replace(recipe(), technique=fault, params={"prompt": "red", "note": str(note)})
        state = desk.shop.document.state
        given = replace(desk.shop.layer(layer), recipe=shown)
        root = layers.replace_node(state.root, given)
        key = current_key(replace(state, root=root), given)
        desk.shop.document.replace("As if run", replace(given, rendered=key))
        await desk.search()
        assert "No more looking for better seeds" in desk.notes[-1]
        if fault != "broken":
            assert isinstance((await desk.remaining_messages(0))[-1], JobCancelled), (
                "it is not run again"
            )
        await desk.wait_until(lambda: desk.shop.engine.state is EngineState.ready)
        await asyncio.sleep(4 * REST)
        assert len(desk.runs) == 1, "it does not try again"
        assert not desk.shop.jobs.failures
        desk.shop.jobs.enqueue(stroke(desk.shop, recipe(), 60, 60))
        await desk.shop.jobs.wait_until_idle()
        assert desk.shop.jobs.recent[0].stage is Stage.finished

    play_idle(work)


def test_a_model_with_slow_steps_is_skipped(
    play_idle: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_STEP_SECONDS", 0.03)

    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer(technique="slow", steps=10, pause=0.08)
        await desk.search()
        assert "takes so long" in desk.notes[-1]
        assert isinstance((await desk.remaining_messages(0))[-1], JobCancelled), (
            "it does not wait for the end"
        )
        desk.current_recipe.turn(desk.current_recipe.shown.with_params(steps=9), "steps")
        await desk.shop.jobs.wait_until_idle()
        count = len(desk.runs)
        await asyncio.sleep(4 * REST)
        assert len(desk.runs) == count, "with other parameters too"
        desk.idle.turn(True)
        await desk.wait_until(lambda: len(desk.runs) > count)

    play_idle(work)


def test_closing_leaves_no_timer(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        desk.idle.turn(True)
        desk.idle.close()
        desk.idle.interrupt()
        desk.current_recipe.changed.emit(None)
        desk.shop.document.restructured.emit(None)
        assert desk.idle._timer is None
        await asyncio.sleep(3 * REST)
        assert not desk.runs

    play_idle(work)


def test_after_opening_another_document_neither_is_searched(play_idle: Play) -> None:
    async def work(desk: IdleDesk) -> None:
        await desk.paint_layer()
        await desk.search()
        count = len(desk.runs)
        desk.shop.studio.open(Document(Size(64, 64)))
        await asyncio.sleep(4 * REST)
        assert len(desk.runs) == count
        assert not flatten(desk.shop.document.root, desk.shop.document.bounds).any()

    play_idle(work)
