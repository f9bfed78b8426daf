"""Words become a selection that can be undone; an error when nothing is found."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import EditorError
from core.storybook.random_model import build_random
from editor.ai_session.ai_actions import AiActions
from tests.editor.workshop import Bench, Workshop, recipe


def make_actions(shop: Workshop, folder: Path, prompt: str, source: str) -> AiActions:
    model = str(build_random(folder / "storybook"))
    source_recipe = recipe(
        technique="prompt-to-prompt", model=model, prompt=prompt, source_prompt=source
    )
    return AiActions(shop.studio, shop.jobs, shop.live, source_recipe)


@pytest.mark.parametrize("words", ["", "cat"])
def test_what_is_found_is_one_undo_entry(words: str, bench: Bench, tmp_path: Path) -> None:
    async def work(shop: Workshop) -> None:
        ai = make_actions(shop, tmp_path, "a dog on the house", "a cat on the house")
        before = shop.document.state
        await ai.find_words(words)
        assert shop.document.selection
        assert shop.document.root is before.root
        shop.document.undo()
        assert not shop.document.selection

    bench.run(work)


def test_words_that_cannot_be_found_raise_an_error(bench: Bench, tmp_path: Path) -> None:
    async def work(shop: Workshop) -> None:
        ai = make_actions(shop, tmp_path, "a dog", "")
        ai.current_recipe.write(replace(ai.current_recipe.shown, model="toy"))
        with pytest.raises(EditorError, match="needs a model with attention"):
            await ai.find_words("dog")
        ai.current_recipe.write(recipe(prompt=""))
        with pytest.raises(EditorError, match="Write what the picture shows"):
            await ai.find_words()

    bench.run(work)
