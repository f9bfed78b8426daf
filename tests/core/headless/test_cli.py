"""The command line: exit codes, one clear line for mistakes, no Qt, torch only where needed."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import EditorError
from core.formats.opening import open_document
from core.headless import cli
from core.paint.layers import AiLayer, walk
from core.settings import models_folder
from tests import tiny_blip

ROOT = Path(__file__).parents[3]


def picture(path: Path, width: int = 192, height: int = 160) -> Path:
    """A gradient as PNG."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 2, y * 3, x + y], axis=2).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def mask(path: Path, width: int = 192, height: int = 160) -> Path:
    """White in the middle, black around."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[64:96, 80:112] = 255
    Image.fromarray(pixels).save(path)
    return path


def sfumato(*arguments: object, check: str = "") -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own; check is Python to run after it, in the same one."""
    start = "import sys; from core.headless.cli import main; code = main(sys.argv[1:])"
    program = f"{start}; {check}\nsys.exit(code)"
    line = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(
        line, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )


def loaded(*names: str) -> str:
    """A check that fails loudly when one of these libraries was imported."""
    return f"assert not set({names!r}) & set(sys.modules), 'imported'"


@pytest.fixture
def mistaken(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command that must end as the user's mistake; its one line on stderr."""

    def run(*arguments: object) -> str:
        try:
            code = cli.main([str(word) for word in arguments])
        except SystemExit as end:
            code = int(str(end.code))
        output = capsys.readouterr()
        assert code == 2
        assert output.out == ""
        assert output.err.count("\n") == 1
        assert "Traceback" not in output.err
        return output.err

    return run


def test_a_picture_comes_out_edited_inside_the_mask_only(tmp_path: Path) -> None:
    given, out = picture(tmp_path / "in.png"), tmp_path / "out.png"
    arguments = ["run", "layered-brush", given, "--mask", mask(tmp_path / "m.png"), "--out", out]
    arguments += ["--set", "prompt=red", "--set", "steps=6", "--seed", 7, "--model", "toy"]
    done = sfumato(*arguments, "--json", check=loaded("PySide6", "qasync", "torch"))
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["model_hash"] == "toy-1"
    assert facts["calls"] > 0
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (given, out))
    assert before.shape == after.shape
    assert (before[64:96, 80:112] != after[64:96, 80:112]).any()
    assert (before[:20] == after[:20]).all()
    again = tmp_path / "again.png"
    arguments[arguments.index(out)] = again
    assert sfumato(*arguments).returncode == 0
    assert np.array_equal(np.asarray(Image.open(again)), np.asarray(Image.open(out)))


def test_a_modifier_changes_the_result(tmp_path: Path) -> None:
    given = picture(tmp_path / "in.png")
    plain, guided = tmp_path / "plain.png", tmp_path / "guided.png"
    arguments = ["run", "text-to-image", given, "--model", "toy", "--set", "prompt=red"]
    assert cli.main([*map(str, arguments), "--out", str(plain)]) == 0
    assert cli.main([*map(str, arguments), "--out", str(guided), "--modifier", "cfg:scale=5"]) == 0
    assert not np.array_equal(np.asarray(Image.open(plain)), np.asarray(Image.open(guided)))


def test_mistakes_in_the_words(tmp_path: Path, mistaken: Any) -> None:
    given, out = picture(tmp_path / "in.png"), tmp_path / "out.png"
    run = ["run", "sdedit", given, "--out", out, "--model", "toy"]
    assert "no technique called 'paint'" in mistaken("run", "paint", given, "--out", out)
    assert "Strength must lie between 0 and 1, not 3" in mistaken(*run, "--set", "strength=3")
    assert "Unknown parameter 'speed'" in mistaken(*run, "--set", "speed=3")
    assert "must be a int" in mistaken(*run, "--set", "steps=many")
    assert "write KEY=VALUE" in mistaken(*run, "--set", "steps")
    assert "no modifier called 'magic'" in mistaken(*run, "--modifier", "magic")
    assert "between" in mistaken(*run, "--modifier", "cfg:scale=1e9")
    assert "invalid int value" in mistaken(*run, "--seed", "x")
    assert "--out" in mistaken("run", "sdedit", given)
    assert "invalid choice: 'spoons'" in mistaken("list", "spoons")
    assert "no bench called 'speed'" in mistaken("bench", "speed")
    assert not out.exists()


