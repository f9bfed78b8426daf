"""The README's technique really is a technique, and the paths it names exist."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.task import Recipe, Task

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    catalog.load("techniques")
    monkeypatch.setattr(catalog.techniques, "_items", dict(catalog.techniques._items))
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert code is not None
    space: dict[str, Any] = {"__name__": "plugin_restyle"}
    exec(compile(code[1], "README.md", "exec"), space)
    return space["Restyle"]  # type: ignore[no-any-return]


def test_the_example_edits_a_picture(example: type[Any]) -> None:
    from core.models.opening import open_model

    model = open_model("toy", "cpu")
    side = model.native
    image = np.full((side, side, 3), 0.4, np.float32)
    recipe = Recipe("restyle", {"prompt": "snow"}, model="toy", seed=3)
    task = Task(recipe, example.Params(prompt="snow"), image, np.ones((side, side), np.float32))

    first = _result(example().run(task, model))
    again = _result(example().run(task, model))
    other = _result(example().run(replace(task, recipe=replace(recipe, seed=4)), model))

    assert first.shape == image.shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def _result(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_every_path_in_the_tree_exists() -> None:
    tree = re.search(r"## The tree\n\n```\n(.*?)```", TEXT, re.DOTALL)
    assert tree is not None
    tops = re.findall(r"^(\S+)", tree[1], re.MULTILINE)
    assert [top for top in tops if not (ROOT / top).exists()] == []
    inner = re.findall(r"(?:^  |\s)([a-z_]+/)(?=\s)", tree[1], re.MULTILINE)
    missing = [
        name
        for name in inner
        if not (any((ROOT / top / name).exists() for top in ("core", "editor", "tests", "")))
    ]
    assert missing == []


def test_the_screenshot_is_there() -> None:
    names = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    assert names
    assert all((ROOT / name).stat().st_size > 10_000 for name in names)
