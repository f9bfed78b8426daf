"""The device that networks run on and their number of threads; one core stays free to paint."""

import os
from collections.abc import MutableMapping

import psutil

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_count(cores: int | None = None) -> int:
    """Return the worker's threads for a number of physical cores: all but one.

    On 2 cores with other work on them, one step of the shipped network took 48 ms with one
    thread and 57 ms with two.
    """
    cores = cores or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, cores - 1)


def limit_threads(environment: MutableMapping[str, str], threads: int = 0) -> None:
    """Set what numeric libraries read once, when they are imported.

    With 0 threads present values stay, and others become the program's own choice.
    """
    for name in THREAD_VARIABLES:
        if threads:
            environment[name] = str(threads)
        else:
            environment.setdefault(name, str(thread_count()))
    # Threads that spin while they wait keep the core from the threads that they wait for:
    # the same step took 330 ms with two spinning threads and 52 ms with two sleeping ones.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def choose_device(device: str) -> str:
    """Return the name of a torch device; "auto" chooses the accelerator if there is one."""
    import torch

    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
