"""What the shipped model knows, for the hint of the AI dock."""

import json
from pathlib import Path

from core.storybook.layout import DESCRIPTION, FOLDER

MAX_OBJECTS = 6
"""Most objects of the Storybook model that the hint names."""


def known_things(model: str, folder: Path = FOLDER) -> str:
    """Which objects Storybook knows, or that it is missing; empty for other models."""
    if model != "storybook":
        return ""
    try:
        objects = json.loads((folder / DESCRIPTION).read_text("utf-8"))["objects"]
    except (OSError, ValueError, KeyError):
        return "The Storybook model is not installed: choose another model, or add a checkpoint."
    step = max(1, len(objects) // MAX_OBJECTS)
    return (
        f"Storybook knows objects such as {', '.join(objects[::step][:MAX_OBJECTS])}."
        if objects
        else ""
    )
