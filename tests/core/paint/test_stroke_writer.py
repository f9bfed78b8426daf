"""Strokes against closed forms: coverage, opacity, selections, locks, masks and the way back."""

import numpy as np
import pytest

from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.layers import AiLayer, Layer, Mask
from core.paint.selection import Selection
from core.paint.tiles import Pixels, Tiles

FULL = np.full((20, 20), 255, np.uint8)
RED = (200, 30, 60, 255)


def document(layer: Layer | None = None) -> tuple[Document, str]:
    made = Document(Size(600, 600))
    layer = layer or Layer("ink")
    made.insert("Add", layer)
    return made, layer.id


def pixels(made: Document, layer_id: str, rect: Rect) -> Pixels:
    node = made.find(layer_id)
    assert isinstance(node, Layer)
    return node.tiles.read(rect.translate(-node.position.x, -node.position.y))


@pytest.mark.parametrize("flow", [0.01, 0.1, 0.5, 1.0])
def test_dabs_add_up_as_transmittance_multiplies(flow: float) -> None:
    made, layer = document()
    with made.paint(layer, "Stroke") as painting:
        for _ in range(30):
            painting.blend(FULL, 0, 0, RED, flow=flow)
    covered = 255 * (1 - (1 - flow) ** 30)
    assert abs(int(pixels(made, layer, Rect(3, 3, 1, 1))[0, 0, 3]) - covered) <= 1


def test_the_faintest_flow_reaches_full_cover_in_the_end() -> None:
    made, layer = document()
    with made.paint(layer, "Stroke") as painting:
        for _ in range(900):
            painting.blend(FULL, 0, 0, RED, flow=0.01)
    assert pixels(made, layer, Rect(3, 3, 1, 1))[0, 0].tolist() == list(RED)


def test_a_stroke_never_passes_its_opacity_and_two_strokes_do() -> None:
    made, layer = document()
    for expected in (0.4, 1 - 0.6 * 0.6):
        with made.paint(layer, "Stroke") as painting:
            for x in range(0, 12, 3):
                painting.blend(FULL, x, 0, RED, opacity=0.4)
        alpha = pixels(made, layer, Rect(0, 0, 32, 20))[..., 3]
        assert abs(int(alpha.max()) - 255 * expected) <= 1


def test_a_colour_is_written_premultiplied_across_tile_borders() -> None:
    made, layer = document()
    with made.paint(layer, "Stroke") as painting:
        painting.blend(FULL, 250, 250, (200, 100, 50, 128))
    stored = pixels(made, layer, Rect(240, 240, 40, 40))
    assert stored[12, 12].tolist() == [100, 50, 25, 128]
    assert (stored[..., 3] > 0).sum() == 400
    assert (stored[10:30, 10:30] == stored[12, 12]).all()


def test_erasing_takes_away_its_share_of_every_channel() -> None:
    ground = np.full((600, 600, 4), 200, np.uint8)
    made, layer = document(Layer("ink", tiles=Tiles.of(ground)))
    with made.paint(layer, "Erase") as painting:
        painting.blend(FULL, 10, 10, opacity=0.25, erase=True)
    assert pixels(made, layer, Rect(15, 15, 1, 1))[0, 0].tolist() == [150] * 4
    assert pixels(made, layer, Rect(40, 40, 1, 1))[0, 0].tolist() == [200] * 4


def test_with_locked_alpha_colour_changes_and_alpha_does_not() -> None:
    ground = np.zeros((256, 256, 4), np.uint8)
    ground[..., 3] = np.arange(256)
    ground[..., 1] = ground[..., 3] // 2
    made, layer = document(Layer("ink", tiles=Tiles.of(ground), lock_alpha=True))
    strength = np.ascontiguousarray(
        np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 256))
    )
    whole = Rect(0, 0, 256, 256)
    with made.paint(layer, "Stroke") as painting:
        painting.blend(strength, 0, 0, (255, 200, 0, 255))
    after = pixels(made, layer, whole)
    assert np.array_equal(after[..., 3], ground[..., 3])
    share, alpha = np.arange(256)[:, None, None] / 255, np.arange(256)[None, :, None]
    expected = ground[..., :3] * (1 - share) + alpha * share * np.array([1, 200 / 255, 0])
    assert np.abs(after[..., :3] - expected).max() <= 1.5
    with made.paint(layer, "Erase") as painting:
        painting.blend(strength, 0, 0, erase=True)
    assert np.array_equal(pixels(made, layer, whole), after)


