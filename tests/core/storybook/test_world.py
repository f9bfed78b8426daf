"""The drawn world: same scene, same pixels; an edit changes what it names and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from core.storybook.atlas import RESOURCES, STYLES, catalogue, names, sprite
from core.storybook.backgrounds import PLACES, draw_place
from core.storybook.render import render
from core.storybook.sample import World, random_scene
from core.storybook.scene import Item, Scene

SCENE = Scene(
    (Item("red apple", 0.27, 0.6, 0.4), Item("cat face", 0.73, 0.6, 0.4)), "meadow", seed=3
)


def changed(one: Scene, other: Scene) -> np.ndarray:
    different: np.ndarray = np.any(render(one).image != render(other).image, axis=-1)
    return different


def test_same_scene_same_pixels() -> None:
    first, second = render(SCENE), render(SCENE)
    assert np.array_equal(first.image, second.image)
    assert first.image.shape == (128, 128, 3)
    assert first.image.dtype == np.uint8


def test_same_seed_same_scene() -> None:
    assert random_scene(5, World.large()) == random_scene(5, World.large())
    assert len({random_scene(seed, World.large()) for seed in range(20)}) == 20


def test_layers_flatten_to_the_picture() -> None:
    drawn = render(SCENE)
    flat = drawn.layers[0][..., :3].astype(float)
    for layer in drawn.layers[1:]:
        alpha = layer[..., 3:] / 255
        flat = flat * (1 - alpha) + layer[..., :3] * alpha
    assert np.abs(flat - drawn.image).max() <= 2


def test_masks_agree_with_what_is_drawn() -> None:
    drawn = render(SCENE)
    assert len(drawn.masks) == len(drawn.footprints) == 2
    for mask, footprint in zip(drawn.masks, drawn.footprints, strict=True):
        assert mask.max() == 255
        assert np.all(footprint[mask == 255] == 255)
        assert (footprint > 0).sum() > (mask > 0).sum()


def test_a_thing_in_front_hides_the_one_behind() -> None:
    stacked = Scene((Item("red apple", 0.5, 0.5, 0.5), Item("star", 0.5, 0.5, 0.9)))
    behind, front = render(stacked).masks
    assert behind.sum() < 0.3 * render(stacked.remove(1)).masks[0].sum()
    assert front.max() == 255


@pytest.mark.parametrize(
    "edited",
    [
        SCENE.replace_thing(1, "dog face"),
        SCENE.remove(1),
        SCENE.recolour(1, "blue"),
        SCENE.resize(1, 0.3),
        SCENE.move(1, 0.75, 0.62),
    ],
)
def test_an_edit_of_one_thing_leaves_the_rest_alone(edited: Scene) -> None:
    where = changed(SCENE, edited)
    touched = render(SCENE).footprints[1] > 0
    if len(edited.items) > 1:
        touched |= render(edited).footprints[1] > 0
    assert where.sum() > 200
    assert not where[~touched].any()


def test_changing_the_place_keeps_the_things() -> None:
    solid = np.max([mask == 255 for mask in render(SCENE).masks], axis=0)
    where = changed(SCENE, SCENE.change_place("night"))
    assert not where[solid].any()
    assert where[render(SCENE).footprints[0] + render(SCENE).footprints[1] == 0].all()


def test_another_light_moves_only_shadows() -> None:
    solid = np.max([mask == 255 for mask in render(SCENE).masks], axis=0)
    where = changed(SCENE, replace(SCENE, light="right"))
    assert where.any()
    assert not where[solid].any()


def test_restyling_keeps_the_place_and_the_layout() -> None:
    restyled = render(SCENE.restyle("flat"))
    for before, after in zip(render(SCENE).masks, restyled.masks, strict=True):
        overlap = np.minimum(before, after).sum() / np.maximum(before, after).sum()
        assert overlap > 0.7


def test_an_edit_undone_is_the_scene_itself() -> None:
    assert SCENE.replace_thing(1, "star").replace_thing(1, "cat face") == SCENE
    assert SCENE.add(Item("star")).remove(2) == SCENE


def test_prompt_names_things_place_style_and_colour() -> None:
    assert SCENE.prompt() == "a red apple and a cat face in a meadow, clay"
    assert "a blue cat face" in SCENE.recolour(1, "blue").prompt()
    assert SCENE.prompt(("orange", "hat"), with_style=False) == "an orange and a hat in a meadow"
    assert Scene((), "beach").prompt() == "nothing on a beach"
    mixed = replace(SCENE, items=(SCENE.items[0], replace(SCENE.items[1], style="ink")))
    assert mixed.prompt().endswith("in a meadow")


def test_larger_drawings_show_the_same() -> None:
    small = render(SCENE, 64).image.astype(float)
    large = render(SCENE, 256).image.astype(float)
    shrunk = large.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(shrunk - small).mean() < 6


def test_things_may_leave_the_picture() -> None:
    for x, y in ((0, 0), (1, 1), (-2, 0.5), (0.5, 3)):
        drawn = render(Scene((Item("star", x, y, 0.6),)))
        assert drawn.image.shape == (128, 128, 3)
    assert render(Scene((Item("star", -2, 0.5, 0.6),))).masks[0].sum() == 0


@pytest.mark.parametrize("place", PLACES)
def test_every_place_draws(place: str) -> None:
    first = draw_place(place, 48, 1)
    assert first.shape == (48, 48, 3)
    assert np.array_equal(first, draw_place(place, 48, 1))


def test_every_thing_is_drawn_in_every_style() -> None:
    for name in names()[::9]:
        for style in STYLES:
            alpha = np.asarray(sprite(name, style, 32))[..., 3]
            assert (alpha > 128).mean() > 0.05, (name, style)


def test_the_small_vocabulary_is_part_of_the_large_one() -> None:
    assert set(names("small")) < set(names("large"))
    assert 20 <= len(names("small")) <= 40


def test_trained_and_held_out_names_do_not_meet() -> None:
    trained = {name for thing in catalogue().values() for name in thing.names}
    held_out = {name for thing in catalogue().values() for name in thing.held_out}
    assert not trained & held_out


def test_the_sprites_carry_their_licences() -> None:
    credits = (RESOURCES / "CREDITS.md").read_text()
    for style in STYLES:
        assert f"`{style}.zip`" in credits
    assert "MIT" in (RESOURCES / "LICENSE-fluent-emoji.txt").read_text()
    assert "Apache License" in (RESOURCES / "LICENSE-noto-emoji.txt").read_text()
