"""The current recipe: that of the active AI layer, or of the next one to be painted."""

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from core.ai.recipe_defaults import default_recipe
from core.ai.recipe_values import prompt_of
from core.ai.recipe_words import with_words, words_of
from core.ai.verb_recipes import verb_of, with_best_method
from core.geometry import EMPTY
from core.paint.layers import AiLayer
from core.params import NegativePrompt, Prompt, SourcePrompt
from core.signal import Signal
from core.task import Recipe

if TYPE_CHECKING:
    from core.paint.document import Document
    from core.params import Meaning
    from editor.ai_session.job_queue import JobQueue
    from editor.ai_session.live_loop import LiveLoop
    from editor.studio import Studio

SEED_LIMIT = 2**31
NEGATIVE = "negative_prompt"
SOURCE = "source_prompt"
WORDS = ("prompt", SOURCE, NEGATIVE)
"""Parameters that are written, not dialled."""
MAX_NAME_LENGTH = 40
"""Most characters of a prompt in the name of a layer."""


def fresh_recipe(technique: str = "blended-inpaint", model: str = "storybook") -> Recipe:
    """The default recipe of a technique, for the verb that it is usual for, with a random seed."""
    recipe = default_recipe(technique, model, secrets.randbelow(SEED_LIMIT))
    return replace(recipe, verb=verb_of(recipe))


def name_for(prompt: str) -> str:
    """The name of a layer with this prompt."""
    return prompt.strip()[:MAX_NAME_LENGTH] or "AI layer"


class CurrentRecipe:
    """The recipe that the AI dock shows and edits; ``changed`` is emitted when it becomes another.

    Dials change the active AI layer at once. Prompts are a draft until Run, which gives them to
    the active layer, or until the next stroke, which gives them to the layer it makes. So the
    prompt of the next layer can be written without changing the layer that is there.
    """

    def __init__(self, studio: "Studio", jobs: "JobQueue", live: "LiveLoop", start: Recipe) -> None:
        self.studio, self.jobs, self.live = studio, jobs, live
        self.is_locked = False
        self.changed: Signal[None] = Signal()
        self._next = start
        self._draft: Recipe | None = None
        self._offered: Recipe | None = None
        self._layer_id = ""
        self._disconnect = studio.document.restructured.connect(self._on_restructured)
        studio.opened.connect(self._on_document_opened)

    @property
    def layer(self) -> AiLayer | None:
        """The active AI layer."""
        active = self.studio.document.active
        return active if isinstance(active, AiLayer) else None

    @property
    def shown(self) -> Recipe:
        """What the dock shows: the draft, the active layer's recipe, or the next layer's."""
        if self._draft is not None:
            return self._draft
        return self.layer.recipe if self.layer is not None else self._next

    @property
    def is_draft(self) -> bool:
        """Whether prompts wait for Run or for the next stroke."""
        return self.layer is not None and self._draft is not None

    @property
    def has_new_words(self) -> bool:
        """Whether words or a verb were chosen that the active AI layer was not asked for."""
        layer, draft = self.layer, self._draft
        if layer is None or draft is None:
            return False
        return self.has_other_verb or words_of(draft) != words_of(layer.recipe)

    @property
    def has_other_verb(self) -> bool:
        """Whether the draft asks for something else than the active AI layer does."""
        layer, draft = self.layer, self._draft
        return layer is not None and draft is not None and verb_of(draft) != verb_of(layer.recipe)

    def offer_for_stroke(self) -> Recipe:
        """The recipe of a new AI layer: the shown one, with a new seed unless it is locked.

        A layer that takes it makes it the shown one. Where something is selected the edit is
        confined to it.
        """
        seed = self.shown.seed if self.is_locked else secrets.randbelow(SEED_LIMIT)
        confined = bool(self.studio.document.selection)
        offered = replace(self.shown, seed=seed, context=EMPTY, model_hash="", confined=confined)
        self._offered = offered
        return offered

    def write(self, recipe: Recipe) -> None:
        """Take other prompts; they are a draft when there is an active AI layer."""
        if self.layer is None:
            self._next = recipe
        else:
            same = replace(recipe, model_hash=self.layer.recipe.model_hash)
            self._draft = None if same == self.layer.recipe else recipe
        self.changed.emit(None)

    def turn(self, recipe: Recipe, dial: str) -> None:
        """Take another value of a dial: the active layer gets it now, and runs when live.

        Successive changes of one dial are one undo entry, until ``settle``.
        """
        layer = self.layer
        if layer is None or layer.baked:
            self._next = recipe
            self.changed.emit(None)
            return
        if self._draft is not None:
            self._draft = recipe
            recipe = with_words(recipe, words_of(layer.recipe))
        self._change_layer(layer, recipe, dial.capitalize(), f"{dial}:{layer.id}")
        if self.live.is_on:
            self.jobs.enqueue(layer.id)
        else:
            self.live.stale.add(layer.id)

    def settle(self) -> None:
        """End the undo entry of a dial, once the person has released it."""
        self.studio.document.history.seal()

    def run(self) -> None:
        """Take the draft and run the active AI layer, whether live or not."""
        layer = self.layer
        if layer is None:
            return
        if self._draft is not None:
            draft, self._draft = self._draft, None
            self._change_layer(layer, draft, "Prompt", "")
        self.jobs.declined.clear()
        self.jobs.enqueue(layer.id)

    def _change_layer(self, layer: AiLayer, recipe: Recipe, label: str, merge: str) -> None:
        was_named = layer.name == name_for(prompt_of(layer.recipe))
        name = name_for(prompt_of(recipe)) if was_named else layer.name
        kept = replace(recipe, model_hash=layer.recipe.model_hash)
        self.studio.document.replace(label, replace(layer, recipe=kept, name=name), merge)

    def _on_document_opened(self, document: "Document") -> None:
        self._disconnect()
        self._disconnect = document.restructured.connect(self._on_restructured)
        self._draft = None
        self._on_restructured(None)

    def _on_restructured(self, _: None) -> None:
        layer = self.layer
        if layer is not None and layer.id != self._layer_id:
            self._draft = None
            if layer.recipe is self._offered:
                self._next = self._offered
        elif layer is None and self._layer_id:
            self._keep_draft()
        self._layer_id = layer.id if layer else ""
        self.changed.emit(None)

    def _keep_draft(self) -> None:
        """Keep the draft for the next layer when no AI layer is active any more."""
        if self._draft is not None:
            self._next, self._draft = self._draft, None


def with_prompts(recipe: Recipe, prompt: str, negative: str, source: str = "") -> Recipe:
    """The recipe with other words, by the method that its verb has for them."""
    words: dict[Meaning, str] = {Prompt: prompt, NegativePrompt: negative, SourcePrompt: source}
    return with_best_method(recipe, words)


def with_prompt(recipe: Recipe, prompt: str) -> Recipe:
    """The recipe with another prompt."""
    return with_best_method(recipe, {**words_of(recipe), Prompt: prompt})
