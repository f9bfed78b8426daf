"""AI layers in a document: exact outside, in any order, stale only where something met them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core import catalog
from core.ai import layer as ai
from core.ai.crop import Geometry
from core.ai.footprint import below, footprint
from core.diffusion.model import Model
from core.errors import EditorError, TechniqueError
from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer
from core.paint.tiles import Pixels, Tiles
from tests.core.ai.conftest import ai_layer, document, hidden, picture, run, stale
from tests.core.inverting import network

LEFT, RIGHT = Rect(30, 40, 60, 60), Rect(220, 140, 50, 70)
GEOMETRY = Geometry(128, 16)


def _seen(made: Document) -> Pixels:
    return flatten(made.root, made.bounds)


def _painted(made: Document, rect: Rect, value: int = 0) -> None:
    """Paint on the picture at the bottom."""
    with made.paint(made.root.children[0].id, "Paint") as painting:
        painting.write(rect, np.full((rect.height, rect.width, 4), (value, 0, 0, 255), np.uint8))


def _names(made: Document) -> list[str]:
    return [layer.name for layer in stale(made)]


def test_hidden_ai_layers_leave_the_untouched_picture(model: Model) -> None:
    made = document()
    before = _seen(made)
    layer = ai_layer(LEFT, strength=1.0)
    made.insert("AI", layer)
    run(made, layer, model)
    assert not np.array_equal(_seen(made), before)
    hidden(made, layer)
    assert np.array_equal(_seen(made), before)


@pytest.mark.parametrize(
    "technique", ["sdedit", "text-to-image", "blended-inpaint", "layered-brush"]
)
def test_outside_the_composite_mask_every_pixel_is_exact(technique: str, model: Model) -> None:
    made = document()
    before = _seen(made)
    layer = ai_layer(LEFT)
    params: dict[str, Any] = {"prompt": "red", "steps": 6}
    layer = replace(layer, recipe=replace(layer.recipe, technique=technique, params=params))
    made.insert("AI", layer)
    done = run(made, layer, model)
    alpha = done.tiles.read(made.bounds)[..., 3]
    after = _seen(made)
    assert np.array_equal(after[alpha == 0], before[alpha == 0])
    assert (alpha[LEFT.slices] == 255).all()
    assert not np.array_equal(after[LEFT.slices], before[LEFT.slices])
    assert (alpha == 0).mean() > 0.7


EVERY = [kind for kind in catalog.techniques if not kind.shows_map]


@pytest.mark.parametrize("technique", EVERY, ids=lambda kind: kind.id)
def test_a_confined_edit_changes_no_pixel_outside_its_region(technique: Any) -> None:
    """Every technique, on a network of random weights that wants to change everything."""
    found, made = network(), document(160, 128)
    found.cache.clear()
    before, inside = _seen(made), Rect(48, 40, 50, 44)
    layer = ai_layer(inside)
    values: dict[str, Any] = {"prompt": "red", "steps": 5}
    recipe = replace(layer.recipe, technique=technique.id, params=values, confined=True)
    layer = replace(layer, recipe=recipe)
    made.insert("AI", layer)
    run(made, layer, found)
    changed = (_seen(made) != before).any(axis=2)
    outside = np.ones(changed.shape, np.bool_)
    outside[inside.slices] = False
    assert not changed[outside].any()


def test_disjoint_layers_give_the_same_picture_in_either_order(model: Model) -> None:
    pictures = []
    for order in ((LEFT, RIGHT), (RIGHT, LEFT)):
        made = document()
        for rect in order:
            layer = ai_layer(rect, seed=rect.x, strength=0.8)
            made.insert("AI", layer)
            run(made, layer, model)
        pictures.append(_seen(made))
    assert np.array_equal(pictures[0], pictures[1])


def test_reordering_disjoint_layers_makes_nothing_stale(model: Model) -> None:
    made = document()
    layers = [ai_layer(LEFT, name="left"), ai_layer(RIGHT, name="right")]
    for layer in layers:
        made.insert("AI", layer)
        run(made, layer, model)
    assert _names(made) == []
    root = replace(made.root, children=(made.root.children[0], *made.root.children[:0:-1]))
    made.change("Order", root)
    assert _names(made) == []


def test_the_same_recipe_twice_is_bit_exact(model: Model) -> None:
    made = document()
    layer = ai_layer(LEFT)
    made.insert("AI", layer)
    first = run(made, layer, model).tiles.read(made.bounds)
    model.cache.clear()
    assert np.array_equal(run(made, layer, model).tiles.read(made.bounds), first)


def test_only_a_change_that_meets_the_layer_makes_it_stale(model: Model) -> None:
    made = document()
    layer = ai_layer(LEFT)
    made.insert("AI", layer)
    assert _names(made) == ["Edit"]
    run(made, layer, model)
    assert _names(made) == []
    _painted(made, RIGHT)
    assert _names(made) == []
    _painted(made, Rect(80, 90, 20, 20))
    assert _names(made) == ["Edit"]
    made.undo()
    assert _names(made) == []


def test_a_change_between_two_painted_spots_makes_nothing_stale(model: Model) -> None:
    """It lies inside the layer's rectangle, but where the layer never changes anything."""
    made = document()
    layer = ai_layer(Rect(20, 20, 20, 20), Rect(260, 200, 20, 20))
    made.insert("AI", layer)
    run(made, layer, model)
    _painted(made, Rect(150, 110, 10, 10))
    assert _names(made) == []


