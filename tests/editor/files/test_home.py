"""Saving never depends on the home folder: broken, full, forbidden or missing, it is told once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core import settings
from core.formats.opening import open_document, save_document
from editor.files.home_check import describe_unusable_folders
from tests.editor.files.test_autosave import TEST_SECONDS, _has_ink
from tests.editor.workshop import gradient

pytestmark = pytest.mark.gui
ROOT = Path(__file__).resolve().parents[3]
is_root = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.mark.parametrize("home", ["file", "/proc/sfumato", "/dev/full"])
def test_what_does_not_work_is_one_sentence_for_each_folder_in_the_way(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SFUMATO_HOME", home if home != "file" else str(tmp_path / "file"))
    text = describe_unusable_folders()
    for loss in ("not recorded", "in two windows", "no log", "not remembered"):
        assert text.count(loss) == 1
    assert text.count("cannot write") == 1
    assert text.endswith("Pictures can be opened and saved all the same.")


def test_where_all_is_well_nothing_is_said() -> None:
    assert describe_unusable_folders() == ""
    assert not list(settings.folders().autosave.iterdir())


@pytest.mark.skipif(not is_root, reason="only an administrator may become somebody else")
def test_a_person_without_a_home_has_folders_in_which_nothing_can_be() -> None:
    code = "import os; from core import settings; settings.folders(); os.setuid(54321)\n"
    environment = {k: v for k, v in os.environ.items() if k not in {"HOME", "SFUMATO_HOME"}}
    done = subprocess.run(
        [sys.executable, "-c", code + "print(settings.folders().data, settings.load().settings)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.stdout.startswith("/dev/null/sfumato/data Settings(")


def prepare_home(kind: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a person whose home is of no use."""
    home = tmp_path / "home"
    if kind == "file":
        home.write_text("not a folder")
    elif kind == "closed":
        home.mkdir()
        home.chmod(0o000)
    elif kind == "missing":
        home.mkdir()
        home.chmod(0o555)
        home = home / "gone"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XDG")}
    kept.pop("SFUMATO_HOME")
    return {**kept, "HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}


@pytest.mark.skipif(
    not is_root or not shutil.which("setpriv"), reason="permissions stop nobody here"
)
@pytest.mark.parametrize("kind", ["file", "closed", "missing"])
def test_an_editor_without_a_home_opens_paints_and_saves(kind: str, tmp_path: Path) -> None:
    picture = tmp_path / "harbour.ora"
    save_document(gradient(), picture)
    line = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    line += [sys.executable, "-m", "tests.editor.files.recovery_scenes", "work", str(picture)]
    done = subprocess.run(
        line,
        capture_output=True,
        text=True,
        timeout=TEST_SECONDS,
        check=False,
        cwd=ROOT,
        env=prepare_home(kind, tmp_path),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    facts: list[dict[str, Any]] = [
        json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")
    ]
    told = [fact["told"] for fact in facts if "told" in fact]
    assert len(told) == 1, told
    assert "cannot write" in told[0]
    assert "Traceback" not in done.stderr
    assert _has_ink(open_document(picture), 40, 128)
    assert _has_ink(open_document(tmp_path / "other.ora"), 80, 128)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_home_that_fills_up_keeps_the_record_and_the_picture_is_saved(tmp_path: Path) -> None:
    """The log, the record and the settings all fail while the picture has room."""
    picture = tmp_path / "harbour.ora"
    save_document(gradient(), picture)
    full = tmp_path / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=64", "none", str(full)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this computer lets nobody mount a small disk")
    try:
        (full / "ballast").write_bytes(bytes(40_000))
        line = [sys.executable, "-m", "tests.editor.files.recovery_scenes", "work", str(picture)]
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=TEST_SECONDS,
            check=False,
            env={**os.environ, "SFUMATO_HOME": str(full / "home")},
        )
    finally:
        subprocess.run(["umount", str(full)], check=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "No space left on device" in done.stdout
    assert _has_ink(open_document(picture), 40, 128)
    assert _has_ink(open_document(tmp_path / "other.ora"), 80, 128)
