"""Erase: what is in the region goes, what is around it goes on, and nothing new appears."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.task import Task
from core.techniques.blended_inpaint import BlendedInpaint
from core.techniques.erase import Erase
from tests.core.techniques.driving import RandomModel, edited, task_of


def blot_task(redraw: float) -> tuple[Task[Any], npt.NDArray[np.bool_]]:
    """A plain picture with a red blot in the region."""
    task = task_of(Erase, redraw=redraw)
    plain = np.full_like(task.image, 0.6)
    inside = task.mask >= 0.5
    image = np.where(inside[..., None], (1, 0, 0), plain).astype(np.float32)
    return replace(task, image=image), inside


def test_the_thing_is_gone_and_the_ground_is_there() -> None:
    task, inside = blot_task(redraw=0)
    image = edited(Erase, RandomModel(), task)
    assert np.abs(image - 0.6).max() < 0.02
    assert np.abs(task.image - 0.6)[inside].min() > 0.3


def test_the_model_walks_the_last_steps_alone() -> None:
    some, every = RandomModel(), RandomModel()
    edited(Erase, some, task_of(Erase, steps=20, redraw=0.2))
    edited(Erase, every, task_of(Erase, steps=20, redraw=1.0))
    assert (some.calls, every.calls) == (4, 20)


def test_redrawn_wholly_it_is_a_repainted_region() -> None:
    task, _ = blot_task(redraw=1.0)
    repaint = task_of(BlendedInpaint, steps=task.params.steps)
    repaint = replace(repaint, image=task.image)
    assert np.array_equal(
        edited(Erase, RandomModel(), task)[task.mask == 0],
        edited(BlendedInpaint, RandomModel(), repaint)[task.mask == 0],
    )


def test_an_inpainting_network_is_told_the_rest() -> None:
    model = RandomModel("inpaint")
    edited(Erase, model, task_of(Erase))
    assert model.hints[-1] is not None
