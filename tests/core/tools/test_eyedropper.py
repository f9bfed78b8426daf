"""The eyedropper: which colour it picks, and where there is none."""

from typing import TYPE_CHECKING

import numpy as np

from core.paint.layers import Layer
from core.paint.tiles import Tiles
from tests.core.tools.driving import context, document, drag

if TYPE_CHECKING:
    from core.paint.pointer import Colour


def _filled(colour: tuple[int, int, int, int], opacity: float = 1.0) -> Layer:
    return Layer("l", tiles=Tiles.of(np.full((300, 200, 4), colour, np.uint8)), opacity=opacity)


def test_the_eyedropper_gives_the_straight_colour_of_the_composite() -> None:
    made = document(_filled((10, 20, 30, 255)), _filled((100, 0, 0, 100), opacity=0.5))
    picked: list[tuple[Colour, bool]] = []
    given = context(made, "eyedropper", pick=lambda *found: picked.append(found))
    drag(given, "eyedropper", (50, 50))
    drag(given, "eyedropper", (50, 50), alt=True)
    assert {colour for colour, _ in picked} == {(58, 16, 24, 255)}
    assert picked[0][1] is False
    assert picked[-1][1] is True


def test_a_thin_colour_is_picked_undiluted() -> None:
    made = document(_filled((50, 25, 5, 50)))
    picked: list[Colour] = []
    given = context(made, "eyedropper", pick=lambda colour, _: picked.append(colour))
    drag(given, "eyedropper", (50, 50))
    assert picked[-1] == (255, 128, 26, 255)


def test_nothing_is_picked_off_the_canvas_or_from_nothing() -> None:
    made = document(_filled((10, 20, 30, 255)))
    picked: list[Colour] = []
    given = context(made, "eyedropper", pick=lambda colour, _: picked.append(colour))
    drag(given, "eyedropper", (-5, 50))
    drag(given, "eyedropper", (390, 290))
    assert not picked
