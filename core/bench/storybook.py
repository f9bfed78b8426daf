"""Measures the shipped model with its judge: things, places, pairs, synonyms, brush, speed."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from core.bench.registry import benches
from core.params import Text
from core.storybook.layout import FOLDER


@benches.register
class StorybookBench:
    """What Storybook can paint, with prompts and scenes that it was not trained on."""

    id: ClassVar[str] = "storybook"
    label: ClassVar[str] = "Storybook"

    @dataclass(frozen=True)
    class Params:
        model: Annotated[str, Text("Folder of the model; the shipped one when empty")] = ""
        out: Annotated[str, Text("Folder for galleries")] = ""

    def __init__(self, params: Params) -> None:
        self.params = params

    def run(self, quick: bool) -> dict[str, Any]:
        from core.storybook.training.evaluate import evaluate

        folder = Path(self.params.model) if self.params.model else FOLDER
        with tempfile.TemporaryDirectory() as spare:
            return evaluate(folder, Path(self.params.out or spare), 1 if quick else 6)