def test_painting_the_region_more_softly_makes_the_layer_stale(model: Model) -> None:
    made = document()
    layer = ai_layer(LEFT)
    made.insert("AI", layer)
    run(made, layer, model)
    with made.paint(layer.id, "Region", plane="region") as painting:
        painting.write(Rect(50, 60, 10, 10), np.full((10, 10, 1), 200, np.uint8))
    assert _names(made) == ["Edit"]


def test_what_makes_a_layer_stale_in_itself(model: Model) -> None:
    made = document()
    layer = ai_layer(LEFT)
    made.insert("AI", layer)
    done = run(made, layer, model)
    changes: list[AiLayer] = [
        replace(done, recipe=replace(done.recipe, seed=9)),
        replace(done, recipe=done.recipe.with_params(strength=0.9)),
        replace(done, recipe=done.recipe.with_params(prompt="blue")),
        replace(done, region=ai_layer(RIGHT).region),
        replace(done, position=Point(7, 0)),
    ]
    for changed in changes:
        made.replace("Change", changed)
        assert _names(made) == ["Edit"]
        made.undo()
    for changed in (replace(done, opacity=0.4), replace(done, name="Edit 2")):
        made.replace("Change", changed)
        assert _names(made) == []
        made.undo()
    made.replace("Freeze", replace(done, recipe=replace(done.recipe, seed=9), baked=True))
    assert _names(made) == []


def test_overlapping_layers_above_recompute_in_order_and_no_others(model: Model) -> None:
    made = document()
    low = ai_layer(LEFT, name="low")
    high = ai_layer(Rect(70, 70, 60, 60), name="high", seed=2)
    apart = ai_layer(RIGHT, name="apart", seed=3)
    for layer in (low, high, apart):
        made.insert("AI", layer)
        run(made, layer, model)
    assert _names(made) == []
    found = made.find(low.id)
    assert isinstance(found, AiLayer)
    made.replace("Seed", replace(found, recipe=replace(found.recipe, seed=77)))
    assert _names(made) == ["low"]
    ran = []
    for layer in stale(made):
        run(made, layer, model)
        ran.append(layer.name)
    assert ran == ["low", "high"]
    hidden(made, low)
    assert _names(made) == ["high"]
    hidden(made, low, visible=True)
    assert _names(made) == []


def test_layers_meet_by_pixels_not_by_rectangles(model: Model) -> None:
    """Two bars along a diagonal have overlapping bounds and no pixel in common."""
    made = document(400, 400)
    stairs = [Rect(20 * i, 20 * i, 20, 20) for i in range(16)]
    low = ai_layer(*stairs, name="low", strength=0.1)
    high = ai_layer(Rect(10, 330, 30, 30), name="high")
    for layer in (low, high):
        made.insert("AI", layer)
        run(made, layer, model)
    tree = below(made, footprint(made, high))
    assert [child.visible for child in tree.children] == [True, False]


def test_the_input_is_what_lies_below_inside_groups_too(model: Model) -> None:
    made = document()
    red = Tiles.of(np.full((256, 320, 4), (200, 0, 0, 255), np.uint8))
    layer = ai_layer(LEFT)
    blue = Tiles.of(np.full((256, 320, 4), (0, 0, 200, 255), np.uint8))
    group = Group("G", children=(Layer("red", tiles=red), layer, Layer("blue", tiles=blue)))
    made.insert("Group", group)
    layer_task = ai.make_layer_task(made, layer, GEOMETRY)
    assert (layer_task.crop == (200, 0, 0)).all()


def test_transparent_canvas_is_shown_to_the_model_as_white_paper() -> None:
    made = Document(Size(200, 200))
    layer = ai_layer(Rect(50, 50, 40, 40))
    made.insert("AI", layer)
    assert (ai.make_layer_task(made, layer, GEOMETRY).crop == 255).all()


