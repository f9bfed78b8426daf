"""The registry of benches; each measures one part of the program and returns figures."""

import platform
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import psutil

from core.engine.device import thread_count
from core.errors import EditorError
from core.params import from_json
from core.registry import Registry, load_all


class Bench(Protocol):
    """One measurement. A bench with a Params dataclass is built with one."""

    id: ClassVar[str]
    label: ClassVar[str]

    def run(self, quick: bool) -> dict[str, Any]:
        """Measure, with fewer repetitions when ``quick``; return figures, JSON values by name."""
        ...


benches: Registry[type[Bench]] = Registry("bench", Bench)


def run_bench(
    name: str, quick: bool = False, values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Run a bench by id; ``values`` are parameters by name.

    Raises EditorError when there is no bench of that name, or it has no such parameter.
    """
    import core.bench

    load_all(core.bench)
    bench = benches[name]
    before = describe_machine()
    return {"bench": name, "machine": before, **_build_bench(bench, values or {}).run(quick)}


def _build_bench(kind: Any, values: Mapping[str, Any]) -> Bench:
    if hasattr(kind, "Params"):
        with_params: Bench = kind(from_json(kind.Params, values))
        return with_params
    if values:
        raise EditorError(f"The bench {kind.id} has no parameters to set.")
    plain: Bench = kind()
    return plain


def describe_machine() -> dict[str, Any]:
    """Describe what figures depend on; a load above 0 means that something else ran too."""
    return {
        "cores": psutil.cpu_count(logical=False) or 1,
        "worker_threads": thread_count(),
        "load": round(psutil.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
