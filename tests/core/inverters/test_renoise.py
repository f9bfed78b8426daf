"""ReNoise: repeating closes in, averages are of the published rounds, noise stays noise."""

import pytest
import torch

from core.diffusion.model import Denoise, Level, Prediction
from core.editing.inversion import ReplayPath
from core.editing.noise_regularisation import correlation, divergence
from core.inverters import renoise
from core.inverters.renoise import ReNoise, regularise_noise, renoise_step, rounds_of
from tests.core.inverting import error, inverted, network, replayed, source

LOW, MIDDLE, HIGH = Level(0.9, 0.43589, 200.0), Level(0.85, 0.526783, 249.0), Level(0.6, 0.8, 600.0)


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def test_more_rounds_come_back_closer(x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renoise, "REGULARISED", 0)
    found = []
    for rounds in (0, 1, 9):
        monkeypatch.setattr(renoise, "ROUNDS_OF_FEW", rounds)
        given = source(network(), x0, 5)
        path, _ = inverted(ReNoise, given)
        plain = ReplayPath(path.levels, [path.begin(1)[0]])
        found.append(error(replayed(plain, given), x0))
    assert found[0] > found[1] > found[2]
    assert found[2] < 0.2 * found[0]


def test_the_source_is_put_back_on_its_path(x0: torch.Tensor) -> None:
    given = source(network(), x0, 4, 7.5)
    path, _ = inverted(ReNoise, given)
    assert torch.equal(replayed(path, given), x0)


def told(levels: "list[Level]") -> Denoise:
    """Content nought, and as noise the number of the call; notes the levels it is shown."""

    def denoise(z: torch.Tensor, level: Level, label: Level | None = None) -> Prediction:
        levels.append(label or level)
        return Prediction(0 * z, 0 * z + len(levels))

    return denoise


@pytest.mark.parametrize(
    ("high", "rounds", "calls", "mean"),
    [(HIGH, 9, 11, 10.5), (HIGH, 1, 2, 2.0), (MIDDLE, 9, 7, 4.0), (MIDDLE, 1, 3, 2.5)],
)
def test_rounds_and_averages_are_those_published(
    high: Level, rounds: int, calls: int, mean: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renoise, "REGULARISED", 0)
    levels: list[Level] = []
    z = torch.ones(1, 1, 8, 8)
    run = renoise_step(told(levels), z, LOW, high, z, rounds)
    yields, end = 0, z
    while True:
        try:
            next(run)
            yields += 1
        except StopIteration as stopped:
            end = stopped.value
            break
    assert yields == rounds + 1
    assert len(levels) == calls
    assert set(levels) == {high}
    wanted = high.signal * (1 - LOW.noise * mean) / LOW.signal + high.noise * mean
    assert torch.allclose(end, wanted * z, atol=1e-5)


def test_regularised_noise_is_more_like_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(4)
    like = torch.randn(1, 4, 32, 32, generator=generator)
    smooth = 1.5 * torch.nn.functional.avg_pool2d(
        torch.randn(1, 4, 34, 34, generator=generator), 3, stride=1
    )
    assert divergence(regularise_noise(smooth, like), like) < divergence(smooth, like)
    monkeypatch.setattr(renoise, "DIVERGENCE_RATE", 0.0)
    assert correlation(regularise_noise(smooth, like), 0) < 0.95 * correlation(smooth, 0)


def test_few_steps_are_repeated_more() -> None:
    assert rounds_of(4) == 9
    assert rounds_of(50) == 1
