"""Groups that pass through look on the canvas as they do in core.paint.flatten."""

from dataclasses import replace

import pytest

from core.paint.blend_modes import PASS_THROUGH
from core.paint.layers import Group, Mask, walk
from editor.canvas.layer_cache import LayerCache
from tests.core.paint.test_flatten import tree
from tests.editor.canvas.test_layer_cache import WHOLE, is_close, make_document


def _passing(node: Group) -> Group:
    """The tree with all its groups passing through."""
    children = tuple(
        replace(_passing(child), blend=PASS_THROUGH, opacity=1.0, mask=None)
        if isinstance(child, Group)
        else child
        for child in node.children
    )
    return replace(node, children=children)


@pytest.mark.parametrize("blend", ["normal", "multiply", "difference"])
def test_any_active_layer_gives_the_same_picture(blend: str) -> None:
    made = make_document(*_passing(tree()).children)
    assert any(node.blend == PASS_THROUGH for node in walk(made.root))
    cache = LayerCache(made)
    for node in list(walk(made.root)):
        if not isinstance(node, Group):
            made.replace("Blend", replace(made.find(node.id), blend=blend))
        made.activate(node.id)
        assert is_close(made, cache.flatten(WHOLE)), node.name


@pytest.mark.parametrize("change", [{"opacity": 0.4}, {"mask": Mask()}, {"visible": False}])
def test_what_isolates_or_hides_a_group_shows(change: dict[str, object]) -> None:
    made = make_document(*_passing(tree()).children)
    cache = LayerCache(made)
    for node in list(walk(made.root)):
        made.activate(node.id)
        cache.flatten(WHOLE)
        if isinstance(node, Group):
            made.replace("Change", replace(node, **change))  # type: ignore[arg-type]
            assert is_close(made, cache.flatten(WHOLE)), node.name
