"""Layered Diffusion Brushes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.diffusion.model import Image, Model
from core.modifiers.wrapping import wrap_model
from core.task import ModifierSetting, Task
from core.techniques.layered_brush import LayeredBrush
from tests.core.techniques.driving import RandomModel, edited, finished, task_of

catalog.load("models")

both = pytest.mark.parametrize("base", ["noise", "inversion"])


def _calls(model: Model, task: Task[Any]) -> int:
    before = model.calls
    steps, _ = finished(LayeredBrush().run(task, model))
    assert len(steps) == model.calls - before
    return len(steps)


def _kept(model: RandomModel, task: Task[Any]) -> Image:
    return model.decode(model.encode(task.image))


@both
@pytest.mark.parametrize(("depth", "n"), [(0.5, 9), (1.0, 18), (0.0, 0), (0.75, 14)])
def test_a_stroke_at_depth_n_costs_n_and_two_calls(base: str, depth: float, n: int) -> None:
    model = RandomModel()
    task = task_of(LayeredBrush, base=base, depth=depth, prompt="cat")
    once = {"noise": 2, "inversion": n + 2 + 2}[base]
    assert _calls(model, task) == n + 2 + once
    assert _calls(model, task) == n + 2


@both
@pytest.mark.parametrize("guide", ["cfg", "cfg++"])
def test_guidance_costs_one_batched_call_like_none(base: str, guide: str) -> None:
    catalog.load("modifiers")
    toy = catalog.backends["toy"].load("toy")
    recipes = (ModifierSetting(guide),)
    task = task_of(LayeredBrush, base=base, depth=0.5, prompt="cat")
    task = replace(task, recipe=replace(task.recipe, modifiers=recipes))
    model = wrap_model(toy, recipes)
    _calls(model, task)
    assert _calls(model, task) == 11
    assert _calls(toy, replace(task, recipe=replace(task.recipe, modifiers=()))) > 11


@both
def test_a_model_that_ends_in_pure_noise_can_be_painted_all_the_way_down(base: str) -> None:
    toy = catalog.backends["toy"].load("toy")
    task = task_of(LayeredBrush, base=base, depth=1.0, prompt="cat")
    mask = np.zeros_like(task.mask)
    mask[:8, :8] = 1
    image = edited(LayeredBrush, toy, replace(task, mask=mask))
    assert np.isfinite(image).all()
    assert np.abs(image - task.image)[:8, :8].mean() > 0.1
    assert np.abs(image - task.image)[24:, 24:].max() < 1e-4


@both
def test_seed_mask_and_prompt_do_not_recompute_the_base(base: str) -> None:
    model = RandomModel()
    task = task_of(LayeredBrush, base=base, depth=0.5)
    _calls(model, task)
    moved = replace(task, mask=np.roll(task.mask, 8, axis=1))
    other = task_of(LayeredBrush, seed=5, base=base, depth=0.5, prompt="dog")
    shallow = task_of(LayeredBrush, base=base, depth=0.25)
    assert [_calls(model, each) for each in (moved, other, shallow)] == [11, 11, 2 + 4]


@both
def test_what_ran_before_does_not_show_in_the_result(base: str) -> None:
    warm, tasks = RandomModel(), [task_of(LayeredBrush, seed, base=base) for seed in (1, 5)]
    for task in tasks:
        image = edited(LayeredBrush, warm, task)
        assert np.array_equal(image, edited(LayeredBrush, RandomModel(), task))


@both
def test_partial_strength_learns_the_pictures_own_path_once(base: str) -> None:
    model = RandomModel()
    _calls(model, task_of(LayeredBrush, base=base, depth=0.5))
    half = task_of(LayeredBrush, base=base, depth=0.5, strength=0.5)
    assert _calls(model, half) == 11 + 9
    assert _calls(model, replace(half, params=replace(half.params, strength=0.7))) == 11


@both
def test_another_picture_or_base_prompt_is_another_base(base: str) -> None:
    model = RandomModel()
    task = task_of(LayeredBrush, base=base, depth=0.5)
    cold = _calls(model, task)
    assert _calls(model, replace(task, image=1 - task.image)) == cold
    assert _calls(model, task_of(LayeredBrush, base=base, depth=0.5, base_prompt="a")) == cold
    assert _calls(model, task_of(LayeredBrush, base=base, depth=0.5, steps=10)) < cold


@both
def test_no_strength_with_the_base_prompt_is_the_picture_bit_for_bit(base: str) -> None:
    model = RandomModel()
    task = task_of(LayeredBrush, base=base, strength=0.0, prompt="sea", base_prompt="sea")
    assert np.array_equal(edited(LayeredBrush, model, task), _kept(model, task))
    other = task_of(LayeredBrush, base=base, strength=0.0, prompt="cat", base_prompt="sea")
    assert not np.array_equal(edited(LayeredBrush, model, other), _kept(model, other))


@both
def test_an_empty_mask_is_the_picture_bit_for_bit(base: str) -> None:
    model, task = RandomModel(), task_of(LayeredBrush, base=base, prompt="cat")
    task = replace(task, mask=np.zeros_like(task.mask))
    assert np.array_equal(edited(LayeredBrush, model, task), _kept(model, task))


@both
def test_beyond_the_reach_of_the_joint_steps_nothing_drifts(base: str) -> None:
    """Two joint steps of a network that sees 4 cells reach 8 cells; further out it is exact."""
    model, task = RandomModel(), task_of(LayeredBrush, base=base, prompt="cat")
    mask = np.zeros_like(task.mask)
    mask[:4, :4] = 1
    task = replace(task, mask=mask)
    image, kept = edited(LayeredBrush, model, task), _kept(model, task)
    reach = (1 + 2 + 8) * model.factor
    assert not np.array_equal(image[:4, :4], kept[:4, :4])
    assert np.array_equal(image[reach:], kept[reach:])
    assert np.array_equal(image[:, reach:], kept[:, reach:])


@both
def test_more_strength_moves_further_from_the_picture(base: str) -> None:
    model, moved = RandomModel(), []
    for strength in (0.0, 0.3, 0.6, 1.0):
        change = 0.0
        for seed in range(4):
            task = task_of(LayeredBrush, seed, base=base, strength=strength)
            change += float(np.abs(edited(LayeredBrush, model, task) - _kept(model, task)).mean())
        moved.append(change)
    assert moved == sorted(moved)
    assert moved[0] == 0


@both
def test_a_stroke_elsewhere_in_the_same_picture_keeps_its_noise(base: str) -> None:
    """Noise belongs to the canvas: where two masks overlap, the fresh noise is the same."""
    model, task = RandomModel(), task_of(LayeredBrush, base=base)
    like = model.encode(task.image)
    moved = replace(task, mask=np.roll(task.mask, 8, axis=1))
    assert (task.noise(like, "stroke") == moved.noise(like, "stroke")).all()


def test_only_the_layer_is_told_the_rest_by_an_inpainting_network() -> None:
    model = RandomModel("inpaint")
    edited(LayeredBrush, model, task_of(LayeredBrush))
    told = [known is not None for known in model.hints]
    assert sorted(told) == [False, True]


def test_a_path_counts_in_the_cache_for_all_it_has_grown_to() -> None:
    model, task = RandomModel(), task_of(LayeredBrush, base="inversion", depth=1.0)
    edited(LayeredBrush, model, task)
    latents_and_noises = 2 * 20
    assert model.cache.held >= latents_and_noises * model.encode(task.image).nbytes


def test_the_cache_is_bounded() -> None:
    model = RandomModel()
    model.cache.budget = 1 << 20
    for shade in range(30):
        task = task_of(LayeredBrush, steps=20)
        edited(LayeredBrush, model, replace(task, image=task.image * np.float32(shade / 30)))
    assert model.cache.held <= 1 << 20
