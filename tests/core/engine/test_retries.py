"""The ladder ends, skips the CPU when already there, and asks for smaller pictures."""

import pytest
import torch

from core.engine.retries import LADDER, below, is_out_of_memory, lowered
from core.models.opening import open_model


def test_the_cpu_is_a_rung_only_for_accelerators() -> None:
    assert [below(rung, "cuda") for rung in range(4)] == [1, 2, 3, None]
    assert [below(rung, "cpu") for rung in range(3)] == [1, 2, None]


def test_each_rung_asks_for_no_more_than_the_one_above() -> None:
    shares = [rung.share for rung in LADDER]
    assert shares == sorted(shares, reverse=True)
    assert len({rung.text for rung in LADDER}) == len(LADDER)


def test_a_lowered_model_wants_smaller_pictures_and_is_otherwise_the_same() -> None:
    model = open_model("toy")
    assert lowered(model, LADDER[0]) is model
    half = lowered(model, LADDER[2])
    assert (half.native, half.multiple, half.identity) == (64, 8, model.identity)
    half.denoiser("red")(torch.zeros(1, 192, 2, 2), model.levels(2)[1])
    assert half.calls == model.calls == 1


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error: Exception, is_it: bool) -> None:
    assert is_out_of_memory(error) is is_it


def test_torch_itself_says_so_on_the_cpu() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
