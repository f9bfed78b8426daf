"""What every tool owes, run over the registry: it ends, one entry at most, and it can be undone."""

from pathlib import Path

import numpy as np
import pytest

from core import params
from core.brushes.round import Round
from core.catalog import Tool, params_of, tools
from core.paint.flatten import flatten
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


@pytest.mark.parametrize("kind", KINDS)
def test_it_declares_what_it_is_to_the_canvas(kind: type[Tool]) -> None:
    for declared in (kind.uses_brush, kind.erases, kind.paints_region, kind.moves_view):
        assert isinstance(declared, bool)
    assert not (kind.moves_view and (kind.uses_brush or kind.erases or kind.paints_region))
    assert 0 < kind.position < 100, "the toolbox begins with the tools that come with Sfumato"


@pytest.mark.parametrize("kind", KINDS)
def test_the_region_that_is_declared_is_what_it_paints(kind: type[Tool]) -> None:
    made = document(_painted())
    strokes: list[str] = []
    drag(context(made, kind.id, stroked=strokes.append), kind.id, *PLACES)
    assert bool(strokes) == kind.paints_region


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_that_moves_the_view_leaves_the_document_alone(kind: type[Tool]) -> None:
    made = document(_painted())
    moves: list[float] = []
    drag(context(made, kind.id, panned=lambda x, y: moves.append(x)), kind.id, *PLACES)
    assert bool(moves) == kind.moves_view
    assert not (kind.moves_view and made.history.done)


@pytest.mark.parametrize("kind", KINDS)
def test_the_brush_matters_to_the_tools_that_use_it(kind: type[Tool]) -> None:
    pictures = []
    for size in (8, 60):
        made = document(_painted())
        brush = Round(Round.Params(size=size))
        drag(context(made, kind.id, brush=brush, colour=(200, 30, 60, 255)), kind.id, *PLACES)
        pictures.append(flatten(made.root, made.bounds))
    assert np.array_equal(pictures[0], pictures[1]) != kind.uses_brush


def test_the_other_end_of_a_pen_takes_one_tool() -> None:
    assert [kind.id for kind in KINDS if kind.erases] == ["eraser"]


def test_no_two_tools_share_a_place() -> None:
    assert len({kind.position for kind in KINDS}) == len(KINDS)


def test_no_two_tools_share_a_shortcut() -> None:
    shortcuts = [kind.shortcut for kind in KINDS]
    assert len(set(shortcuts)) == len(shortcuts)
