"""The words that a Storybook model was taught, so that others can be named before a run."""

import json
import re
from functools import cache
from pathlib import Path

from core.storybook.atlas import catalogue
from core.storybook.backgrounds import PLACES
from core.storybook.layout import DESCRIPTION, FOLDER
from core.storybook.scene import HUES, STYLE_WORDS

GRAMMAR = frozenset(re.findall(r"\w+", "a an the and with of in on at to from left right nothing"))
"""Words that name no thing."""
WORD = re.compile(r"[^\W\d_]+")


def unknown_words(text: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """List the words of a text that the model was not taught, each once, in their order.

    Empty where the model does not say what it was taught.
    """
    known = taught_words(folder)
    if not known:
        return ()
    found = [word for word in WORD.findall(text) if not _is_known(word.casefold(), known)]
    return tuple(dict.fromkeys(found))


@cache
def taught_words(folder: Path = FOLDER) -> frozenset[str]:
    """The words of the prompts that a model was trained with; empty when its file is unreadable."""
    try:
        description = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        things, places, styles = (
            [str(name) for name in description[kind]]
            for kind in ("objects", "backgrounds", "styles")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
    names = [name for thing in things for name in _names(thing)]
    names += [PLACES[place][1] if place in PLACES else place for place in places]
    names += [STYLE_WORDS.get(style, style) for style in styles]
    return GRAMMAR | HUES.keys() | {word for name in names for word in name.casefold().split()}


def _names(thing: str) -> tuple[str, ...]:
    """All names of a thing that may be trained on."""
    found = catalogue().get(thing)
    return found.names if found else (thing,)


def _is_known(word: str, known: frozenset[str]) -> bool:
    """Whether a word, or the one that it is the plural of, was taught."""
    return word in known or (word.endswith("s") and word[:-1] in known)
