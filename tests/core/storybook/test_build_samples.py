"""The layered samples show the same as the flat ones."""

import numpy as np
import pytest

from core.paint.flatten import flatten
from core.storybook.build_samples import SCENES, build_document
from core.storybook.render import render


@pytest.mark.parametrize("name", SCENES)
def test_layers_flatten_to_the_drawn_scene(name: str) -> None:
    layered = build_document(name, 192)
    flat = flatten(layered.root, layered.bounds)
    drawn = render(SCENES[name], 192).image
    assert np.abs(flat[..., :3].astype(int) - drawn.astype(int)).max() <= 3
    assert len(layered.root.children) == 1 + len(SCENES[name].items)
