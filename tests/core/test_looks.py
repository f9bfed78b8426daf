"""Where words look: which layers tell it, and how their maps lie on the latent."""

import pytest
import torch

from core.looks import grid, resized, tells


@pytest.mark.parametrize(
    ("cells", "queries"), [((8, 8), 64), ((16, 16), 256), ((64, 64), 256), ((64, 96), 384)]
)
def test_the_layer_nearest_to_16_a_side_tells(cells: tuple[int, int], queries: int) -> None:
    assert tells(queries, cells)
    assert not tells(queries // 4, cells)
    assert not tells(queries * 4, cells)


def test_a_look_lies_on_the_latent_row_by_row() -> None:
    look = torch.arange(24.0)
    assert torch.equal(grid(look, (16, 24)), look.view(4, 6))


def test_resizing_repeats_cells() -> None:
    picture = torch.tensor([[1.0, 2.0]])
    assert resized(picture, (2, 4)).tolist() == [[1, 1, 2, 2]] * 2
