"""Text to image."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.diffusion.samplers import SAMPLERS
from core.task import Task
from core.techniques.text_to_image import TextToImage
from tests.core.techniques.driving import RandomModel, edited, task_of


def _everywhere(**changes: Any) -> Task[Any]:
    task = task_of(TextToImage, **changes)
    return replace(task, mask=np.ones_like(task.mask))


def test_the_picture_below_does_not_matter_where_everything_is_painted() -> None:
    model, task = RandomModel(), _everywhere(prompt="sea")
    other = replace(task, image=1 - task.image)
    assert np.array_equal(edited(TextToImage, model, task), edited(TextToImage, model, other))


def test_it_is_the_sampler_run_from_pure_noise() -> None:
    model, task = RandomModel(), _everywhere(prompt="sea", steps=5)
    z = task.noise(model.encode(task.image))
    levels = model.levels(5)
    for here, there in zip(levels, levels[1:], strict=False):
        z = model.denoiser("sea")(z, here).at(there)
    np.testing.assert_allclose(edited(TextToImage, model, task), model.decode(z), atol=1e-6)


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_with_a_mask_everything_else_stays(sampler: str) -> None:
    model, task = RandomModel(), task_of(TextToImage, prompt="sea", sampler=sampler)
    image, kept = edited(TextToImage, model, task), model.decode(model.encode(task.image))
    assert np.array_equal(image[task.mask == 0], kept[task.mask == 0])
    assert not np.array_equal(image[task.mask == 1], kept[task.mask == 1])


def test_an_inpainting_network_is_told_the_rest() -> None:
    model, task = RandomModel("inpaint"), task_of(TextToImage)
    edited(TextToImage, model, task)
    known = model.hints[-1]
    assert known is not None
    assert known.mask.mean() == 0.25
    assert np.array_equal(model.decode(known.x0), model.decode(model.encode(task.image)))
