"""Errors with a sentence for the person; anything else that is raised is a bug.

EditorError
|- FileError        a file cannot be read or written
|  `- VersionError  it was stored by a newer Sfumato
|- ModelError       a model folder or checkpoint cannot be used
|- TechniqueError   an edit cannot run with these parameters
|- PluginError      a plugin could not be loaded
`- Cancelled        the person stopped it
"""

import re

_NO_CHARACTER = re.compile("[\ud800-\udfff]")


def readable(text: object) -> str:
    """A text for the person, without what no encoding holds: bytes of a file name that is no UTF-8.

    Python keeps such bytes as surrogates, which a window, a terminal or a log refuses.
    """
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", str(text))


class EditorError(Exception):
    """One clear sentence for the person: what happened, where, and what to do."""

    def __init__(self, sentence: object = "", *rest: object) -> None:
        super().__init__(readable(sentence), *rest)


class FileError(EditorError):
    """A file cannot be read or written."""


class VersionError(FileError):
    """A file or a recipe is of a newer version than this Sfumato can read."""

    def __init__(self, name: str, version: int, known: int) -> None:
        super().__init__(
            f"This {name} is of version {version}, and this Sfumato knows up to version {known}: "
            "open it with a newer one."
        )
        self.version = version


class ModelError(EditorError):
    """A model folder or checkpoint cannot be used."""


class TechniqueError(EditorError):
    """An edit cannot run with these parameters or on this picture."""


class PluginError(EditorError):
    """A plugin could not be loaded."""


class Cancelled(EditorError):  # noqa: N818 - the field's word for it, and not an error
    """The person stopped the work."""
