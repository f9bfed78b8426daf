"""The canvas bench measures a canvas that really paints."""

import json
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editor.dev import bench_ink
from editor.dev.bench import BARS, measure_start
from editor.dev.bench_ink import InkBench, SyntheticPen


@pytest.mark.gui
def test_strokes_take_time_and_leave_paint(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_ink, "SIDE", 1024)
    monkeypatch.setattr(bench_ink, "LAYERS", 3)
    ink = InkBench((1000, 700), 1)
    try:
        document = ink.app.session.studio.document
        times = ink.time_strokes(128, "at_100_percent")
        assert len(times) >= 10
        assert all(0 < seconds < 1 for seconds in times)
        assert [edit.label for edit in document.history.done] == ["Brush stroke"]
        assert {"open", "undo", "hide_layer"} <= set(ink.measure_blocking())
        assert not document.root.children[2].visible
    finally:
        ink.close()


@pytest.mark.gui
def test_the_pen_times_every_movement(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    QApplication.processEvents()
    assert len(SyntheticPen(widget).stroke([(1, 1), (2, 2), (3, 3)])) == 2


def test_a_fresh_editor_paints_without_torch_and_within_memory() -> None:
    facts = measure_start()
    assert facts["torch"] is False
    assert 0 < facts["seconds"] < 60
    assert 20 < facts["memory_mb"] < BARS["memory_mb"]


def test_an_unknown_option_is_named() -> None:
    line = [sys.executable, "-m", "editor.dev.bench", "--nonsense"]
    run = subprocess.run(line, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--nonsense" in run.stderr


@pytest.mark.slow
def test_all_figures_come_as_one_json_object() -> None:
    line = [sys.executable, "-m", "editor.dev.bench", "--json", "--quick"]
    run = subprocess.run(line, capture_output=True, text=True, check=True)
    figures = json.loads(run.stdout)
    assert figures["torch_in_editor"] is False
    assert set(figures["ink"]) == {
        f"{dab}px_{where}" for dab in (128, 512) for where in ("at_100_percent", "zoomed_out")
    }
    assert all(figure["p95"] >= figure["median"] > 0 for figure in figures["ink"].values())