def test_the_context_box_overrides_the_crop_but_holds_the_mask() -> None:
    made = document(600, 500)
    layer = ai_layer(Rect(100, 100, 40, 40))
    layer = replace(layer, recipe=replace(layer.recipe, context=Rect(120, 90, 300, 200)))
    made.insert("AI", layer)
    rect = ai.make_layer_task(made, layer, GEOMETRY).rect
    assert (rect & Rect(120, 90, 300, 200)) == Rect(120, 90, 300, 200)
    assert (rect & Rect(96, 96, 48, 48)) == Rect(96, 96, 48, 48)
    assert rect.area < 400 * 300


@pytest.mark.parametrize("technique", ["sdedit", "layered-brush"])
def test_cost_follows_the_brush_and_not_the_canvas(technique: str, model: Model) -> None:
    sizes, calls = [], []
    for side in (512, 4096):
        made = Document(Size(side, side))
        tiles = Tiles.of(picture(Size(512, 512)))
        made.insert("Picture", Layer("Picture", tiles=tiles))
        layer = ai_layer(Rect(60, 80, 256, 256))
        layer = replace(layer, recipe=replace(layer.recipe, technique=technique))
        made.insert("AI", layer)
        layer_task = ai.make_layer_task(made, layer, Geometry(model.native, model.multiple))
        task = ai.make_task(layer_task, Geometry(model.native, model.multiple), model.factor)
        before = model.calls
        run(made, layer, model)
        sizes.append((layer_task.rect.size, task.image.shape))
        calls.append(model.calls - before)
        model.cache.clear()
    assert sizes[0] == sizes[1]
    assert calls[0] == calls[1]


def test_a_huge_canvas_costs_no_plane(model: Model) -> None:
    import tracemalloc

    made = Document(Size(16384, 16384))
    layer = ai_layer(Rect(9000, 12000, 100, 80))
    made.insert("AI", layer)
    tracemalloc.start()
    run(made, layer, model)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_the_smallest_canvas_works(model: Model) -> None:
    made = Document(Size(1, 1))
    made.insert("Picture", Layer("Picture", tiles=Tiles.of(picture(Size(1, 1)))))
    layer = ai_layer(Rect(0, 0, 1, 1))
    made.insert("AI", layer)
    assert run(made, layer, model).tiles.read(made.bounds)[0, 0, 3] == 255


