"""Seed walks, random seeds, thumbnails, and fresh layers."""

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from core.ai.recipe_values import prompt_of, strength_of
from core.paint.layers import AiLayer
from editor.ai_session.current_recipe import CurrentRecipe, fresh_recipe
from editor.ai_session.job import Stage
from editor.ai_session.seed_walk import SeedWalk
from tests.editor.workshop import Bench, Sweep, Workshop, recipe, stroke


def _make_seed_walk(shop: Workshop) -> tuple[CurrentRecipe, SeedWalk]:
    shop.studio.choose(tool="ai-brush")
    recipes = CurrentRecipe(shop.studio, shop.jobs, shop.live, recipe())
    return recipes, SeedWalk(shop.studio, recipes, shop.jobs)


def _paint_fresh(shop: Workshop, seeds: SeedWalk, brush_recipe: Any = None) -> str:
    layer = stroke(shop, brush_recipe or recipe(seed=7))
    seeds.note_stroke(layer)
    return layer


def wheel_event(
    delta: int, control: bool = False, shift: bool = False, sideways: bool = False
) -> QWheelEvent:
    keys = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    if shift:
        keys |= Qt.KeyboardModifier.ShiftModifier
    return QWheelEvent(
        QPointF(0, 0),
        QPointF(0, 0),
        QPoint(0, 0),
        QPoint(delta, 0) if sideways else QPoint(0, delta),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )


