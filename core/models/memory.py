"""Tells that memory ran out from other errors."""

import errno

SIGNS = (
    "out of memory",
    "allocate memory",
    "not enough memory",
    "alloc_cpu",
    "alloc_failed",
    "bad alloc",
    "bad_alloc",
    "paging file is too small",
    # oneDNN says these when it cannot allocate what a layer needs.
    "could not create a primitive",
    "could not create a memory",
)
WINDOWS_COMMITMENT_LIMIT = 1455


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, torch on the CPU or torch on an accelerator ran out of memory."""
    if isinstance(error, OSError):
        is_full = getattr(error, "winerror", None) == WINDOWS_COMMITMENT_LIMIT
        return is_full or error.errno == errno.ENOMEM
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in text for sign in SIGNS)
