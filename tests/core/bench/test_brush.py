"""The brush bench measures real strokes: on the toy model and small canvases, but to the end."""

import asyncio

import pytest

from core.bench import brush
from core.geometry import Size


def test_a_whole_bench_on_the_toy_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brush, "LARGE", Size(1024, 1024))
    found = asyncio.run(brush._measure_all("toy", 2))
    assert found["calls"]["next_stroke"] == found["calls"]["bar"] == 9
    assert found["calls"]["first_stroke"] == 11
    assert all(found["exact"].values()), found["exact"]
    for name in ("to_first_preview_ms", "to_final_ms", "cancel_to_idle_ms", "one_step_ms"):
        assert 0 < found[name]["median"] <= found[name]["p95"]
    assert found["to_first_preview_ms"]["median"] < found["to_final_ms"]["median"]
    assert found["ratio_4096_to_512"]["value"] > 0
