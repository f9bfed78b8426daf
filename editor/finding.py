"""From words to a selection: the worker says where they look, the selection can be painted over."""

from typing import TYPE_CHECKING

import numpy as np

from core.ai.layer import request_for
from core.document import Document
from core.engine.messages import Done, Failed
from core.errors import EditorError
from core.layers import AiLayer
from core.pixels import Tiles
from core.recipes import usual_recipe
from core.selection import Selection

if TYPE_CHECKING:
    from core.ai.crop import Geometry
    from core.ai.layer import Request
    from core.edits import State
    from core.engine.engine import Engine
    from core.pixels import Pixels
    from editor.jobs import Jobs
    from editor.studio import Studio

TECHNIQUE = "word-map"
DARK, BRIGHT = 0.3, 0.6
"""Below the first share of the brightest nothing is selected, from the second on everything."""


class Finding:
    """``find`` selects what words look at; one search at a time."""

    def __init__(self, studio: "Studio", engine: "Engine", jobs: "Jobs") -> None:
        self.studio, self.engine, self.jobs = studio, engine, jobs
        self.is_busy = False

    async def find(self, words: str, sentence: str, model: str) -> None:
        """Select where ``words`` of ``sentence`` look.

        Raises EditorError when the model cannot say, or nothing was found.
        """
        if self.is_busy:
            return
        self.is_busy = True
        self.jobs.said.emit(f"Looking for {words}…")
        try:
            document = self.studio.document
            alpha = await self._map(document, words, sentence, model)
        finally:
            self.is_busy = False
        found = Selection(document.bounds, alpha).tight()
        if not found:
            raise EditorError(f"Nothing in the picture looks like {words}: select it by hand.")
        if document is self.studio.document:
            document.select(found, f"Select {words}")
            self.jobs.said.emit(f"Selected {words}")

    async def _map(self, document: Document, words: str, sentence: str, model: str) -> "Pixels":
        facts = await self.engine.open(model)
        values = {"prompt": words, "source_prompt": sentence}
        request = await self.jobs.aside(_request, document.state, values, model, facts.geometry)
        async for message in self.engine.submit(request):
            if isinstance(message, Done):
                return await self.jobs.aside(_selected, message.pixels)
            if isinstance(message, Failed) and not message.retry:
                raise EditorError(message.text)
        raise EditorError("The search was stopped.")


def _request(state: "State", values: dict[str, str], model: str, geometry: "Geometry") -> "Request":
    """The whole picture, asked where the words look."""
    scratch = Document(state.size, state.root)
    region = Tiles.flat(scratch.bounds, (255,))
    layer = AiLayer("Words", recipe=usual_recipe(TECHNIQUE, model, 0, values), region=region)
    scratch.insert("Words", layer, scratch.root.id, len(scratch.root.children))
    return request_for(scratch, layer, geometry)


def _selected(pixels: "Pixels") -> "Pixels":
    """How far each pixel is selected, by the brightness of the map."""
    share = pixels[..., 0].astype(np.float32) / 255
    alpha = np.clip((share - DARK) / (BRIGHT - DARK), 0, 1)
    return np.rint(alpha * 255).astype(np.uint8)
