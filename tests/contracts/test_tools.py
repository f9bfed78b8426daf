"""What every tool owes, run over the registry: it ends, one entry at most, and it can be undone."""

from pathlib import Path

import numpy as np
import pytest

from core import params
from core.catalog import Tool, params_of, tools
from core.paint.layers import Layer
from core.paint.tiles import Tiles
from tests.core.tools.driving import context, document, drag

KINDS = list(tools)
ICONS = Path(__file__).resolve().parents[2] / "resources" / "icons"
PLACES = [(50.0, 60.0), (90.5, 80.0), (130.0, 60.2)]


def _painted() -> Layer:
    return Layer("ink", tiles=Tiles.of(np.full((300, 400, 4), 255, np.uint8)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_gesture_ends_with_the_release_and_is_one_entry_at_most(kind: type[Tool]) -> None:
    made = document(_painted())
    gesture = drag(context(made, kind.id), kind.id, *PLACES)
    assert gesture is None or gesture.gi_frame is None, "it still waits after the release"
    assert not made.is_editing
    assert len(made.history.done) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_undo_puts_back_what_was_there(kind: type[Tool]) -> None:
    made = document(_painted())
    before = made.state
    drag(context(made, kind.id), kind.id, *PLACES)
    if made.history.done:
        made.undo()
    assert made.state.root is before.root
    assert made.selection is before.selection


@pytest.mark.parametrize("kind", KINDS)
def test_closing_a_gesture_early_leaves_no_trace(kind: type[Tool]) -> None:
    made = document(_painted())
    before = made.state
    gesture = drag(context(made, kind.id), kind.id, *PLACES, finish=False)
    gesture.close()
    assert made.state.root is before.root
    assert made.selection is before.selection
    assert not made.is_editing
    assert not made.history.done


@pytest.mark.parametrize("kind", KINDS)
def test_a_click_without_movement_is_a_gesture_too(kind: type[Tool]) -> None:
    made = document(_painted())
    drag(context(made, kind.id), kind.id, PLACES[0])
    assert not made.is_editing


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_an_icon_a_shortcut_and_parameters_that_survive_json(kind: type[Tool]) -> None:
    assert (ICONS / f"{kind.icon}.svg").is_file()
    assert len(kind.shortcut) == 1
    assert kind.__doc__
    default = params_of(kind)()
    assert params.from_json(params_of(kind), params.to_json(default)) == default


def test_no_two_tools_share_a_shortcut() -> None:
    shortcuts = [kind.shortcut for kind in KINDS]
    assert len(set(shortcuts)) == len(shortcuts)