def test_mistakes_in_the_files(tmp_path: Path, mistaken: Any) -> None:
    given, out = picture(tmp_path / "in.png"), tmp_path / "out.png"
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "thing.xyz").write_text("?")
    run = ["--out", out, "--model", "toy"]
    assert "nothing.png does not exist" in mistaken("run", "sdedit", tmp_path / "nothing.png", *run)
    assert "text.png" in mistaken("run", "sdedit", tmp_path / "text.png", *run)
    assert "thing.xyz is not a picture" in mistaken("run", "sdedit", tmp_path / "thing.xyz", *run)
    small = mask(tmp_path / "m.png", 190, 160)
    assert "190 x 160" in mistaken("run", "sdedit", given, "--mask", small, *run)
    assert "out.xyz: Sfumato saves" in mistaken(
        "run", "sdedit", given, "--out", tmp_path / "out.xyz"
    )
    black = tmp_path / "black.png"
    Image.new("L", (192, 160)).save(black)
    assert "Nothing is painted" in mistaken("run", "sdedit", given, "--mask", black, *run)
    assert not out.exists()


def test_a_technique_takes_another_picture(tmp_path: Path, mistaken: Any) -> None:
    given, out = picture(tmp_path / "in.png"), tmp_path / "out.ora"
    other = mask(tmp_path / "other.png")
    run = ["run", "morph", given, "--out", out, "--model", "toy", "--set", "steps=4"]
    assert "Other picture: " in (text := mistaken(*run, "--set", "picture=gone.png"))
    assert "gone.png does not exist" in text
    assert not out.exists()
    assert cli.main([*map(str, run), "--set", f"picture={os.path.relpath(other)}"]) == 0
    (layer,) = [one for one in walk(open_document(out).root) if isinstance(one, AiLayer)]
    assert layer.recipe.params["picture"] == str(Path.cwd() / os.path.relpath(other))


def test_models_that_cannot_be_used(tmp_path: Path, mistaken: Any) -> None:
    given = picture(tmp_path / "in.png")
    run = ["run", "sdedit", given, "--out", tmp_path / "out.png", "--model"]
    checkpoint = tmp_path / "model.ckpt"
    checkpoint.write_bytes(pickle.dumps({"weights": [1, 2]}))
    text = mistaken(*run, checkpoint)
    assert "model.ckpt" in text
    assert "safetensors" in text
    assert "missing" in mistaken(*run, tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "empty" in mistaken(*run, tmp_path / "empty")


def test_a_picture_is_described(
    tmp_path: Path,
    mistaken: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # transformers does not wait for the threads that it loads with.
    monkeypatch.setenv("HF_DEACTIVATE_ASYNC_LOAD", "1")
    arguments = ["describe", str(picture(tmp_path / "in.png")), "--model", "toy"]
    assert "Put a BLIP folder into" in mistaken(*arguments)
    tiny_blip.saved(models_folder() / "blip")
    assert cli.main([*arguments, "--json"]) == 0
    assert "cat" in json.loads(capsys.readouterr().out)["text"]
    assert "gone.png does not exist" in mistaken("describe", tmp_path / "gone.png")


def test_a_bug_in_the_worker_is_no_mistake_of_the_user() -> None:
    from core.engine.messages import JobFailed
    from core.headless import run_file

    with pytest.raises(run_file.WorkerBugError):
        run_file._handle_failure(JobFailed(1, "KeyError", "trace", is_bug=True), print)
    with pytest.raises(EditorError):
        run_file._handle_failure(JobFailed(1, "A sentence."), print)


@pytest.mark.parametrize("kind", cli.KINDS)
def test_lists_import_neither_qt_nor_torch(kind: str) -> None:
    done = sfumato("list", kind, "--json", check=loaded("PySide6", "qasync", "torch", "diffusers"))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows
    assert all(row["id"] and row["label"] for row in rows)


def test_a_listed_technique_shows_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "techniques", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    strength = next(p for p in rows["sdedit"]["params"] if p["name"] == "strength")
    assert (strength["type"], strength["high"]) == ("float", 1)
    other = next(p for p in rows["morph"]["params"] if p["name"] == "picture")
    assert (other["type"], other["kinds"], other["default"]) == ("str", ["image"], "")
    assert cli.main(["list", "techniques"]) == 0
    assert "sdedit" in capsys.readouterr().out


def test_the_doctor_reports_and_imports_neither_qt_nor_torch() -> None:
    check = loaded("PySide6", "torch")
    done = sfumato("doctor", "--json", check=check)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["torch"]["device"] in ("cpu", "cuda", "mps")
    assert found["qt"]["platform"] == "offscreen"
    assert found["models"]["toy"] == "ready"
    assert found["processor"]["cores"] >= 1


def test_a_doctor_in_a_hurry_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--quick"]) == 0
    text = capsys.readouterr().out
    assert "numpy" in text
    assert "qt" not in text.splitlines()


def test_files_and_no_verb_open_the_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    opened: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        opened.append(arguments)
        return 0

    module = types.ModuleType("editor.__main__")
    monkeypatch.setattr(module, "main", main, raising=False)
    monkeypatch.setitem(sys.modules, "editor.__main__", module)
    assert cli.main([]) == 0
    assert cli.main(["picture.png"]) == 0
    assert opened == [[], ["picture.png"]]


def test_the_version_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.strip()
