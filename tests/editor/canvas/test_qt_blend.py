"""Drawing with Qt gives the pixels of core.paint.flatten."""

import numpy as np
import pytest

from core.geometry import Rect
from core.paint.blend_modes import MODES as ALL
from core.paint.flatten import flatten
from core.paint.layers import Layer
from editor.canvas.qt_blend import MODES, BlendTarget
from tests.core.paint.test_blend_modes import every_pixel, reference
from tests.core.paint.test_flatten import tree

WHOLE = Rect(0, 0, 300, 280)


@pytest.mark.parametrize("mode", ALL)
def test_every_mode_is_within_one_of_the_formula(mode: str) -> None:
    source, backdrop = every_pixel()
    target = BlendTarget(Rect(0, 0, source.shape[1], source.shape[0]))
    target.pixels[:] = backdrop
    node = Layer("l", blend=mode)
    target.blend(node, target.rect, source, target.rect)
    assert np.abs(target.pixels - reference(source, backdrop, mode)).max() <= 1.0


def test_most_modes_are_drawn_by_qt() -> None:
    assert set(ALL) - set(MODES) == {"colour-dodge", "soft-light", "exclusion"}


def test_a_tree_with_every_property_is_drawn_like_the_reference() -> None:
    target = BlendTarget(WHOLE)
    for node in tree().children:
        target.draw(node)
    assert np.abs(target.pixels.astype(int) - flatten(tree(), WHOLE)).max() <= 3


def test_drawing_inside_a_part_leaves_the_rest() -> None:
    part = Rect(40, 30, 100, 90)
    target, whole = BlendTarget(WHOLE), BlendTarget(WHOLE)
    for node in tree().children:
        target.draw(node, part)
        whole.draw(node)
    assert np.array_equal(target.pixels[part.slices], whole.pixels[part.slices])
    target.pixels[part.slices] = 0
    assert not target.pixels.any()
