"""Benches are found by id."""

from typing import Any, ClassVar

import pytest

from core.bench.registry import benches, describe_machine, run_bench
from core.errors import EditorError


def test_an_unknown_bench_names_the_known_ones() -> None:
    with pytest.raises(EditorError, match=r"no bench called 'speed'; there are: .*brush.*canvas"):
        run_bench("speed")


def test_a_bench_brings_its_figures_and_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        """Measures nothing."""

        id: ClassVar[str] = "nothing"
        label: ClassVar[str] = "Nothing"

        def run(self, quick: bool) -> dict[str, Any]:
            return {"was_quick": quick}

    monkeypatch.setattr(benches, "_items", dict(benches._items))
    benches.register(Nothing)
    found = run_bench("nothing", quick=True)
    assert found == {"bench": "nothing", "machine": found["machine"], "was_quick": True}
    assert found["machine"].keys() == describe_machine().keys()
