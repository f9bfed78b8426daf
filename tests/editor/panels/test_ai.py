"""The AI dock: it shows the current recipe, changes it, and shows progress and failures."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from core.ai.recipe_values import prompt_of, strength_of
from core.errors import EditorError
from core.geometry import Rect
from core.paint.layers import AiLayer
from core.paint.selection import Selection
from editor.ai_session.job import Failure, Job
from editor.panels.ai_choices import missing_capabilities, technique_entries
from editor.panels.ai_known_things import known_things
from editor.panels.ai_progress import UNCHANGED
from tests.editor.panels.panel_desk import PanelDesk, process_events
from tests.editor.workshop import recipe

pytestmark = pytest.mark.gui


def test_an_empty_dock_shows_how_to_begin(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        assert "Paint with the AI brush (A)" in desk.panel.prompts.hint.text()
        assert desk.panel.seed.thumbnails.isHidden()
        assert desk.panel.progress.error.isHidden()
        assert desk.panel.progress.cancel_button.isHidden()

    play(work)


def test_nothing_is_cut_in_a_dock_of_300_pixels(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.panel.modifiers.choose_guidance("cfg")
        desk.stroke()
        await desk.settle()
        desk.ai.seeds.walk(1)
        await desk.settle()
        for widget in desk.panel.findChildren(QWidget):
            if widget.isVisible() and widget.parent() in (desk.panel, desk.panel.progress):
                assert widget.geometry().right() <= 300
        inside = desk.panel.prompts.parentWidget()
        assert inside is not None
        assert inside.minimumSizeHint().width() <= 300
        assert desk.panel.minimumSizeHint().width() <= 300

    play(work)


def test_a_prompt_typed_before_a_stroke_is_the_strokes(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.panel.prompts.prompt.clear()
        QTest.keyClicks(desk.panel.prompts.prompt, "a boat")
        assert prompt_of(desk.ai.current_recipe.offer_for_stroke()) == "a boat"

    play(work)


def test_a_prompt_typed_on_a_layer_waits_and_enter_runs_it(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke(prompt="red")
        await desk.settle()
        rendered = desk.shop.layer(layer).rendered
        desk.panel.prompts.prompt.selectAll()
        QTest.keyClicks(desk.panel.prompts.prompt, "blue")
        await desk.settle()
        assert prompt_of(desk.shop.layer(layer).recipe) == "red"
        assert "Run (Enter) to change red" in desk.panel.prompts.hint.text()
        QTest.keyClick(desk.panel.prompts.prompt, Qt.Key.Key_Return)
        await desk.settle()
        assert prompt_of(desk.shop.layer(layer).recipe) == "blue"
        assert desk.shop.layer(layer).rendered != rendered
        assert desk.panel.prompts.prompt.toPlainText() == "blue"

    play(work)


def test_a_dial_drag_is_one_entry_and_runs_live(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        entries = len(desk.shop.document.history.done)
        dials = desk.panel._dials
        assert dials is not None
        slider: Any = dials.fields["strength"]
        for value in (0.5, 0.7, 0.9):
            slider.set_value(value, notify=True)
        slider.settled.emit(0.9)
        await desk.settle()
        assert strength_of(desk.shop.layer(layer).recipe) == 0.9
        assert len(desk.shop.document.history.done) == entries + 1
        assert desk.shop.jobs.recent[0].stage.name == "finished"
        desk.shop.document.undo()
        await desk.settle()
        assert slider.value == 0.6

    play(work)


def test_guidance_brings_its_dials_and_the_negative_prompt(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        assert desk.panel.prompts.negative.isHidden()
        desk.panel.modifiers.choose_guidance("cfg")
        await desk.settle()
        (wrapped,) = desk.shop.layer(layer).recipe.modifiers
        assert wrapped.id == "cfg"
        assert desk.panel.prompts.negative.isVisible()
        QTest.keyClicks(desk.panel.prompts.negative, "fog")
        desk.panel.progress.run_button.click()
        await desk.settle()
        assert desk.shop.layer(layer).recipe.modifiers[0].params["negative_prompt"] == "fog"
        desk.panel.modifiers.choose_guidance("cfg++")
        await desk.settle()
        assert desk.shop.layer(layer).recipe.modifiers[0].params["negative_prompt"] == "fog"
        desk.panel.modifiers.choose_guidance("")
        await desk.settle()
        assert desk.shop.layer(layer).recipe.modifiers == ()
        assert desk.shop.jobs.recent[0].failure is None

    play(work)


def test_another_technique_keeps_the_prompt(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke(prompt="red")
        await desk.settle()
        desk.panel.choices.technique.emit("layered-brush")
        await desk.settle()
        now = desk.shop.layer(layer).recipe
        assert (now.technique, prompt_of(now), now.params["steps"]) == ("layered-brush", "red", 4)
        assert "depth" in now.params
        assert desk.shop.jobs.recent[0].failure is None
        dials = desk.panel._dials
        assert dials is not None
        assert "depth" in dials.fields

    play(work)


def test_thumbnails_lead_back_to_their_seeds(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        first = desk.shop.pixels()
        QTest.mouseClick(desk.panel.seed.dice, Qt.MouseButton.LeftButton)
        await desk.settle()
        assert desk.shop.layer(layer).recipe.seed != 5
        thumbnails = desk.panel.seed.thumbnails
        assert thumbnails.isVisible()
        assert thumbnails.count() == 2
        assert thumbnails.item(0).isSelected(), "the newest is on the canvas"
        thumbnails.itemClicked.emit(thumbnails.item(1))
        await desk.settle()
        assert desk.shop.layer(layer).recipe.seed == 5
        assert (desk.shop.pixels() == first).all()
        assert desk.panel.seed.field.text() == "5"

    play(work)


def test_a_typed_seed_and_nonsense_in_its_place(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        field = desk.panel.seed.field
        for typed, expected in (("123", 123), ("-4", 123), ("9" * 30, 123)):
            field.selectAll()
            QTest.keyClicks(field, typed)
            QTest.keyClick(field, Qt.Key.Key_Return)
            await desk.settle()
            assert desk.shop.layer(layer).recipe.seed == expected
            assert field.text() == "123"

    play(work)


def test_the_bar_appears_after_a_moment_and_cancel_stops(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.stroke(technique="slow", steps=50, pause=0.05)
        job = desk.shop.jobs.recent[0]
        while job.n < 4:
            await asyncio.sleep(0.01)
            process_events()
        QTest.qWait(120)
        process_events()
        assert desk.panel.progress.cancel_button.isVisible()
        assert "of 50" in desk.panel.progress.step_label.text()
        desk.panel.progress.cancel_button.click()
        await desk.settle()
        assert desk.panel.progress.cancel_button.isHidden()
        assert desk.panel.progress.run_button.isVisible()

    play(work)


async def _run_again(desk: PanelDesk, layer_id: str, technique: str) -> None:
    """Once a layer has a result, run it with another technique."""
    await desk.settle()
    layer = desk.shop.layer(layer_id)
    changed = replace(layer, recipe=recipe(technique=technique))
    desk.shop.document.replace("Technique", changed)
    desk.shop.jobs.enqueue(layer_id)
    await desk.settle()


def test_a_failure_is_one_line_with_details_and_goes_with_the_next_run(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await _run_again(desk, layer, "broken")
        assert "stopped at an error" in desk.panel.progress.error.text()
        assert desk.panel.progress.details.isVisible()
        desk.panel.choices.technique.emit("sdedit")
        await desk.settle()
        assert desk.panel.progress.error.isHidden()
        assert desk.shop.layer(layer).rendered

    play(work)


def test_a_result_without_effect_says_what_to_raise(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.stroke(technique="slow")
        await desk.settle()
        note = desk.panel.progress.note
        assert note.text() == UNCHANGED
        assert note.wordWrap()
        desk.shop.studio.document.activate("")
        process_events()
        assert note.isHidden()

    play(work)


@pytest.mark.parametrize(
    ("name", "expected"), [("model.ckpt", "is a pickle"), ("nowhere", "no such file or folder")]
)
def test_a_checkpoint_that_cannot_be_used_changes_nothing(
    name: str, expected: str, play: Any
) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.panel.add_model(Path("/nowhere") / name)
        assert expected in desk.panel.progress.error.text()
        assert desk.ai.current_recipe.shown.model == "toy"
        desk.panel.modifiers.choose_guidance("cfg")
        process_events()
        assert desk.panel.progress.error.isHidden()

    play(work)


def test_run_without_a_layer_covers_the_selection_or_says_what_to_do(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.panel.choices.technique.emit("layered-brush")
        desk.panel.progress.run_button.click()
        assert "Paint with the AI brush" in desk.panel.progress.error.text()
        desk.shop.document.select(Selection(Rect(40, 50, 60, 70)))
        desk.panel.progress.run_button.click()
        await desk.settle()
        layer = desk.shop.document.active
        assert isinstance(layer, AiLayer)
        assert layer.region.tight_bounds() == Rect(40, 50, 60, 70)
        assert layer.rendered

    play(work)


def test_live_off_runs_nothing(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        desk.panel.progress.live_switch.click()
        desk.stroke()
        desk.ai.seeds.walk(1)
        await asyncio.sleep(0.1)
        assert not desk.shop.jobs.recent
        desk.panel.progress.run_button.click()
        await desk.settle()
        assert desk.shop.jobs.recent[0].stage.name == "finished"

    play(work)


def test_a_technique_that_the_model_cannot_do_says_why() -> None:
    entries = {entry.id: entry for entry in technique_entries("toy")}
    assert entries["sdedit"].reason == ""
    assert "control of attention" in missing_capabilities(frozenset({"attention"}))
    assert missing_capabilities(frozenset()) == ""


def test_techniques_stand_under_headings_with_their_published_names() -> None:
    entries = technique_entries("storybook")
    headings = [entry.label for entry in entries if entry.is_heading]
    assert headings == ["Paint a region", "Change the picture", "Make a picture"]
    labels = [entry.label for entry in entries]
    place = labels.index("Swap words (Prompt-to-Prompt)")
    assert labels.index(headings[1]) < place < labels.index(headings[2])
    assert not {"word-map", "difference-map"} & {entry.id for entry in entries}
    assert all("\n" not in label for label in labels)


def test_what_storybook_knows(tmp_path: Path) -> None:
    assert "not installed" in known_things("storybook", tmp_path)
    assert known_things("toy", tmp_path) == ""
    things = '["apple", "boat", "cat", "dog", "egg", "fox", "goat"]'
    (tmp_path / "storybook.json").write_text(f'{{"objects": {things}}}')
    text = known_things("storybook", tmp_path)
    assert text == "Storybook knows objects such as apple, boat, cat, dog, egg, fox."


def test_frozen_layers_do_not_run(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        desk.ai.freeze()
        await desk.settle()
        assert desk.shop.layer(layer).baked
        assert not desk.panel.progress.run_button.isEnabled()
        assert "frozen" in desk.panel.prompts.hint.text()
        with pytest.raises(EditorError, match="frozen"):
            desk.ai.run()
        desk.ai.freeze()
        assert not desk.shop.layer(layer).baked

    play(work)


def test_the_job_line_of_others_does_not_hide_a_failure(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        layer = desk.stroke()
        await desk.settle()
        desk.shop.jobs.failures[layer] = Failure("It broke; try again.")
        desk.shop.jobs.changed.emit(Job("another", "another"))
        assert desk.panel.progress.error.text() == "It broke; try again."

    play(work)


def test_a_technique_that_is_not_installed_is_named(play: Any) -> None:
    async def work(desk: PanelDesk) -> None:
        await _run_again(desk, desk.stroke(), "from-a-plugin")
        assert "from-a-plugin is not installed" in desk.panel.prompts.hint.text()
        assert "no technique called 'from-a-plugin'" in desk.panel.progress.error.text()
        desk.panel.choices.technique.emit("sdedit")
        await desk.settle()
        assert desk.panel.progress.error.isHidden()

    play(work)
