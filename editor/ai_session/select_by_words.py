"""Select by words: the worker computes where they act in the picture."""

from typing import TYPE_CHECKING

from core.ai.word_region import change_recipe, make_search_task, region_of, search_recipe
from core.engine.messages import JobDone, JobFailed
from core.errors import EditorError
from core.paint.selection import Selection

if TYPE_CHECKING:
    from core.engine.engine import Engine
    from core.paint.document import Document
    from core.paint.tiles import Pixels
    from core.task import Recipe
    from editor.ai_session.job_queue import JobQueue
    from editor.studio import Studio


class WordSelector:
    """Finds the outline of what words refer to, or of what they would change; one at a time."""

    def __init__(self, studio: "Studio", engine: "Engine", jobs: "JobQueue") -> None:
        self.studio, self.engine, self.jobs = studio, engine, jobs
        self.is_busy = False

    async def select_words(self, words: str, sentence: str, model: str) -> None:
        """Select what ``words`` of ``sentence`` refer to. Raises EditorError like ``find``."""
        await self._select(words, search_recipe(words, sentence, model))

    async def select_change(self, sentence: str, prompt: str, model: str) -> None:
        """Select what the prompt would change. Raises EditorError like ``find``."""
        await self._select("what changes", change_recipe(sentence, prompt, model))

    async def find(self, what: str, recipe: "Recipe", verb: str = "") -> Selection | None:
        """Where a search finds something; None when another one is under way, or it is too late.

        Raises EditorError when the model cannot search, or nothing was found.
        """
        if self.is_busy:
            return None
        self.is_busy = True
        self.jobs.noted.emit(f"Looking for {what}…")
        try:
            document = self.studio.document
            alpha = await self._compute_alpha(document, recipe, verb)
        finally:
            self.is_busy = False
        found = Selection(document.bounds, alpha).tighten()
        if not found:
            raise EditorError(f"Nothing was found for {what}: select it by hand.")
        return found if document is self.studio.document else None

    async def _select(self, what: str, recipe: "Recipe") -> None:
        found = await self.find(what, recipe)
        if found is not None:
            self.studio.document.select(found, f"Select {what}")
            self.jobs.noted.emit(f"Selected {what}")

    async def _compute_alpha(self, document: "Document", recipe: "Recipe", verb: str) -> "Pixels":
        facts = await self.engine.open(recipe.model)
        state = document.state
        task = await self.jobs.run_in_thread(make_search_task, state, recipe, facts.geometry)
        async for message in self.engine.submit(task):
            if isinstance(message, JobDone):
                return await self.jobs.run_in_thread(region_of, task, message.pixels, verb)
            if isinstance(message, JobFailed) and not message.retry:
                raise EditorError(message.text)
        raise EditorError("The search was stopped.")
