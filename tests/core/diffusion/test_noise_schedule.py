"""The whole schedule: levels are found again, and walks from a level end clean."""

from core.diffusion.noise_schedule import full_schedule, levels_from, nearest_index
from core.models.opening import open_model
from tests.core.inverting import network


def test_every_level_of_a_walk_is_found_on_the_schedule() -> None:
    model = network()
    fine = full_schedule(model)
    for level in model.levels(7):
        assert abs(fine[nearest_index(fine, level)].noise - level.noise) < 1e-6
    assert [nearest_index(fine, level) for level in fine[:5]] == [0, 1, 2, 3, 4]
    assert nearest_index(fine, fine[-1]) == len(fine) - 1


def test_a_walk_onwards_starts_at_its_level_and_ends_clean() -> None:
    for model in (network(), open_model("toy")):
        level = model.levels(5)[2]
        walk = levels_from(model, level, 6)
        assert walk[0] == level
        assert walk[-1] == full_schedule(model)[-1]
        assert len(walk) == 7
        noises = [other.noise for other in walk]
        assert noises == sorted(noises, reverse=True)


def test_a_walk_of_one_step_goes_straight_to_the_end() -> None:
    model = network()
    level = model.levels(5)[1]
    assert levels_from(model, level, 1) == (level, full_schedule(model)[-1])
    assert levels_from(model, full_schedule(model)[-2], 9) == full_schedule(model)[-2:]
