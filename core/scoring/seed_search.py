"""The search for better seeds of one task: which to try next, and how their results compare."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.ai.recipe_values import strength_of
from core.catalog import techniques, verifiers
from core.scoring.score import describe_gain

if TYPE_CHECKING:
    from core.task import Recipe

MAX_SEEDS = 8
"""Seeds tried for one task; then the search waits until something changes."""
SEED_LIMIT = 2**31


@dataclass(frozen=True)
class SeedScore:
    """A verifier's score; only scores with the same unseeded key can be compared.

    ``unseeded_key`` identifies the verifier and the task without its seed.
    """

    unseeded_key: str
    verifier: str
    score: float


class SeedStanding(NamedTuple):
    """How one result compares with the shown one, and whether it is the best of all."""

    text: str
    is_best: bool


@dataclass
class SeedSearch:
    """The scores by seed of one task, which ``unseeded_key`` identifies without its seed."""

    unseeded_key: str
    scores: dict[int, float] = field(default_factory=dict)
    is_over: bool = False

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds to try; the same key gives the same seeds, so a stopped search can go on."""
        return tuple(_draw_seed(f"{self.unseeded_key} {n}") for n in range(MAX_SEEDS))

    def next(self, shown: int) -> int | None:
        """Choose the seed to try now: first the shown one, to compare with; None at the end."""
        if self.is_over:
            return None
        return next((seed for seed in (shown, *self.seeds) if seed not in self.scores), None)

    def progress(self, seed: int) -> str:
        """Describe for the person which seed is being tried."""
        number = self.seeds.index(seed) + 1 if seed in self.seeds else 0
        return (
            f"Looking for better seeds {number} of {MAX_SEEDS}" if number else "Judging this seed"
        )


def is_worth_it(recipe: "Recipe") -> bool:
    """Whether another seed gives another picture, which could be a better one."""
    if recipe.technique not in techniques or strength_of(recipe) <= 0:
        return False
    kind = techniques[recipe.technique]
    return kind.is_seeded and not kind.shows_map


def standings(judged: Mapping[str, SeedScore], shown: str) -> dict[str, SeedStanding]:
    """Compare results, by key, with the shown one; empty when that one has no score."""
    own = judged.get(shown)
    if own is None or own.verifier not in verifiers:
        return {}
    group = {key: one for key, one in judged.items() if one.unseeded_key == own.unseeded_key}
    best = max(group, key=lambda key: group[key].score)
    if len(group) == 1:
        return {}
    return {key: SeedStanding(_compare_scores(one, own), key == best) for key, one in group.items()}


def _compare_scores(one: SeedScore, own: SeedScore) -> str:
    return "" if one is own else describe_gain(own.verifier, one.score, own.score)


def _draw_seed(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % SEED_LIMIT