def test_a_soft_selection_caps_a_stroke_however_often_it_passes() -> None:
    made, layer = document()
    alpha = np.full((10, 10), 100, np.uint8)
    made.select(Selection(Rect(5, 5, 10, 10), alpha))
    with made.paint(layer, "Stroke") as painting:
        for _ in range(50):
            painting.blend(FULL, 0, 0, RED)
    painted = pixels(made, layer, Rect(0, 0, 30, 30))[..., 3]
    assert painted[5:15, 5:15].tolist() == alpha.tolist()
    painted[5:15, 5:15] = 0
    assert not painted.any()


def test_painting_on_a_moved_layer_is_where_the_pen_is() -> None:
    made, layer = document(Layer("ink", position=Point(-300, 77)))
    with made.paint(layer, "Stroke") as painting:
        painting.blend(FULL, 100, 50, RED)
        assert painting.dirty == Rect(100, 50, 20, 20)
    assert (pixels(made, layer, Rect(100, 50, 20, 20)) == RED).all()
    assert not pixels(made, layer, Rect(99, 50, 1, 20)).any()


def test_what_falls_off_the_canvas_is_cut_off() -> None:
    made, layer = document()
    with made.paint(layer, "Stroke") as painting:
        painting.blend(FULL, -10, 590, RED)
        painting.blend(FULL, 700, 700, RED)
        assert painting.dirty == Rect(0, 590, 10, 10)
    assert pixels(made, layer, Rect(-10, 580, 30, 40))[..., 3].astype(bool).sum() == 100


@pytest.mark.parametrize(("erase", "expected"), [(False, 255), (True, 0)])
def test_regions_and_masks_are_painted_as_values(erase: bool, expected: int) -> None:
    made, layer = document(AiLayer("ai", mask=Mask()))
    for plane in ("region", "mask"):
        with made.paint(layer, "Region", plane) as painting:
            painting.blend(FULL, 250, 250, erase=erase)
            assert (painting.read(Rect(250, 250, 20, 20)) == expected).all()
            outside = painting.read(Rect(0, 0, 5, 5))
            assert (outside == (0 if plane == "region" else 255)).all()


def test_a_selection_limits_regions_like_pixels() -> None:
    made, layer = document(AiLayer("ai"))
    made.select(Selection(Rect(100, 100, 4, 4)))
    with made.paint(layer, "Region", "region") as painting:
        painting.blend(FULL, 100, 100)
        values = painting.read(Rect(100, 100, 20, 20))[..., 0]
        assert (values[:4, :4] == 255).all()
        assert values.astype(bool).sum() == 16


def _fail(made: Document, layer: str) -> None:
    with made.paint(layer, "Stroke") as painting:
        painting.blend(FULL, 0, 0, RED)
        raise KeyError("stop")


def test_an_exception_puts_the_very_same_tiles_back() -> None:
    made, layer = document(Layer("ink", tiles=Tiles.of(np.full((600, 600, 4), 9, np.uint8))))
    before = made.state
    received: list[Rect] = []
    made.changed.connect(received.append)
    with pytest.raises(KeyError, match="stop"):
        _fail(made, layer)
    assert made.state is before
    assert received[-1] == Rect(0, 0, 20, 20)
    assert not made.is_editing


def test_only_touched_tiles_are_copied() -> None:
    ground = Tiles.of(np.full((600, 600, 4), 9, np.uint8))
    made, layer = document(Layer("ink", tiles=ground))
    with made.paint(layer, "Stroke") as painting:
        painting.blend(FULL, 0, 0, RED)
    node = made.find(layer)
    assert isinstance(node, Layer)
    assert node.tiles.differs_from(ground) == [(0, 0)]
    made.undo()
    undone = made.find(layer)
    assert isinstance(undone, Layer)
    assert undone.tiles is ground


def test_erasing_everything_leaves_no_tiles() -> None:
    made, layer = document(Layer("ink", tiles=Tiles.of(np.full((20, 20, 4), 255, np.uint8))))
    with made.paint(layer, "Erase") as painting:
        painting.blend(FULL, 0, 0, erase=True)
    node = made.find(layer)
    assert isinstance(node, Layer)
    assert len(node.tiles) == 0


def test_a_dab_without_flow_is_no_change() -> None:
    made, layer = document()
    entries = len(made.history.done)
    with made.paint(layer, "Stroke") as painting:
        painting.blend(FULL, 0, 0, RED, flow=0.0)
    assert len(made.history.done) == entries