def test_the_wheel_walks_and_the_walk_is_one_undo_entry(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        await shop.jobs.wait_until_idle()
        first = shop.pixels()
        for _ in range(3):
            assert seeds.handle_wheel(wheel_event(120), 130, 128)
            await shop.jobs.wait_until_idle()
        assert shop.layer(layer).recipe.seed == 10
        assert not (shop.pixels() == first).all()
        assert len(shop.document.history.done) == 2
        shop.document.undo()
        assert shop.layer(layer).recipe.seed == 7
        assert (shop.pixels() == first).all(), "bit for bit, and without a run"
        shop.document.undo()
        assert not any(isinstance(node, AiLayer) for node in shop.document.root.children)

    bench.run(work)


def test_the_wheel_outside_the_region_is_ignored(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        assert not seeds.handle_wheel(wheel_event(120), 130, 128), "no AI layer"
        layer = _paint_fresh(shop, seeds)
        await shop.jobs.wait_until_idle()
        assert not seeds.handle_wheel(wheel_event(120), 10, 10)
        assert not seeds.handle_wheel(wheel_event(120), -5, 1e6)
        assert shop.layer(layer).recipe.seed == 7

    bench.run(work)


def test_the_wheel_is_left_to_the_zoom_but_for_the_ai_brush_over_its_fresh_layer(
    bench: Bench,
) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        await shop.jobs.wait_until_idle()
        shop.studio.choose(tool="brush")
        assert not seeds.handle_wheel(wheel_event(120), 130, 128), "another tool"
        assert not seeds.handle_wheel(wheel_event(120, control=True), 130, 128), "Ctrl zooms too"
        shop.studio.choose(tool="ai-brush")
        seeds.keep()
        assert not seeds.handle_wheel(wheel_event(120), 130, 128), "kept, no longer fresh"
        assert shop.layer(layer).recipe.seed == 7

    bench.run(work)


def test_shift_and_the_wheel_walk_from_anywhere_with_any_tool(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        assert not seeds.handle_wheel(wheel_event(120, shift=True), 10, 10), "no AI layer"
        layer = _paint_fresh(shop, seeds, recipe(seed=7, strength=0.5))
        seeds.keep()
        shop.studio.choose(tool="brush")
        assert seeds.handle_wheel(wheel_event(120, shift=True), 10, 10)
        assert shop.layer(layer).recipe.seed == 8
        assert seeds.handle_wheel(wheel_event(120, shift=True, sideways=True), 10, 10)
        assert shop.layer(layer).recipe.seed == 9
        assert seeds.handle_wheel(wheel_event(120, control=True, shift=True), 10, 10)
        assert strength_of(shop.layer(layer).recipe) == 0.55
        frozen = replace(shop.layer(layer), baked=True)
        shop.document.replace("Freeze", frozen)
        assert not seeds.handle_wheel(wheel_event(120, shift=True), 10, 10), "frozen"

    bench.run(work)


def test_half_a_notch_does_not_wait_for_the_next_layer(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        assert seeds.handle_wheel(wheel_event(90), 130, 128)
        assert not seeds.handle_wheel(wheel_event(90), 10, 10)
        assert seeds.handle_wheel(wheel_event(90), 130, 128)
        assert shop.layer(layer).recipe.seed == 7

    bench.run(work)


def test_parts_of_a_notch_add_up(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        for _ in range(4):
            assert seeds.handle_wheel(wheel_event(30), 130, 128)
        assert shop.layer(layer).recipe.seed == 8
        for _ in range(2):
            seeds.handle_wheel(wheel_event(-120), 130, 128)
        assert shop.layer(layer).recipe.seed == 6

    bench.run(work)


def test_control_and_wheel_change_the_strength_within_its_range(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds, recipe(strength=0.9))
        for expected in (0.95, 1.0, 1.0):
            seeds.handle_wheel(wheel_event(120, control=True), 130, 128)
            assert strength_of(shop.layer(layer).recipe) == expected
        assert shop.layer(layer).recipe.seed == 1

    bench.run(work)


def test_a_thumbnail_leads_back_at_once_and_exactly(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        _paint_fresh(shop, seeds)
        await shop.jobs.wait_until_idle()
        first = shop.pixels()
        seeds.walk(1)
        await shop.jobs.wait_until_idle()
        variants = seeds.variants()
        assert [one.recipe.seed for one in variants] == [7, 8]
        assert not np.array_equal(variants[0].thumbnail, variants[1].thumbnail)
        assert variants[0].thumbnail.shape == (64, 64, 3)
        seeds.choose(variants[0])
        await shop.jobs.wait_until_idle()
        job = shop.jobs.recent[0]
        assert (job.stage, job.is_from_cache, job.of) == (Stage.finished, True, 0)
        assert (shop.pixels() == first).all()

    bench.run(work)


def test_a_layer_is_fresh_until_it_is_kept_or_left(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        _, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        assert seeds.keep()
        assert not seeds.keep(), "it is kept already"
        assert shop.layer(layer)
        second = stroke(shop, recipe(), 60, 60)
        seeds.note_stroke(second)
        assert seeds.fresh is not None
        shop.document.activate(layer)
        assert seeds.fresh is None, "left, and so kept"

    bench.run(work)


def test_new_layers_get_a_random_seed_unless_the_seed_is_locked(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        recipes, _ = _make_seed_walk(shop)
        assert recipes.offer_for_stroke().seed != recipes.offer_for_stroke().seed
        recipes.is_locked = True
        assert recipes.offer_for_stroke().seed == recipes.offer_for_stroke().seed

    bench.run(work)


def test_prompts_wait_for_run_or_the_next_stroke(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        recipes, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        await shop.jobs.wait_until_idle()
        recipes.write(recipes.shown.with_params(prompt="blue"))
        assert recipes.is_draft
        assert prompt_of(shop.layer(layer).recipe) == "red"
        sweep = Sweep(shop, recipes.offer_for_stroke(), 60, 60)
        second = sweep.release()
        assert prompt_of(shop.layer(second).recipe) == "blue"
        assert prompt_of(shop.layer(layer).recipe) == "red"
        recipes.write(recipes.shown.with_params(prompt="green"))
        recipes.run()
        await shop.jobs.wait_until_idle()
        assert prompt_of(shop.layer(second).recipe) == "green"
        assert shop.layer(second).name == "green"
        assert shop.layer(second).rendered

    bench.run(work)


def test_a_drag_of_a_dial_is_one_entry_and_the_next_drag_another(bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        recipes, seeds = _make_seed_walk(shop)
        layer = _paint_fresh(shop, seeds)
        await shop.jobs.wait_until_idle()
        entries = len(shop.document.history.done)
        for strength in (0.3, 0.4, 0.5):
            recipes.turn(recipes.shown.with_params(strength=strength), "strength")
        recipes.settle()
        recipes.turn(recipes.shown.with_params(strength=0.6), "strength")
        await shop.jobs.wait_until_idle()
        assert len(shop.document.history.done) == entries + 2
        shop.document.undo()
        assert strength_of(shop.layer(layer).recipe) == 0.5

    bench.run(work)


def test_every_technique_makes_a_recipe() -> None:
    assert fresh_recipe("sdedit").params["steps"]
    assert (fresh_recipe().technique, fresh_recipe().verb) == ("blended-inpaint", "add")
