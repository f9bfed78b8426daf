"""From a task to the pixels of a layer, on the toy model and on a random Storybook."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core import catalog
from core.ai import layer as ai
from core.ai.crop import Geometry
from core.ai.render_layer import render_layer
from core.diffusion.model import Image, Model, Step
from core.errors import EditorError, TechniqueError
from core.geometry import Rect
from core.models.storybook import Storybook
from core.paint.tiles import Pixels
from core.storybook.random_model import build_random
from core.task import Task
from tests.core.ai.conftest import ai_layer, document

RECT = Rect(60, 60, 50, 40)


def _make_task(model: Model, technique: str = "sdedit", **params: Any) -> ai.LayerTask:
    made = document()
    layer = ai_layer(RECT)
    recipe = replace(layer.recipe, technique=technique, params={"steps": 4, **params})
    layer = replace(layer, recipe=recipe)
    made.insert("AI", layer)
    return ai.make_layer_task(made, layer, Geometry(model.native, model.multiple))


def _finished(task: ai.LayerTask, model: Model) -> tuple[list[Step], Pixels]:
    run, steps = render_layer(task, model), []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as end:
            return steps, end.value


@pytest.mark.parametrize(
    "technique", ["sdedit", "text-to-image", "blended-inpaint", "layered-brush"]
)
def test_an_inpainting_network_runs_every_technique(technique: str, tmp_path: Path) -> None:
    model = Storybook(build_random(tmp_path))
    task = _make_task(model, technique, prompt="a red apple")
    steps, pixels = _finished(task, model)
    assert pixels.shape == (task.rect.height, task.rect.width, 4)
    assert [step.n for step in steps] == list(range(1, len(steps) + 1))
    inside = RECT.translate(-task.rect.x, -task.rect.y).slices
    assert (pixels[inside][..., 3] == 255).all()
    assert (pixels[..., :3] <= pixels[..., 3:]).all()
    assert not pixels[pixels[..., 3] == 0].any()


def test_a_partial_edit_costs_one_round_trip_for_each_crop(model: Model) -> None:
    counted = _Counting(model)
    _finished(_make_task(model, strength=0.3), counted)
    first = counted.decoded
    _finished(_make_task(model, strength=0.3, prompt="sea"), counted)
    assert (first, counted.decoded) == (2, 3)


def test_a_full_edit_needs_no_round_trip(model: Model) -> None:
    counted = _Counting(model)
    _finished(_make_task(model, strength=1.0), counted)
    assert counted.decoded == 1


def test_a_technique_the_model_cannot_run_is_refused(model: Model) -> None:
    @catalog.techniques.register
    class Needy:
        """Needs something (arXiv 0000.00000)."""

        id: ClassVar[str] = "needy"
        label: ClassVar[str] = "Needy"
        paper: ClassVar[catalog.Paper | None] = None
        needs: ClassVar[frozenset[str]] = frozenset({"attention"})
        needs_mask: ClassVar[bool] = False
        is_seeded: ClassVar[bool] = True
        shows_map: ClassVar[bool] = False

        @dataclass(frozen=True)
        class Params:
            steps: int = 3

        def run(self, task: Task[Any], model: Model) -> Generator[Step, None, Image]:
            raise AssertionError("must not be reached")
            yield

    try:
        with pytest.raises(TechniqueError, match="needs a model with attention"):
            _finished(_make_task(model, "needy"), model)
    finally:
        catalog.techniques._items.pop("needy")


def test_parameters_out_of_range_are_refused_in_one_sentence(model: Model) -> None:
    for odd, text in ((3.0, "between 0 and 1"), ("much", "must be a float")):
        with pytest.raises(EditorError, match=text):
            _finished(_make_task(model, strength=odd), model)


class _Counting:
    """The model, counting decodes."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.decoded = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def decode(self, z: Any) -> Any:
        self.decoded += 1
        return self._model.decode(z)
