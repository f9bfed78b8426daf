"""The retries end, leave the CPU out when the job is already there, and use smaller pictures."""

import errno

import pytest
import torch

from core.engine.retries import RETRIES, limit_model, next_retry
from core.models.memory import is_out_of_memory
from core.models.opening import open_model


def test_the_cpu_is_a_retry_only_for_accelerators() -> None:
    assert [next_retry(retry, "cuda") for retry in range(4)] == [1, 2, 3, None]
    assert [next_retry(retry, "cpu") for retry in range(3)] == [1, 2, None]


def test_each_retry_needs_no_more_than_the_one_before() -> None:
    shares = [retry.share for retry in RETRIES]
    assert shares == sorted(shares, reverse=True)
    assert len({retry.text for retry in RETRIES}) == len(RETRIES)


def test_a_lowered_model_wants_smaller_pictures_and_is_otherwise_the_same() -> None:
    model = open_model("toy")
    assert limit_model(model, RETRIES[0]) is model
    half = limit_model(model, RETRIES[2])
    assert (half.native, half.multiple, half.identity) == (64, 8, model.identity)
    half.denoiser("red")(torch.zeros(1, 192, 2, 2), model.levels(2)[1])
    assert half.calls == model.calls == 1


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("Could not create a primitive descriptor for a convolution"), True),
        (RuntimeError("could not create a memory object"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("unable to mmap 4096 bytes: Cannot allocate memory (12)"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOENT, "out of memory"), False),
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
