"""RIVAL: the shuffled start, whose statistics and keys the variation takes, and when."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.diffusion.attention import AttentionLayer
from core.diffusion.model import Denoise, Level, Prediction
from core.editing.prompt_edit import EditStep, PromptEdit
from core.techniques.rival import Rival, _AlignedChain, _with_statistics, adain
from tests.core.inverting import batches, error, kept, network, result, step_at, task
from tests.core.techniques.driving import finished

OTHER: dict[str, Any] = {"prompt": "a dog", "inverter": "ddim"}
SELF = AttentionLayer(8, "x", False)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def chain_of(seed: int = 1, **changes: Any) -> _AlignedChain:
    given = task(Rival, seed, **{**OTHER, "steps": 11, **changes})
    return _AlignedChain(PromptEdit(given, network()), given.params)


def attend(chain: _AlignedChain, index: int, place: AttentionLayer, *states: Tensor) -> Any:
    """What the control of a step makes of queries, keys and values."""
    control: Any = chain.attention(step_at(chain.edit, index))
    return control(place, *states)


class Unaligned(_AlignedChain):
    """The same start, with no alignment."""

    def attention(self, step: EditStep) -> None:
        return None

    def guide(self, step: EditStep, denoise: Denoise) -> Denoise:
        return denoise


def plain(given: Any, model: Any) -> Any:
    """The same walk from the same start, with no alignment."""
    edit = PromptEdit(given, model)
    return finished(edit.run(Unaligned(edit, given.params)))[1]


def test_no_look_and_no_statistics_is_plain_sampling() -> None:
    model = network()
    given = task(Rival, look=False, early=1.0, **OTHER)
    assert np.array_equal(result(Rival, model, given), plain(given, model))


@pytest.mark.parametrize("one", [{"look": True, "early": 1.0}, {"look": False, "early": 0.5}])
def test_looks_and_statistics_each_change_the_picture(one: dict[str, Any]) -> None:
    model = network()
    given = task(Rival, **one, **OTHER)
    assert not np.allclose(result(Rival, model, given), plain(given, model), atol=1e-4)


def test_strength_nought_is_the_picture_and_no_call() -> None:
    model = network()
    given = task(Rival, strength=0.0, **OTHER)
    calls = model.calls
    assert np.array_equal(result(Rival, model, given), kept(model, given))
    assert model.calls == calls


def test_the_start_is_shuffled_alike_in_every_channel() -> None:
    z = random(1, 16, 8, 8).repeat(2, 1, 1, 1)
    z[:, 1] = z[:, 0]
    one, again, other = (chain_of(seed).start((z, z)) for seed in (1, 1, 2))
    for part, same in zip(one, again, strict=True):
        assert torch.equal(part, same)
        assert torch.equal(part[0], z[0])
        assert not torch.equal(part[1], z[1])
        assert torch.equal(part[1, 0], part[1, 1])
        assert torch.equal(part[1].flatten(1).sort().values, z[1].flatten(1).sort().values)
    assert not torch.equal(one[0], other[0])
    assert torch.equal(z[0], z[1])


def test_below_full_strength_the_picture_stays_in_its_place() -> None:
    chain = chain_of(strength=0.5)
    level, noise = chain.edit.levels[0], random(1, 16, 8, 8)
    z = level.mix(chain.edit.x0, noise).repeat(2, 1, 1, 1)
    (start,) = chain.start((z,))
    left = (start[1:] - level.signal * chain.edit.x0) / level.noise
    assert not torch.allclose(left, noise, atol=1e-3)
    assert torch.allclose(left.flatten(2).sort().values, noise.flatten(2).sort().values, atol=1e-4)


def test_statistics_become_those_of_the_other() -> None:
    states, like = 3 * random(2, 4, 8, 8) + 1, 0.5 * random(1, 4, 8, 8, seed=1) - 2
    found = adain(states, like)
    assert error(found.mean((2, 3)), like.mean((2, 3)).expand(2, 4)) < 1e-4
    assert error(found.std((2, 3)), like.std((2, 3)).expand(2, 4)) < 1e-4
    assert error(adain(like, like), like) < 1e-5


def test_early_noise_has_the_source_s_statistics_and_the_source_its_own() -> None:
    level, z = Level(0.6, 0.8, 500), random(2, 4, 8, 8)
    eps = 2 * random(2, 4, 8, 8, seed=1)
    seen = _with_statistics(lambda *_: Prediction((z - 0.8 * eps) / 0.6, eps))(z, level)
    assert torch.equal(seen.eps[0], eps[0])
    assert error(seen.eps[1:], adain(eps[1:], eps[:1])) < 1e-5
    assert error(level.mix(seen.x0, seen.eps), z) < 1e-5


def test_times_are_shares_of_the_schedule() -> None:
    chain = chain_of()
    assert chain.times == pytest.approx([1 - i / 11 for i in range(1, 12)], abs=0.02)


def test_statistics_are_aligned_above_the_early_time_only() -> None:
    chain = chain_of()
    steps = [step_at(chain.edit, index) for index in range(10)]
    changed = [chain.guide(step, step.branches) is not step.branches for step in steps]
    assert changed == [time > 0.6 for time in chain.times[:10]]
    assert any(changed)
    assert not all(changed)


def test_the_source_is_looked_at_alone_then_beside_oneself() -> None:
    q, k, v = random(3, 3, 2, 16, 8)
    chain = chain_of()
    seen = attend(chain, 0, SELF, q, k, v)
    assert torch.equal(seen[0], q)
    for given, used in ((k, seen[1]), (v, seen[2])):
        assert all(torch.equal(used[row], given[0]) for row in range(3))
    seen = attend(chain, 9, SELF, q, k, v)
    for given, used in ((k, seen[1]), (v, seen[2])):
        assert used.shape[2] == 32
        assert all(torch.equal(used[row, :, :16], given[0]) for row in range(3))
        assert torch.equal(used[:, :, 16:], given)
    assert attend(chain, 9, AttentionLayer(9, "x", True), q, k, v)[1] is k


def test_the_source_sees_itself_twice_as_it_sees_itself_once() -> None:
    from torch.nn.functional import scaled_dot_product_attention as attended

    q, k, v = random(3, 3, 2, 16, 8)
    seen = attend(chain_of(), 9, SELF, q, k, v)
    assert torch.allclose(attended(*seen)[0], attended(q, k, v)[0], atol=1e-5)


def test_the_source_is_not_guided(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    seen = batches(model, monkeypatch)
    result(Rival, model, task(Rival, **OTHER))
    assert seen == [1] * 5 + [3] * 5
