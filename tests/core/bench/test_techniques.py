"""The technique bench on the toy model: figures are there, errors are rows, pictures are drawn."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.ai.guide import Method
from core.bench import techniques
from core.bench.registry import run_bench
from core.bench.techniques import list_methods
from core.errors import EditorError
from core.storybook import judge as judging
from core.storybook.judge import JudgeConfig, build_judge
from core.storybook.sample import World
from tests.core.bench.test_pie import folder


@pytest.fixture(autouse=True)
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge with random weights: what is tested is the bench."""
    world = World.small()

    def load() -> tuple[Any, dict[str, float]]:
        return build_judge(
            JudgeConfig(world.things, world.places, world.styles, width=16)
        ).eval(), {}

    monkeypatch.setattr(judging, "load_judge", load)


def test_every_editor_and_every_inverter_takes_part() -> None:
    names = {method.name for method in list_methods()}
    assert {"sdedit", "prompt-to-prompt + direct", "prompt-to-prompt + edict"} <= names
    assert not any("map" in name or "text-to-image" in name for name in names)
    assert len(names) == len(list_methods())


def test_rows_have_every_figure_and_come_sorted(tmp_path: Path) -> None:
    values = {
        "edits": 6,
        "steps": 3,
        "model": "toy",
        "methods": "sdedit,blended-inpaint,prompt-to-prompt",
        "out": str(tmp_path),
    }
    found = run_bench("techniques", values=values)
    rows = found["methods"]
    good = [row for row in rows if "error" not in row]
    assert [row["method"] for row in rows if "error" in row] == [
        method.name for method in list_methods() if method.technique == "prompt-to-prompt"
    ]
    assert {row["method"] for row in good} == {"sdedit", "blended-inpaint"}
    assert good[0]["true_psnr"] >= good[1]["true_psnr"]
    for row in good:
        assert row["calls"] > 0
        assert 0 <= row["recognised"] <= 1
        assert 5 < row["outside_psnr"] <= 99
        assert set(row["true_psnr_of"]) == set(found["kinds"])
    assert found["unchanged"]["outside_psnr"] == 99
    assert found["unchanged"]["true_psnr"] < 30
    kept = {row["method"]: row["outside_psnr"] for row in good}
    assert kept["blended-inpaint"] > kept["sdedit"] + 5, "the region that it was given is kept to"
    for name in ("techniques.png", "gallery.png"):
        with Image.open(tmp_path / name) as drawn:
            assert drawn.width > 500


def test_pie_bench_is_measured_as_its_evaluator_does(tmp_path: Path) -> None:
    values = {
        "pie": str(folder(tmp_path)),
        "steps": 2,
        "model": "toy",
        "methods": "sdedit,blended-inpaint,masactrl",
    }
    rows = {row["method"]: row for row in run_bench("techniques", values=values)["methods"]}
    assert rows["masactrl + direct"]["error"] == "needs self-attention"
    kept = {name: row["background_psnr"] for name, row in rows.items() if "error" not in row}
    assert kept["blended-inpaint"] > kept["sdedit"]
    assert 0 < rows["sdedit"]["background_ssim"] < 1
    assert rows["sdedit"]["calls"] > 0


def test_the_guide_picks_the_nearest_to_the_truth_that_shows_what_was_asked() -> None:
    def row(name: str, recognised: float, truth: float, kept: float = 30) -> dict[str, Any]:
        return {
            "method": name,
            "outside_psnr": kept,
            "recognised_of": {"object": recognised, "move": recognised},
            "true_psnr_of": {"object": truth, "move": truth},
        }

    rows = [row("lazy", 0.5, 30), row("bold", 1.0, 10), row("fine", 0.95, 20)]
    rows.append(row("elsewhere", 1.0, 40, kept=12))
    assert techniques.choose_methods(
        [*rows, {"method": "x", "error": "no"}], ["object", "move"]
    ) == {
        "object": "fine",
        "move": "lazy",
    }
    assert techniques.choose_methods([{"method": "x", "error": "no"}], ["object"]) == {}


def test_a_wrong_parameter_is_named() -> None:
    with pytest.raises(EditorError, match="Unknown parameter 'count'"):
        run_bench("techniques", values={"count": 3})
    with pytest.raises(EditorError, match="brush has no parameters"):
        run_bench("brush", values={"count": 3})


def test_methods_are_named_after_both_parts() -> None:
    assert Method("a").name == "a"
    assert Method("a", "b").name == "a + b"
    assert techniques.COMPARED in {method.technique for method in list_methods()}


def test_several_processes_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    values = {"edits": 2, "steps": 2, "model": "toy", "methods": "sdedit,blended-inpaint"}
    found = [
        {
            row["method"]: row["true_psnr"]
            for row in run_bench("techniques", values=given)["methods"]
        }
        for given in (values, {**values, "workers": 2})
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 2
