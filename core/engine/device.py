"""Where networks run, and with how many threads, so that the hand on the canvas never waits."""

import os
from collections.abc import MutableMapping

import psutil

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_count(cores: int | None = None) -> int:
    """Worker threads for a number of physical cores: one core is left to the painter.

    On 2 cores with other work on them, one step of the shipped network took 48 ms with one
    thread and 57 ms with two.
    """
    cores = cores or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, cores - 1)


def limit_threads(environment: MutableMapping[str, str]) -> None:
    """Set what numeric libraries read once, when they are imported; what is set already stays."""
    for name in THREAD_VARIABLES:
        environment.setdefault(name, str(thread_count()))
    # Threads that wait by spinning take the core from whom they wait for as soon as anything
    # else runs: the same step took 330 ms with two spinning threads and 52 ms with two sleeping.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def choose_device(device: str) -> str:
    """The torch device for a wish: "auto" takes the accelerator there is."""
    import torch

    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
