"""A real editor process is killed (kill -9) in a stroke, a generation and a save, and recovered."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core import settings
from core.ai.recipe_values import prompt_of
from core.files.journal import Journal
from core.formats.opening import open_document, save_document
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Layer, walk
from editor.files.autosave import find_unsaved
from tests.editor.workshop import gradient

pytestmark = pytest.mark.gui
TEST_SECONDS = 60


def _play(scene: str, picture: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run a scene in a process of its own: its exit status and the facts that it printed."""
    line = [sys.executable, "-m", "tests.editor.files.recovery_scenes", scene, str(picture)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=TEST_SECONDS, check=False)
    facts = [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-3000:]
    return done.returncode, facts


@pytest.fixture
def picture(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "harbour.ora"
    save_document(gradient(), path)
    yield path
    # A worker that a scene stopped would never see that its editor is gone.
    for process in psutil.process_iter(["cmdline", "environ"]):
        with suppress(psutil.Error):
            home = (process.info["environ"] or {}).get("SFUMATO_HOME")
            if home == os.environ["SFUMATO_HOME"] and process.pid != os.getpid():
                process.kill()


def _load_recovered() -> Document:
    found = find_unsaved()
    assert len(found) == 1, "there is one piece of work to recover"
    try:
        return found[0].load(open_document)
    finally:
        found[0].let_go()


def _has_ink(document: Document, y: int, x: int) -> bool:
    """Whether black brush ink lies over the gradient there."""
    return bool(flatten(document.root, document.bounds)[y, x, :3].max() < 60)


def test_killed_in_a_stroke_at_most_a_second_is_missing(picture: Path) -> None:
    code, facts = _play("stroke", picture)
    assert code == -signal.SIGKILL
    killed = facts[-1]["killed"]
    reached = [fact["x"] for fact in facts[:-1] if fact["time"] < killed - 1.1]
    assert reached
    document = _load_recovered()
    assert document.path == picture
    assert _has_ink(document, 40, round(reached[-1]))
    assert _has_ink(document, 40, round(reached[len(reached) // 2]))
    assert not _has_ink(document, 200, 60), "and nowhere else"

    code, facts = _play("recover", picture)
    assert code == 0
    assert facts[-1]["layers"] == ["gradient"]
    again = open_document(picture.with_name("recovered.ora"))
    assert _has_ink(again, 40, round(reached[-1]))
    assert not find_unsaved(), "what was recovered is not offered again"


def test_killed_in_a_generation_ink_and_region_are_there(picture: Path) -> None:
    code, facts = _play("generation", picture)
    assert code == -signal.SIGKILL
    assert 2 <= facts[-1]["steps"] < facts[-1]["of"], "it was in the middle"
    document = _load_recovered()
    layer = next(node for node in walk(document.root) if isinstance(node, AiLayer))
    assert prompt_of(layer.recipe) == "red"
    assert layer.recipe.params["inner_steps"] == 50
    assert layer.region.read(document.bounds)[120, 128, 0] == 255
    assert not layer.rendered
    assert _has_ink(document, 40, 128)


def test_killed_in_a_save_the_old_file_opens_and_the_work_is_there(picture: Path) -> None:
    before = picture.read_bytes()
    code, _ = _play("save", picture)
    assert code == -signal.SIGKILL
    assert picture.read_bytes() == before
    assert not _has_ink(open_document(picture), 40, 128)
    document = _load_recovered()
    assert _has_ink(document, 40, 128)
    assert document.is_modified


def test_what_was_saved_is_not_offered() -> None:
    document = gradient()
    document.saved = document.state
    journal = Journal(settings.folders().autosave, document)
    assert journal.flush(10)
    journal.close(clean=False)
    assert list(settings.folders().autosave.iterdir())
    assert not find_unsaved()
    assert not list(settings.folders().autosave.iterdir()), "and is cleared away"


def test_ink_is_distinguished_from_paper() -> None:
    document = gradient()
    assert not _has_ink(document, 40, 128)
    ink = Layer("ink")
    document.insert("Ink", ink)
    with document.paint(ink.id, "Ink") as painting:
        painting.blend(np.full((9, 9), 255, np.uint8), 124, 36)
    assert _has_ink(document, 40, 128)


def test_a_record_of_a_newer_version_is_never_discarded() -> None:
    folder = settings.folders().autosave / "0-1"
    folder.mkdir(parents=True)
    (folder / "journal-1.bin").write_bytes(b"SFJ2 and what only a newer Sfumato can read")
    (found,) = find_unsaved()
    assert found.is_newer
    found.discard()
    assert (folder / "journal-1.bin").exists()
