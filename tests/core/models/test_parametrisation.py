"""A network's output becomes content and noise, whatever it was trained to predict."""

import pytest
import torch

from core.diffusion.model import Level
from core.errors import ModelError
from core.models.parametrisation import flow_to_prediction


def test_a_velocity_is_noise_less_content() -> None:
    x0, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    for level in (Level(0.7, 0.3, 300), Level(0.8, 0.6, 300), Level(0, 1, 1000), Level(1, 0, 0)):
        prediction = flow_to_prediction(eps - x0, level.mix(x0, eps), level)
        assert torch.allclose(prediction.x0, x0, atol=1e-6)
        assert torch.allclose(prediction.eps, eps, atol=1e-6)
    with pytest.raises(ModelError, match="not numbers"):
        flow_to_prediction(x0 * float("nan"), x0, Level(0.7, 0.3, 300))
