"""The AI brush: whose region it paints, as how many entries, and when the live loop is notified."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import EditorError
from core.geometry import Point, Rect
from core.paint.layers import AiLayer, Layer
from core.paint.selection import Selection
from core.paint.tiles import Tiles
from core.task import Recipe
from core.tools.ai_brush import AiBrushTool
from tests.core.tools.driving import context, document, drag

LINE = [(100.0, 100.0), (150.0, 100.0), (200.0, 100.0)]


def _regions(made: Any) -> list[AiLayer]:
    return [node for node in made.root.children if isinstance(node, AiLayer)]


def _value(layer: AiLayer, x: int, y: int) -> int:
    return int(layer.region.read(Rect(x, y, 1, 1))[0, 0, 0])


def test_a_stroke_makes_a_layer_above_the_active_one_in_one_entry() -> None:
    made = document(Layer("below"), Layer("above"))
    made.activate(made.root.children[0].id)
    recipe = Recipe("layered-brush", {"prompt": "a red boat"}, seed=7)
    drag(context(made, "ai-brush", recipe=recipe), "ai-brush", *LINE)
    names = [node.name for node in made.root.children]
    assert names == ["below", "a red boat", "above"]
    (layer,) = _regions(made)
    assert made.active is layer
    assert layer.recipe is recipe
    assert _value(layer, 150, 100) == 255
    assert _value(layer, 150, 160) == 0
    assert [edit.label for edit in made.history.done] == ["AI brush"]


def _run(made: Any) -> AiLayer:
    """Give the only AI layer a result."""
    (layer,) = _regions(made)
    made.replace("Result", replace(layer, rendered="key"))
    (layer,) = _regions(made)
    return layer


def test_a_stroke_elsewhere_makes_another_layer_once_there_is_an_answer() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    _run(made)
    drag(context(made, "ai-brush"), "ai-brush", (330.0, 250.0))
    assert len(_regions(made)) == 2


def test_strokes_before_the_answer_extend_the_layer_wherever_they_lie() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    drag(context(made, "ai-brush"), "ai-brush", (330.0, 250.0))
    layer = _run(made)
    assert _value(layer, 330, 250) == 255
    pending = context(made, "ai-brush", is_pending=lambda name: name == layer.id)
    drag(pending, "ai-brush", (30.0, 250.0))
    (layer,) = _regions(made)
    assert _value(layer, 30, 250) == _value(layer, 150, 100) == 255
    assert [edit.label for edit in made.history.done][-1] == "Extend AI layer"


@pytest.mark.parametrize("line", [LINE[::-1], [(390.0, 290.0), (200.0, 100.0), (390.0, 20.0)]])
def test_a_stroke_that_touches_the_region_extends_it_even_late(line: Any) -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    layer, entries = _run(made), len(made.history.done)
    line = [*line, (250.0, 280.0)]
    drag(context(made, "ai-brush"), "ai-brush", *line)
    (extended,) = _regions(made)
    assert extended.id == layer.id == made.state.active
    assert _value(extended, 250, 280) == _value(extended, 150, 100) == 255
    assert len(made.history.done) == entries + 1
    made.undo()
    assert not _regions(made)[0].region.differs_from(layer.region)


def test_a_moved_layer_is_extended_in_its_own_place() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    made.replace("Move", replace(_run(made), position=Point(40, 100)))
    drag(context(made, "ai-brush"), "ai-brush", (30.0, 20.0), (190.0, 200.0))
    (layer,) = _regions(made)
    assert _value(layer, 30 - 40, 20 - 100) == _value(layer, 150, 100) == 255


def test_new_words_the_switch_and_a_region_over_everything_make_a_new_layer() -> None:
    for changes in (
        {"has_new_words": True},
        {"params": AiBrushTool.Params(mode="new")},
    ):
        made = document()
        drag(context(made, "ai-brush"), "ai-brush", *LINE)
        _run(made)
        drag(context(made, "ai-brush", **changes), "ai-brush", *LINE)
        assert len(_regions(made)) == 2
    everything = Tiles.of(np.full((300, 400, 1), 255, np.uint8), 0, 0)
    made = document(AiLayer("whole", region=everything, rendered="key"))
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    assert len(_regions(made)) == 2


def test_a_stroke_that_adds_nothing_says_so_and_is_no_entry() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    _run(made)
    entries = len(made.history.done)
    small = AiBrushTool.Params(size=20)
    with pytest.raises(EditorError, match="covers that already"):
        drag(context(made, "ai-brush", params=small), "ai-brush", (150.0, 100.0))
    assert len(made.history.done) == entries


def test_taking_everything_away_removes_the_layer_in_the_same_entry() -> None:
    said: list[str] = []
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    wide = AiBrushTool.Params(size=300, hardness=100)
    given = context(made, "ai-brush", params=wide, told=said.append)
    drag(given, "ai-brush", *LINE, alt=True)
    assert not _regions(made)
    assert made.active is not None
    assert "the layer was removed" in said[0]
    assert made.undo() == "Take away from AI layer"
    assert len(_regions(made)) == 1


def test_shift_adds_to_the_region_and_alt_takes_away() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE)
    drag(context(made, "ai-brush"), "ai-brush", (300.0, 250.0), shift=True)
    (layer,) = _regions(made)
    assert _value(layer, 300, 250) == _value(layer, 150, 100) == 255
    drag(context(made, "ai-brush"), "ai-brush", (150.0, 100.0), alt=True)
    (layer,) = _regions(made)
    assert _value(layer, 150, 100) == 0
    assert _value(layer, 300, 250) == 255


def test_shift_without_an_ai_layer_starts_one_and_alt_asks_for_one() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE, shift=True)
    assert len(_regions(made)) == 1
    made = document()
    with pytest.raises(EditorError, match="Choose an AI layer first"):
        drag(context(made, "ai-brush"), "ai-brush", *LINE, alt=True)
    assert not made.history.done


@pytest.mark.parametrize("layer", [AiLayer("boat", baked=True), AiLayer("boat", visible=False)])
def test_a_frozen_or_hidden_layer_keeps_its_region(layer: AiLayer) -> None:
    made = document(layer)
    with pytest.raises(EditorError, match="boat is frozen or hidden"):
        drag(context(made, "ai-brush"), "ai-brush", *LINE, shift=True)


def test_a_stroke_outside_the_selection_says_so_and_leaves_no_layer() -> None:
    made = document()
    made.select(Selection(Rect(20, 250, 5, 5)))
    with pytest.raises(EditorError, match="outside the selection"):
        drag(context(made, "ai-brush"), "ai-brush", *LINE)
    assert _regions(made) == []


def test_a_stroke_off_the_canvas_leaves_no_layer() -> None:
    made = document()
    with pytest.raises(EditorError, match="off the canvas"):
        drag(context(made, "ai-brush"), "ai-brush", (-200.0, 100.0), (-180.0, 150.0))
    assert not _regions(made)
    assert not made.history.done


def test_the_live_loop_is_notified_at_pauses_and_after_the_release() -> None:
    made = document()
    received: list[tuple[str, bool]] = []
    given = context(
        made, "ai-brush", stroked=lambda layer: received.append((layer, made.is_editing))
    )
    drag(given, "ai-brush", *[(100.0 + 10 * n, 100.0) for n in range(8)])
    (layer,) = _regions(made)
    assert {name for name, _ in received} == {layer.id}
    assert [is_editing for _, is_editing in received] == [True, True, False]


def test_a_cancelled_stroke_notifies_nobody_and_takes_its_layer_along() -> None:
    made = document()
    received: list[str] = []
    gesture = drag(
        context(made, "ai-brush", stroked=received.append), "ai-brush", *LINE, finish=False
    )
    assert len(_regions(made)) == 1
    gesture.close()
    assert not _regions(made)
    assert not received


def test_pressure_does_not_thin_a_region() -> None:
    made = document()
    drag(context(made, "ai-brush"), "ai-brush", *LINE, pressure=0.2)
    (layer,) = _regions(made)
    assert _value(layer, 150, 130) == 255
