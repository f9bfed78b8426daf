"""The largest canvas that is promised, there and back; slow, and takes gigabytes."""

from pathlib import Path

import numpy as np
import pytest

from core.formats.opening import open_document, save_document
from core.geometry import Rect, Size
from core.paint.document import Document
from core.paint.layers import Group, Layer
from core.paint.tiles import Tiles

SIDE = 16384


@pytest.mark.slow
def test_16384_pixels_a_side_survive(tmp_path: Path) -> None:
    ground = Layer("Ground", tiles=Tiles.flat(Rect(0, 0, SIDE, SIDE), (200, 210, 220, 255)))
    made = Document(Size(SIDE, SIDE), Group("Root", children=(ground,)))
    with made.paint(ground.id, "Dot") as painting:
        painting.write(Rect(16000, 16100, 3, 2), np.full((2, 3, 4), (9, 0, 0, 255), np.uint8))
    save_document(made, tmp_path / "huge.ora")
    back = open_document(tmp_path / "huge.ora")
    assert back.size == (SIDE, SIDE)
    (found,) = [node for node in back.root.children if isinstance(node, Layer)]
    spot = Rect(15999, 16099, 5, 4)
    assert isinstance(made.root.children[0], Layer)
    assert np.array_equal(found.tiles.read(spot), made.root.children[0].tiles.read(spot))
