"""Better seeds for one question: which to try, when to rest, and how the tried ones stand."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.ai.recipe_values import strength_of
from core.catalog import is_look, techniques, verifiers
from core.scoring.score import describe_gain

if TYPE_CHECKING:
    from core.task import Recipe

MAX_SEEDS = 8
"""Seeds tried for one question; then the search rests until something changes."""
SEED_LIMIT = 2**31


@dataclass(frozen=True)
class SeedScore:
    """A verifier's score; only scores of the same question can be compared."""

    question: str
    verifier: str
    score: float


class SeedStanding(NamedTuple):
    """How one result stands among those judged with it."""

    text: str
    is_best: bool


@dataclass
class SeedSearch:
    """What is known about the seeds of one question, which is a request whatever its seed."""

    question: str
    scores: dict[int, float] = field(default_factory=dict)
    is_over: bool = False

    @property
    def seeds(self) -> tuple[int, ...]:
        """The same ones for the same question, so that a search goes on where it was stopped."""
        return tuple(_draw_seed(f"{self.question} {n}") for n in range(MAX_SEEDS))

    def next(self, shown: int) -> int | None:
        """The seed to try now: the one on the canvas first, to compare with; None to rest."""
        if self.is_over:
            return None
        return next((seed for seed in (shown, *self.seeds) if seed not in self.scores), None)

    def progress(self, seed: int) -> str:
        number = self.seeds.index(seed) + 1 if seed in self.seeds else 0
        return (
            f"Looking for better seeds {number} of {MAX_SEEDS}" if number else "Judging this seed"
        )


def is_worth_it(recipe: "Recipe") -> bool:
    """Whether another seed gives another picture that could be a better one."""
    if recipe.technique not in techniques or strength_of(recipe) <= 0:
        return False
    kind = techniques[recipe.technique]
    return kind.is_seeded and not is_look(kind)


def standings(judged: Mapping[str, SeedScore], shown: str) -> dict[str, SeedStanding]:
    """Results by key beside the one that is shown; empty when that one was not judged."""
    own = judged.get(shown)
    if own is None or own.verifier not in verifiers:
        return {}
    group = {key: one for key, one in judged.items() if one.question == own.question}
    best = max(group, key=lambda key: group[key].score)
    if len(group) == 1:
        return {}
    return {key: SeedStanding(_beside(one, own), key == best) for key, one in group.items()}


def _beside(one: SeedScore, own: SeedScore) -> str:
    return "" if one is own else describe_gain(own.verifier, one.score, own.score)


def _draw_seed(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % SEED_LIMIT