@pytest.mark.parametrize("size", [(317, 211), (3, 700), (700, 3), (127, 129)])
def test_odd_sizes_work(size: tuple[int, int], model: Model) -> None:
    made = document(*size)
    layer = ai_layer(Rect(0, 0, size[0] // 2 + 1, size[1] // 2 + 1))
    made.insert("AI", layer)
    alpha = run(made, layer, model).tiles.read(made.bounds)[..., 3]
    assert (alpha[: size[1] // 2 + 1, : size[0] // 2 + 1] == 255).all()


def test_a_weak_edit_that_changes_nothing_shows_the_picture_itself(model: Model) -> None:
    made = document()
    before = _seen(made)
    layer = ai_layer(LEFT, strength=0.0)
    made.insert("AI", layer)
    run(made, layer, model)
    after = _seen(made)
    assert np.array_equal(after[LEFT.slices], before[LEFT.slices])
    assert np.abs(after.astype(int) - before).max() <= 1


def test_an_empty_region_is_refused_in_one_sentence() -> None:
    made = document()
    layer = ai_layer()
    made.insert("AI", layer)
    with pytest.raises(TechniqueError, match="Nothing is painted on Edit"):
        ai.make_layer_task(made, layer, GEOMETRY)
    assert _names(made) == []


def test_a_region_off_the_canvas_is_refused_in_one_sentence() -> None:
    made = document()
    layer = replace(ai_layer(LEFT), position=Point(5000, 0))
    made.insert("AI", layer)
    with pytest.raises(TechniqueError, match="lies off the canvas"):
        ai.make_layer_task(made, layer, GEOMETRY)


def test_a_region_too_large_to_send_is_refused_in_one_sentence() -> None:
    made = Document(Size(16384, 16384))
    layer = ai_layer(Rect(0, 0, 10, 10), Rect(16000, 16000, 10, 10))
    made.insert("AI", layer)
    with pytest.raises(TechniqueError, match="paint a smaller one"):
        ai.make_layer_task(made, layer, GEOMETRY)


def test_a_layer_that_left_the_document_is_refused() -> None:
    made = document()
    with pytest.raises(EditorError, match="no longer in the document"):
        ai.make_layer_task(made, ai_layer(LEFT), GEOMETRY)


def test_a_layer_deleted_while_it_ran_takes_no_result(model: Model) -> None:
    made = document()
    layer = ai_layer(LEFT)
    made.insert("AI", layer)
    layer_task = ai.make_layer_task(made, layer, GEOMETRY)
    made.undo()
    with pytest.raises(EditorError, match="no longer"):
        ai.with_result(made, layer_task, np.zeros((1, 1, 4), np.uint8), "")


def test_a_result_for_an_older_input_leaves_the_layer_stale(model: Model) -> None:
    made = document()
    layer = ai_layer(LEFT)
    made.insert("AI", layer)
    layer_task = ai.make_layer_task(made, layer, GEOMETRY)
    _painted(made, LEFT, 90)
    pixels = np.zeros((layer_task.rect.height, layer_task.rect.width, 4), np.uint8)
    made.replace("AI", ai.with_result(made, layer_task, pixels, ""))
    assert _names(made) == ["Edit"]


def _strokes(made: Document, low: int, low_rect: Rect) -> AiLayer:
    layer = ai_layer(LEFT, strength=1.0)
    faint = layer.region.fork()
    values = faint.read(low_rect)
    faint.write(low_rect, np.maximum(values, low))
    layer = replace(layer, region=faint.prune())
    made.insert("AI", layer)
    return layer


@pytest.mark.parametrize(("low", "counts"), [(1, False), (5, False), (8, False), (9, True)])
def test_only_paint_that_is_not_faint_counts_for_the_crop(low: int, counts: bool) -> None:
    made = document(800, 600)
    layer = _strokes(made, low, Rect(700, 500, 50, 50))
    assert footprint(made, layer).bounds == (LEFT | Rect(700, 500, 50, 50) if counts else LEFT)


def test_faint_paint_alone_is_an_edit_of_its_weight(model: Model) -> None:
    made = document()
    before = _seen(made)
    layer = replace(ai_layer(strength=1.0), region=Tiles.of(np.full((60, 60, 1), 5, np.uint8)))
    made.insert("AI", layer)
    assert footprint(made, layer).bounds == Rect(0, 0, 60, 60)
    run(made, layer, model)
    change = np.abs(_seen(made).astype(int) - before)
    assert 1 <= change[:60, :60].max() <= 6
    assert not change[60:, 60:].any()


def test_faint_paint_outside_the_area_changes_nothing(model: Model) -> None:
    made = document(320, 256)
    before = _seen(made)
    layer = _strokes(made, 8, Rect(0, 0, 320, 256))
    area = footprint(made, layer).area
    run(made, layer, model)
    outside = np.ones(before.shape[:2], bool)
    outside[area.slices] = False
    assert np.array_equal(_seen(made)[outside], before[outside])


def _cut_out(made: Document) -> Pixels:
    """Make the left half of the picture transparent; returns the alpha of the whole picture."""
    picture = made.root.children[0]
    with made.paint(picture.id, "Cut") as painting:
        rect = Rect(0, 0, made.size.width // 2, made.size.height)
        painting.write(rect, np.zeros((rect.height, rect.width, 4), np.uint8))
    return _seen(made)[..., 3]


@pytest.mark.parametrize("technique", ["sdedit", "blended-inpaint", "layered-brush"])
def test_an_edit_of_the_whole_picture_keeps_its_alpha(technique: str, model: Model) -> None:
    made = document()
    alpha = _cut_out(made)
    layer = ai_layer(made.bounds)
    params: dict[str, Any] = {"prompt": "red", "steps": 4}
    made.insert(
        "AI", replace(layer, recipe=replace(layer.recipe, technique=technique, params=params))
    )
    before = _seen(made)
    run(made, layer, model)
    assert np.array_equal(_seen(made)[..., 3], alpha)
    assert not np.array_equal(_seen(made), before)


@pytest.mark.parametrize(
    ("technique", "fills"), [("sdedit", False), ("blended-inpaint", True), ("text-to-image", True)]
)
def test_a_stroke_fills_what_is_transparent_only_with_something_new(
    technique: str, fills: bool, model: Model
) -> None:
    made = document()
    _cut_out(made)
    layer = ai_layer(Rect(130, 100, 60, 60))
    params: dict[str, Any] = {"prompt": "red", "steps": 4}
    made.insert(
        "AI", replace(layer, recipe=replace(layer.recipe, technique=technique, params=params))
    )
    run(made, layer, model)
    assert (_seen(made)[130, 140, 3] == 255) == fills


def test_an_edit_of_nothing_but_transparency_shows(model: Model) -> None:
    made = Document(Size(200, 200))
    layer = ai_layer(Rect(50, 50, 60, 60))
    made.insert("AI", layer)
    run(made, layer, model)
    assert _seen(made)[80, 80, 3] == 255
