"""A model's whole noise schedule: where a level lies on it, and the levels around it."""

from bisect import bisect_left
from itertools import pairwise

from core.diffusion.model import Level, Levels, Model

SCHEDULE_STEPS = 1000
"""Levels of the whole schedule; the networks we know were trained on as many."""


def full_schedule(model: Model) -> Levels:
    """The model's levels at their finest, from noisiest to cleanest, no two alike."""
    levels: Levels = model.cache.get(
        ("schedule", model.identity), lambda: drop_coinciding_levels(model.levels(SCHEDULE_STEPS))
    )
    return levels


def drop_coinciding_levels(levels: Levels) -> Levels:
    """The levels without those that are as noisy as the one before.

    A schedule may end twice at its cleanest time, which its own sampler does not notice: the step
    between leads nowhere. Second-order rules would divide by its length.
    """
    kept = list(levels[:1])
    kept += [there for here, there in pairwise(levels) if there[:2] != here[:2]]
    return tuple(kept)


def nearest_index(levels: Levels, level: Level) -> int:
    """Which of the levels is nearest, as an index, by the share of signal."""
    after = bisect_left(levels, _cleanness(level), hi=len(levels) - 1, key=_cleanness)
    around = [index for index in (after - 1, after) if 0 <= index < len(levels)]
    return min(around, key=lambda index: abs(_cleanness(levels[index]) - _cleanness(level)))


def _cleanness(level: Level) -> float:
    """From 0 at pure noise to 1 without noise, whatever signal and noise add up to."""
    return level.signal / (level.signal + level.noise)


def levels_from(model: Model, level: Level, steps: int) -> Levels:
    """A walk from a level to the clean end, its steps spread evenly over the schedule.

    Fewer steps come back where the schedule has fewer levels left.
    """
    fine = full_schedule(model)
    first, last = nearest_index(fine, level), len(fine) - 1
    taken = max(1, min(steps, last - first))
    inner = (fine[first + round(n * (last - first) / taken)] for n in range(1, taken + 1))
    return (level, *inner)
