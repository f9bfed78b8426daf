"""Noise: decided by its key and place alone, and normal."""

import numpy as np

from core.diffusion.seeded_noise import gaussian


def test_the_same_key_is_the_same_noise() -> None:
    assert np.array_equal(gaussian((1, 4, 9, 7), 5), gaussian((1, 4, 9, 7), 5))


def test_every_part_of_the_key_counts() -> None:
    shape = (1, 4, 9, 7)
    first = gaussian(shape, 5)
    for other in (gaussian(shape, 6), gaussian(shape, 5, "stroke"), gaussian(shape, 5, step=1)):
        assert abs(float(np.corrcoef(first.ravel(), other.ravel())[0, 1])) < 0.2


def test_a_sample_does_not_depend_on_the_batch() -> None:
    alone, three = gaussian((1, 4, 8, 8), 3), gaussian((3, 4, 8, 8), 3)
    assert np.array_equal(alone[0], three[0])
    assert not np.array_equal(three[0], three[1])


def test_moving_the_crop_reveals_the_same_noise() -> None:
    whole = gaussian((1, 2, 150, 140), 9, origin=(-20, -70))
    part = gaussian((1, 2, 30, 40), 9, origin=(50, 10))
    assert np.array_equal(whole[:, :, 80:110, 70:110], part)


def test_it_is_standard_normal() -> None:
    drawn = gaussian((1, 16, 64, 64), 1)
    assert drawn.dtype == np.float32
    assert abs(float(drawn.mean())) < 0.02
    assert abs(float(drawn.std()) - 1) < 0.02
