"""Eta Inversion: Direct Inversion without noise, and the best of ten noises with it."""

import pytest
import torch

from core.diffusion.eta_step import step_mean, step_sigma
from core.editing.inversion import Branches, InvertedPath, Source
from core.inverters import eta
from core.inverters.direct import DirectInversion
from core.inverters.eta import DRAWS, EtaInversion, EtaPath
from tests.core.inverting import inverted, network, replayed, source


@pytest.fixture(scope="module")
def x0() -> torch.Tensor:
    return 0.7 * torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))


def edited(path: InvertedPath, given: Source, prompt: str = "a dog") -> torch.Tensor:
    """The source and an edit of it."""
    embeddings = given.model.embed(["a red apple", prompt])
    denoise = Branches(given.model, embeddings, (given.guidance,) * 2, given.negative)
    state = path.begin(2)
    for i in range(len(path.levels) - 1):
        embeddings = path.prompt_embeddings(i, embeddings)
        state, _ = path.step(i, state, denoise)
    return path.latent(state)


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_the_source_stays_on_its_path(guidance: float, x0: torch.Tensor) -> None:
    given = source(network(), x0, 6, guidance)
    path, _ = inverted(EtaInversion, given)
    assert torch.equal(replayed(path, given), x0)


def test_without_noise_it_is_direct_inversion(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = source(network(), x0, 6, 3.0)
    direct, _ = inverted(DirectInversion, given)
    stirred, _ = inverted(EtaInversion, given)
    assert not torch.allclose(edited(stirred, given), edited(direct, given), atol=1e-2)
    monkeypatch.setattr(eta, "MAX_ETA", 0.0)
    still, _ = inverted(EtaInversion, given)
    assert torch.allclose(edited(still, given), edited(direct, given), atol=1e-6)


def test_noise_falls_evenly_with_time_from_999(x0: torch.Tensor) -> None:
    given = source(network(), x0, 6)
    path, _ = inverted(EtaInversion, given)
    assert isinstance(path, EtaPath)
    level = given.model.levels(6)[0]
    for time, wanted in ((999, 0.4), (981, 0.4 * 981 / 999), (333, 0.4 / 3), (0, 0.0)):
        assert path.eta(level._replace(time=time)) == pytest.approx(wanted)


def test_the_edit_gets_the_noise_that_the_source_comes_nearest_to(x0: torch.Tensor) -> None:
    given = source(network(), x0, 6)
    path, _ = inverted(EtaInversion, given)
    assert isinstance(path, EtaPath)
    here, there = path.levels[1:3]
    state = (path.latents[1].repeat(2, 1, 1, 1),)
    denoise = Branches(given.model, given.model.embed(["a red apple"] * 2), (1, 1), given.negative)
    (z,), _ = path.step(1, state, denoise)
    plain = step_mean(denoise(state[0], here), here, there, path.eta(here))
    fresh = step_sigma(here, there, path.eta(here))
    taken, wanted = (z[1] - plain[1]) / fresh, (path.latents[2] - plain[:1]) / fresh
    distances = [float((path.noise("eta", DRAWS + n) - wanted).norm()) for n in range(DRAWS)]
    assert float((taken - wanted).norm()) == pytest.approx(min(distances), rel=1e-3)
    assert min(distances) < max(distances)


def stirred(x0: torch.Tensor, guidance: float = 3.0) -> tuple[EtaPath, Source]:
    given = source(network(), x0, 6, guidance)
    path, _ = inverted(EtaInversion, given)
    assert isinstance(path, EtaPath)
    return path, given


def test_no_place_is_direct_inversion(x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    path, given = stirred(x0)
    direct, _ = inverted(DirectInversion, given)
    monkeypatch.setattr(eta, "THRESHOLD", 1.0)
    assert torch.allclose(edited(path, given), edited(direct, given), atol=1e-6)


def test_only_the_region_of_the_exchanged_word_gets_noise(x0: torch.Tensor) -> None:
    path, given = stirred(x0)
    maps = path.region.maps
    assert maps is not None
    embeddings = given.model.embed(["a red apple", "a red dog"])
    place = given.model.pieces("a red apple").index("apple")
    attention = maps.of([place])
    assert attention is not None
    mask = (attention > eta.THRESHOLD).float()
    mask[..., :4] = 0
    path.prompt_embeddings(1, embeddings)
    assert path.mask is not None
    path.mask = mask
    denoise = Branches(given.model, embeddings, (1, 1), given.negative)
    state = (path.latents[1].repeat(2, 1, 1, 1),)
    (z,), _ = path.step(1, state, denoise)
    plain = denoise(state[0], path.levels[1]).at(path.levels[2])
    moved = (z[1] - plain[1]).abs().amax(0)
    assert torch.equal(moved > 1e-4, mask[0, 0] > 0)
    assert mask.any()


def test_the_place_is_that_of_the_words_that_go(x0: torch.Tensor) -> None:
    path, given = stirred(x0)
    maps, model = path.region.maps, given.model
    assert maps is not None
    place = model.pieces("a red apple").index("red")
    attention = maps.of([place])
    assert attention is not None
    found = path.region.mask(model.embed(["a red apple", "a green apple"]))
    assert found is not None
    assert torch.equal(found, (attention > 0.2).float())
    assert path.region.mask(model.embed(["a red apple", "a big red apple"])) is None


def test_closed_attention_stirs_the_whole(
    x0: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network(), "capabilities", frozenset())
    path, given = stirred(x0)
    assert path.region.mask(given.model.embed(["a red apple", "a dog"])) is None
    monkeypatch.undo()
    direct, _ = inverted(DirectInversion, given)
    assert not torch.allclose(edited(path, given), edited(direct, given), atol=1e-2)
