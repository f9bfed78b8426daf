"""What methods cost: single network forwards for n steps, as their papers have it, to 10 %."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core import catalog
from core.catalog import params_of
from core.params import SourcePrompt, values_by_name
from tests.core.inverting import inverted, network, result, source, task

catalog.load("inverters", "techniques")
STEPS, GUIDANCE = 21, 7.5
N = STEPS - 1
"""The level of pure noise is not walked."""

Cost = Callable[[int], float]

INVERSIONS: dict[str, Cost] = {
    "ddim": lambda n: n,
    "direct": lambda n: n,
    "negative-prompt": lambda n: n,
    "proximal": lambda n: n,
    "eta": lambda n: n,
    "edict": lambda n: 4 * n,
    "bdia": lambda n: 2 * n,
    "belm": lambda n: 2 * n,
    "edit-friendly": lambda n: 2 * n,
    "rf-solver": lambda n: 2 * n,
    "fireflow": lambda n: n + 1,
}
"""Guided where the method guides its way up: a pair of forwards counts two."""

EDITS: dict[str, Cost] = {
    "prompt-to-prompt": lambda n: n + 4 * n,
    "masactrl": lambda n: n + 4 * n,
    "plug-and-play": lambda n: n + 3 * n,
    "self-guidance": lambda n: n + 4 * n,
    "rf-edit + rf-solver": lambda n: 2 * n + 4 * n,
    "rf-edit + fireflow": lambda n: n + 1 + 2 * (n + 1),
    "rival": lambda n: n + 3 * n,
    "flowchef": lambda n: 2 * n,
    "pix2pix-zero": lambda n: n + 2 * n + (2 + 2) * n,
    "guide-and-rescale": lambda n: n + 4 * n,
    "superdiff": lambda n: 3 * n,
    "turboedit": lambda n: 3 * n,
    "infedit": lambda n: 6 * n,
    "dds": lambda n: 4 * (n + 1),
}


@pytest.fixture
def forwards() -> Iterator[list[int]]:
    """Rows of every network evaluation so far."""
    rows: list[int] = []
    hook = network().unet.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    yield rows
    hook.remove()


@pytest.mark.parametrize("name", INVERSIONS)
def test_an_inversion_costs_what_its_paper_says(name: str, forwards: list[int]) -> None:
    model = network()
    x0 = model.encode(task(catalog.techniques["prompt-to-prompt"]).image)
    inverted(catalog.inverters[name], source(model, x0, STEPS, GUIDANCE))
    assert sum(forwards) == pytest.approx(INVERSIONS[name](N), rel=0.1)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_costs_what_its_paper_says(name: str, forwards: list[int]) -> None:
    edit, _, solver = name.partition(" + ")
    model, technique = network(), catalog.techniques[edit]
    model.cache.clear()
    values: dict[str, Any] = {"prompt": "a sunflower", "steps": STEPS, "strength": 1.0}
    values |= {"solver": solver} if solver else {}
    values |= values_by_name(params_of(technique), {SourcePrompt: "a red apple"})
    result(technique, model, task(technique, **values))
    assert sum(forwards) == pytest.approx(EDITS[name](N), rel=0.1)
