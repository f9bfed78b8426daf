"""The example plugin: its brush is a brush, its menu entry one undo entry."""

from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from core.geometry import Size
from core.paint.flatten import flatten
from core.paint.pointer import Sample
from core.plugins import SHIPPED, load_plugins
from editor.commands.document_edits import new_document
from tests.editor.app_window import window


@pytest.fixture
def chisel() -> Any:
    (plugin,) = load_plugins(SHIPPED)
    return plugin.module


def test_the_nib_is_broad_along_its_angle(chisel: Any) -> None:
    brush = chisel.Chisel(chisel.Chisel.Params(size=60, angle=0, thin=20))
    rows, columns = np.nonzero(brush.stamp(Sample(100, 100)).alpha > 127)
    assert np.ptp(columns) == pytest.approx(60, abs=2)
    assert np.ptp(rows) == pytest.approx(12, abs=2)


def test_no_pressure_leaves_nothing(chisel: Any) -> None:
    assert not chisel.Chisel(chisel.Chisel.Params()).stamp(Sample(50, 50, 0)).alpha.any()


def test_the_frame_is_one_entry(chisel: Any) -> None:
    document = new_document(Size(200, 100), (0, 0, 0, 255))
    before = flatten(document.root, document.bounds)
    chisel.add_frame(document)
    shown = flatten(document.root, document.bounds)
    assert shown[0, 0].tolist() == shown[99, 199].tolist() == [255] * 4
    assert shown[50, 100].tolist() == [0, 0, 0, 255]
    assert len(document.history.done) == 1
    document.undo()
    assert np.array_equal(flatten(document.root, document.bounds), before)


def test_the_window_has_its_menu_entry(qtbot: QtBot) -> None:
    with window() as app:
        app.session.studio.open(new_document(Size(64, 48), None))
        assert "Plugins" in app.window.menus
        app.session.actions.run("plugin-frame")
        active = app.session.studio.document.active
        assert active is not None
        assert active.name == "Frame"


def test_a_plugin_that_fails_is_told_and_the_window_opens(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.settings import folders

    folder = folders().plugins
    folder.mkdir(parents=True)
    (folder / "bad.py").write_text("def setup(api):\n    api.no_such_thing()\n")
    with window() as app:
        assert app.window.message_bar.sentence.text() == "Not loaded: bad."
        assert any("no_such_thing" in plugin.trace for plugin in app.plugins)
