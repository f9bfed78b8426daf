"""The command everybody runs says what its verbs do, and refuses others; nothing is set up here."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / ".ci" / "run"
VERBS = ("lint", "quick", "wheel")

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or sys.platform == "win32", reason="a bash script"
)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_names_every_verb(word: str) -> None:
    shown = run(word)
    assert shown.returncode == 0
    assert shown.stderr == ""
    for verb in VERBS:
        assert f".ci/run {verb} " in shown.stdout


def test_an_unknown_verb_is_refused_in_one_line() -> None:
    refused = run("lnit")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "lnit" in refused.stderr


def test_every_verb_is_set_up_first_and_types_are_only_left_out_of_quick() -> None:
    text = SCRIPT.read_text()
    lines = dict(re.findall(r"^    (\"\"|\w+)\) (style; .*) ;;$", text, re.MULTILINE))
    assert lines.keys() == {'""', "lint", "quick"}
    assert all("lint-imports" in line for line in lines.values())
    assert [verb for verb, line in lines.items() if "mypy" not in line] == ["quick"]
    assert lines['""'].endswith("python3 packaging/start.py test; wheel")
    assert "    wheel) python3 packaging/start.py setup; wheel ;;\n" in text


def test_the_script_is_short_and_can_be_run() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 70
    assert SCRIPT.stat().st_mode & 0o100
