"""Alt with a brush or the eraser picks a colour and paints nothing."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.paint.layers import AiLayer, Layer
from core.paint.tiles import Tiles
from tests.core.tools.driving import context, document, drag

if TYPE_CHECKING:
    from core.paint.pointer import Colour


@pytest.mark.parametrize("tool", ["brush", "eraser"])
def test_alt_picks_the_foreground_and_leaves_the_picture(tool: str) -> None:
    filled = Layer("l", tiles=Tiles.of(np.full((300, 200, 4), (10, 20, 30, 255), np.uint8)))
    made = document(filled)
    before = made.state
    picked: list[tuple[Colour, bool]] = []
    given = context(made, tool, pick=lambda *found: picked.append(found))
    drag(given, tool, (50, 50), (90, 90), alt=True)
    assert set(picked) == {((10, 20, 30, 255), False)}
    assert made.state is before


def test_alt_picks_where_nothing_could_be_painted() -> None:
    filled = Layer("l", tiles=Tiles.of(np.full((300, 200, 4), (10, 20, 30, 255), np.uint8)))
    made = document(filled, AiLayer("AI"))
    picked: list[Colour] = []
    given = context(made, "brush", pick=lambda colour, _: picked.append(colour))
    drag(given, "brush", (50, 50), alt=True)
    assert picked
