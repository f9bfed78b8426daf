"""Likeness: the picture itself is best, and further away is worse."""

import torch

from core.models.opening import open_model
from core.techniques.good_seed import GoodSeed
from core.verifiers.likeness import Likeness
from tests.core.inverting import task
from tests.core.verifiers.judging import case


def test_the_picture_itself_is_best_and_the_rest_by_distance() -> None:
    judged = case(open_model("toy"), task(GoodSeed))
    scores = Likeness().judge(judged)(torch.cat([judged.x0 + away for away in (0, 0.1, 0.5)]))
    assert torch.allclose(scores, torch.tensor([0, -0.01, -0.25]), atol=1e-6)


def test_a_gain_is_the_share_of_the_distance_that_is_gone() -> None:
    assert Likeness.gain(-0.5, -1) == 50
    assert Likeness.gain(-1.25, -1) == -25
    assert Likeness.gain(0, 0) == 0
