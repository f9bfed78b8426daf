"""Which layers' attention maps count, how they are collected, and how they lie on the latent."""

import pytest
import torch

from core.diffusion.attention import AttentionLayer
from core.editing.attention_maps import (
    AttentionMapCollector,
    AttentionRecorder,
    MeanAttentionMap,
    all_heads,
    has_map_side,
    map_to_grid,
    resize_map,
)
from tests.core.inverting import network


@pytest.mark.parametrize(
    ("cells", "queries"), [((8, 8), 64), ((16, 16), 256), ((64, 64), 256), ((64, 96), 384)]
)
def test_the_layer_nearest_to_16_a_side_counts(cells: tuple[int, int], queries: int) -> None:
    assert has_map_side(queries, cells)
    assert not has_map_side(queries // 4, cells)
    assert not has_map_side(queries * 4, cells)


def test_attention_becomes_a_grid_row_by_row() -> None:
    attention = torch.arange(24.0)
    assert torch.equal(map_to_grid(attention, (16, 24)), attention.view(4, 6))


def test_resizing_repeats_cells() -> None:
    picture = torch.tensor([[1.0, 2.0]])
    assert resize_map(picture, (2, 4)).tolist() == [[1, 1, 2, 2]] * 2


CROSS, SELF = AttentionLayer(0, "x", True), AttentionLayer(1, "x", False)


def test_maps_of_one_kind_are_collected_and_none_is_changed() -> None:
    for is_cross in (True, False):
        record, maps = AttentionRecorder(is_cross=is_cross), torch.rand(2, 2, 4, 4)
        assert record.maps(CROSS, maps) is maps
        assert record.maps(SELF, maps) is maps
        assert len(record.collected) == 1
        states = (maps, maps, maps)
        assert record(CROSS, *states) == states


def test_of_a_latent_only_layers_of_about_16_a_side_are_collected() -> None:
    every, best = AttentionMapCollector(), AttentionMapCollector(cells=(64, 64))
    for queries in (64, 256, 1024):
        for collector in (every, best):
            collector.add(CROSS, torch.rand(1, 2, queries, 4))
    assert [maps.shape[-2] for maps in every.collected] == [64, 256, 1024]
    assert [maps.shape[-2] for maps in best.collected] == [256]
    assert best.is_wanted(CROSS, 256)
    assert not best.is_wanted(SELF, 256)
    assert not best.is_wanted(CROSS, 64)


def test_rows_are_picked_and_a_call_without_them_adds_nothing() -> None:
    maps = torch.rand(4, 2, 64, 5)
    collector = AttentionMapCollector(rows=slice(3, None), reduce=all_heads)
    collector.add(CROSS, maps[:3])
    assert not collector.collected
    collector.add(CROSS, maps)
    assert torch.equal(collector.collected[0], maps[3:])
    collector.clear()
    assert not collector.collected


def test_the_mean_is_over_heads_layers_and_calls() -> None:
    one, two = torch.rand(2, 3, 64, 5), torch.rand(2, 3, 64, 5)
    collector = AttentionMapCollector()
    collector.add(CROSS, one)
    collector.add(CROSS, two)
    assert torch.allclose(collector.mean(), torch.cat([one, two], 1).mean(1), atol=1e-6)


def test_the_mean_map_is_that_of_all_maps_and_changes_not_a_bit() -> None:
    model, record = network(), AttentionRecorder(reduce=all_heads)
    z = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    mean, level, denoise = MeanAttentionMap(z), model.levels(10)[4], model.denoiser("a red apple")
    with model.attention(mean):
        watched = denoise(z, level)
    assert torch.equal(watched.eps, denoise(z, level).eps)
    with model.attention(record):
        denoise(z, level)
    near_16 = [maps for maps in record.collected if maps.shape[-2] == 64]
    shares = torch.stack([maps[0].mean(0) for maps in near_16]).mean(0)[:, [2, 3]]
    wanted = (shares / shares.amax(0)).mean(-1)
    mean.end_step()
    found = mean.of([2, 3])
    assert found is not None
    assert torch.allclose(found, wanted.view(1, 1, 8, 8), atol=1e-5)


def test_every_step_s_maps_are_divided_by_their_highest_value() -> None:
    """By hand, for one token: running means (0.2, 0.4) and (0.3, 0.3) count (0.5, 1) and (1, 1)."""
    mean = MeanAttentionMap(torch.zeros(1, 4, 1, 2))
    for first, second in ((0.2, 0.4), (0.4, 0.2)):
        shares = torch.tensor([[first, 1 - first], [second, 1 - second]])
        # A key of the identity and a query of logarithms give a softmax of these shares.
        query = (shares.log() * 2**0.5)[None, None]
        mean(AttentionLayer(0, "x", True), query, torch.eye(2)[None, None], query)
        mean.end_step()
    found = mean.of([0])
    assert found is not None
    assert torch.allclose(found.flatten(), torch.tensor([0.75, 1.0]), atol=1e-5)


def test_no_maps_or_no_tokens_have_no_mean_map() -> None:
    mean = MeanAttentionMap(torch.zeros(1, 16, 8, 8))
    assert mean.of([1]) is None
    model = network()
    with model.attention(mean):
        model.denoiser("a red apple")(torch.zeros(1, 16, 8, 8), model.levels(10)[4])
    mean.end_step()
    assert mean.of([]) is None
