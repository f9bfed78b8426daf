"""What every verifier owes, run over the registry on the toy model and a tiny random network."""

from typing import Any

import pytest
import torch

from core import catalog
from core.models.opening import open_model
from core.scoring.score import describe_gain
from core.techniques.good_seed import GoodSeed
from tests.contracts.test_techniques import CAPABILITIES
from tests.core.inverting import network, task
from tests.core.verifiers.judging import case

catalog.load("verifiers")
VERIFIERS = list(catalog.verifiers)
ROWS = 3

every = pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda kind: kind.id)


@pytest.fixture(params=["toy", "network"])
def judged(request: Any) -> Any:
    """A case and some latents to be judged in it."""
    model = open_model("toy") if request.param == "toy" else network()
    found = case(model, task(GoodSeed, prompt="red"))
    shape = (ROWS, *found.x0.shape[1:])
    return found, 0.7 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


@every
def test_says_what_it_is(verifier: Any) -> None:
    assert verifier.label
    assert verifier.__doc__
    assert verifier.claim[0].islower(), "it stands within a sentence"
    assert isinstance(verifier.needs_prompt, bool)


@every
def test_needs_are_capabilities_a_model_can_have(verifier: Any) -> None:
    assert verifier.needs <= CAPABILITIES


@every
def test_gives_a_finite_score_for_every_row(verifier: Any, judged: Any) -> None:
    found, pictures = judged
    scores = verifier().judge(found)(pictures)
    assert scores.shape == (ROWS,)
    assert scores.isfinite().all()


@every
def test_the_same_picture_has_the_same_score(verifier: Any, judged: Any) -> None:
    found, pictures = judged
    scores = [verifier().judge(found)(pictures) for _ in range(2)]
    assert torch.equal(*scores)
    (again,) = verifier().judge(found)(pictures[1:2])
    assert torch.allclose(again, scores[0][1], atol=1e-3), "whoever else is judged with it"


@every
def test_a_gain_goes_with_the_score(verifier: Any) -> None:
    assert verifier.gain(-2.0, -2.0) == 0
    assert verifier.gain(-1.0, -2.0) > 0 > verifier.gain(-3.0, -2.0)


@every
def test_a_score_can_be_put_into_words(verifier: Any) -> None:
    assert describe_gain(verifier.id, -1.0, -2.0).startswith(verifier.claim)
    assert describe_gain(verifier.id, -1.0, -2.0).endswith("% better")
    assert describe_gain(verifier.id, -3.0, -2.0).endswith("% worse")
    assert describe_gain(verifier.id, -2.0, -2.0) == f"{verifier.claim} just as well"
