"""Other seeds of an AI layer: by wheel, at random, or back to a variant that was made before."""

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from core.ai.recipe_values import strength_of
from core.catalog import params_of, techniques
from core.paint.layers import AiLayer
from core.paint.tiles import TILE
from core.params import Strength, field_marked
from editor.ai_session.current_recipe import SEED_LIMIT

if TYPE_CHECKING:
    from PySide6.QtGui import QWheelEvent

    from editor.ai_session.current_recipe import CurrentRecipe
    from editor.ai_session.job_queue import JobQueue
    from editor.ai_session.result_cache import Variant
    from editor.studio import Studio

STRENGTH_STEP = 0.05
NOTCH = 120
"""Wheel units of one notch, as Qt counts them; a touch pad sends parts of it."""


class SeedWalk:
    """Changes the seed; each step is shown at once, and all steps are one undo entry."""

    def __init__(self, studio: "Studio", recipes: "CurrentRecipe", jobs: "JobQueue") -> None:
        self.studio, self.current_recipe, self.jobs = studio, recipes, jobs
        self._fresh_id = ""
        self.uses_wheel = True
        """Whether the wheel alone walks through seeds under the AI brush over its fresh layer."""
        self._wheel_units = 0

    # The fresh layer

    @property
    def fresh(self) -> AiLayer | None:
        """The layer that was just painted, until it is kept or another one is active."""
        layer = self.current_recipe.layer
        return layer if layer is not None and layer.id == self._fresh_id else None

    def note_stroke(self, layer_id: str) -> None:
        """Note the end of a stroke: its layer is fresh now, and the one before is kept."""
        if not self.studio.document.is_editing:
            self._fresh_id = layer_id

    def keep(self) -> bool:
        """Keep the fresh layer; False when there was none."""
        was_fresh = self.fresh is not None
        self._fresh_id = ""
        return was_fresh

    # The walk

    def walk(self, by: int) -> None:
        """Add ``by`` to the seed."""
        self.choose_seed(max(0, self.current_recipe.shown.seed + by))

    def choose_random_seed(self) -> None:
        """Choose a random seed."""
        self.choose_seed(secrets.randbelow(SEED_LIMIT))

    def choose_seed(self, seed: int) -> None:
        self.current_recipe.turn(replace(self.current_recipe.shown, seed=seed), "seed")

    def strengthen(self, by: float) -> None:
        """Add ``by`` to the strength, within the technique's range."""
        recipe = self.current_recipe.shown
        field = field_marked(params_of(techniques[recipe.technique]), Strength)
        if field is not None and isinstance(field.marker, Strength):
            low, high = field.marker.low, field.marker.high
            value = round(min(high, max(low, strength_of(recipe) + by)), 2)
            self.current_recipe.turn(recipe.with_params(**{field.name: value}), field.name)

    def choose(self, variant: "Variant") -> None:
        """Go back to a variant; when its result is still kept, it is shown whether live or not."""
        self.current_recipe.turn(replace(variant.recipe), "seed")
        layer, live = self.current_recipe.layer, self.current_recipe.live
        if layer and not live.is_on and self.jobs.results.find(variant.key, layer.position):
            self.jobs.enqueue(layer.id)

    def variants(self) -> "list[Variant]":
        """The variants of the active AI layer, the oldest first."""
        layer = self.current_recipe.layer
        return self.jobs.results.variants(layer.id) if layer else []

    def handle_wheel(self, event: "QWheelEvent", x: float, y: float) -> bool:
        """Take a turn of the wheel; False leaves it to the zoom.

        It walks through seeds with Shift anywhere, and under the AI brush over the layer that was
        just painted. With Ctrl besides it changes the strength.
        """
        keys = event.modifiers()
        is_shifted = bool(keys & Qt.KeyboardModifier.ShiftModifier)
        if not self._can_walk() or not (is_shifted or self._is_over_fresh(x, y)):
            self._wheel_units = 0
            return False
        notches = self._notches(event)
        if notches and keys & Qt.KeyboardModifier.ControlModifier:
            self.strengthen(notches * STRENGTH_STEP)
        elif notches:
            self.walk(notches)
        return True

    def _notches(self, event: "QWheelEvent") -> int:
        # Some systems turn a wheel with Shift sideways.
        self._wheel_units += event.angleDelta().y() or event.angleDelta().x()
        notches = int(self._wheel_units / NOTCH)
        self._wheel_units -= notches * NOTCH
        return notches

    def _can_walk(self) -> bool:
        """Whether the active layer is an AI layer that shows what another seed gives."""
        layer = self.current_recipe.layer
        return layer is not None and not layer.baked and layer.visible

    def _is_over_fresh(self, x: float, y: float) -> bool:
        """Whether the AI brush is over the region it has just painted."""
        layer = self.fresh
        if not self.uses_wheel or layer is None or not self.studio.tool.paints_region:
            return False
        column, row = int(x // 1) - layer.position.x, int(y // 1) - layer.position.y
        tile = layer.region.tile((column // TILE, row // TILE))
        return tile is not None and bool(tile.pixels[row % TILE, column % TILE, 0])
