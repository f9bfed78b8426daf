"""Benches by id: each measures one part of the program and returns plain figures."""

import platform
from typing import Any, ClassVar, Protocol

import psutil

from core.engine.device import thread_count
from core.registry import Registry, load_all


class Bench(Protocol):
    """Measures; ``quick`` asks for fewer repetitions. Figures are JSON values by name."""

    id: ClassVar[str]
    label: ClassVar[str]

    def run(self, quick: bool) -> dict[str, Any]: ...


benches: Registry[type[Bench]] = Registry("bench")


def measured(name: str, quick: bool = False) -> dict[str, Any]:
    """Run a bench by id. Raises EditorError when there is none of that name."""
    import core.bench

    load_all(core.bench)
    bench = benches[name]
    before = machine()
    return {"bench": name, "machine": before, **bench().run(quick)}


def machine() -> dict[str, Any]:
    """What figures depend on; a load above 0 means that something else ran too."""
    return {
        "cores": psutil.cpu_count(logical=False) or 1,
        "worker_threads": thread_count(),
        "load": round(psutil.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
