"""A network asked at another model's levels, and models that cannot share a walk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.cross_model import at_levels_of_another, refuse_foreign
from core.diffusion.model import Denoise, Level, Prediction
from core.diffusion.rectified_flow import time_of
from core.errors import TechniqueError
from core.models.opening import open_model
from core.techniques.superdiff import SuperDiff
from tests import tiny, tiny_flow
from tests.core.inverting import task
from tests.core.relatives import relatives, stranger


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_model(str(tiny.saved(tmp_path_factory.mktemp("unet"))))


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_model(str(tiny_flow.saved(tmp_path_factory.mktemp("flow"), "sd3")))


def listening(heard: list[tuple[torch.Tensor, Level, Level | None]]) -> Denoise:
    def denoise(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
        heard.append((z, level, label))
        return Prediction(z, z)

    return denoise


def told(model: Any, levels: tuple[Level, ...], steps: int) -> list[Level]:
    """What a model's network is told at levels of another, and that z has the scale of it."""
    heard: list[tuple[torch.Tensor, Level, Level | None]] = []
    asked = at_levels_of_another(model, listening(heard), steps)
    x0, eps = torch.randn(2, 1, 4, 2, 2, generator=torch.Generator().manual_seed(1))
    for level in levels:
        asked(level.mix(x0, eps), level)
    for z, own, label in heard:
        assert torch.allclose(z, own.mix(x0, eps), atol=1e-5)
        assert label is None
    return [own for _, own, _ in heard]


def test_on_its_own_levels_a_model_is_told_them_exactly(unet: Any) -> None:
    for steps in (7, 20, 33):
        levels = unet.levels(steps)[:-1]
        for own, level in zip(told(unet, levels, steps), levels, strict=True):
            assert own == pytest.approx(level, abs=1e-9)


def test_on_a_straight_path_it_is_told_its_own_label(unet: Any, flow: Any) -> None:
    """The label whose noise against signal is that of the level, by the schedule itself."""
    straight = flow.levels(11)[1:-1]
    by_label = {level.time: time_of(level) for level in unet.levels(1000)[:-1]}
    for own, level in zip(told(unet, straight, 11), straight, strict=True):
        assert time_of(own) == pytest.approx(time_of(level), abs=1e-9)
        near = min(by_label, key=lambda time: abs(time - own.time))
        if max(by_label.values()) > time_of(level) > min(by_label.values()):
            assert own.signal**2 + own.noise**2 == pytest.approx(1, abs=1e-3)
            assert by_label[near] == pytest.approx(time_of(level), abs=2e-3)


def test_a_flow_is_told_its_own_label_too(unet: Any, flow: Any) -> None:
    levels = unet.levels(9)[:-1]
    for own, level in zip(told(flow, levels, 9), levels, strict=True):
        assert own.signal + own.noise == pytest.approx(1)
        assert own.time == pytest.approx(1000 * time_of(level), rel=1e-2)


def test_beyond_its_levels_it_is_told_the_last_label_it_knows(unet: Any) -> None:
    first, last = unet.levels(200)[0], unet.levels(200)[-1]
    noisy, clean = told(unet, (Level(0.02, 0.98, 980.0), Level(0.999, 0.001, 1.0)), 5)
    assert noisy.time == first.time
    assert clean.time == last.time == 0
    assert noisy.noise / noisy.signal == pytest.approx(49)


def test_a_label_of_its_own_is_translated_as_well(unet: Any, flow: Any) -> None:
    heard: list[tuple[torch.Tensor, Level, Level | None]] = []
    here, there = flow.levels(9)[3:5]
    at_levels_of_another(unet, listening(heard), 9)(torch.zeros(1, 4, 2, 2), here, there)
    assert list(heard[0][1:]) == told(unet, (here, there), 9)


def sentence(model: Any, other: Any, image: Any = None) -> str:
    """Why two models cannot be blended; empty when they can."""
    image = task(SuperDiff).image if image is None else image
    try:
        refuse_foreign(model, other, image, model.encode(image))
    except TechniqueError as error:
        return str(error)
    return ""


def test_models_of_one_family_are_welcome() -> None:
    assert sentence(*relatives()) == ""


def test_a_picture_without_content_tells_nobody_apart() -> None:
    toys = [open_model("toy") for _ in range(2)]
    assert sentence(toys[0], toys[1], np.full((64, 64, 3), 0.5, np.float32)) == ""


def test_half_precision_is_no_other_autoencoder(unet: Any, tmp_path: Path) -> None:
    pipeline = tiny.pipeline(tmp_path)
    pipeline.vae.half().float()
    pipeline.save_pretrained(tmp_path / "half", safe_serialization=True)
    assert sentence(unet, open_model(str(tmp_path / "half"))) == ""


def test_models_unlike_in_kind_are_refused_in_a_sentence(unet: Any) -> None:
    one, _ = relatives()
    said = sentence(one, unet)
    assert said.startswith(f"{unet.label} cannot be blended with Storybook: it has 4 latent chan")
    assert "and not 16" in said
    assert "another autoencoder" in sentence(one, stranger())
    assert "\n" not in said


def test_a_picture_that_only_one_of_them_takes_is_refused(
    unet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = relatives()
    monkeypatch.setattr(two, "multiple", 48)
    assert "sides in multiples of 48, unlike 64 x 64 pixels" in sentence(one, two)
    monkeypatch.setattr(two, "factor", 16)
    assert "16 pixels per latent cell and not 8" in sentence(one, two)
