"""Whether the program's own folders can be written: the editor works without, and says so once."""

import tempfile
from contextlib import suppress
from pathlib import Path

from core.files.lock import take_lock
from core.settings import Folders, folders

SAMPLE = bytes(1 << 16)
"""A full disk may still have room for an empty file."""


def describe_unusable_folders() -> str:
    """One sentence that says what does not work because of which folder; empty if all does."""
    places = folders()
    found: dict[str, list[str]] = {}
    for folder, loss in _losses(places).items():
        problem = _find_problem(folder)
        if problem:
            found.setdefault(problem, []).append(loss)
    sentences = [f"{problem}: {', '.join(losses)}." for problem, losses in found.items()]
    if sentences:
        sentences.append("Pictures can be opened and saved all the same.")
    return " ".join(sentences)


def _losses(places: Folders) -> dict[Path, str]:
    return {
        places.autosave: "unsaved work is not recorded",
        places.locks: "a picture can be open in two windows",
        places.log: "there is no log",
        places.config: "settings are not remembered",
    }


def _find_problem(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".check-") as stream:
            stream.write(SAMPLE)
            stream.flush()
            lock = take_lock(Path(stream.name))
            if lock is not None:
                lock.release()
    except OSError as error:
        return f"Sfumato cannot write to {_first_missing(folder)} ({error.strerror or error})"
    return ""


def _first_missing(folder: Path) -> Path:
    """The folder that is in the way: the last one on the path that is there."""
    place = folder
    with suppress(OSError):
        while not place.exists() and place != place.parent:
            place = place.parent
    return place
