"""Forms from parameters, and the sliders in them."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from core import catalog
from core.catalog import params_of
from core.params import Choice, ModelName, PictureFile, Range
from editor.widgets.file_line import FileLine
from editor.widgets.forms import build_form
from editor.widgets.model_box import ModelBox
from editor.widgets.slider import NumberSlider

catalog.load("techniques", "modifiers", "brushes", "tools")
EVERY = [*catalog.techniques, *catalog.modifiers, *catalog.brushes, *catalog.tools]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.id)
def test_every_feature_has_a_form(qtbot: QtBot, kind: Any) -> None:
    form = build_form(params_of(kind)(), lambda _: None)
    qtbot.addWidget(form)
    assert len(form.fields) == len(params_of(kind).__dataclass_fields__)
    assert all(widget.accessibleName() for widget in form.fields.values())


def test_a_form_gives_values_and_shows_others(qtbot: QtBot) -> None:
    params = params_of(catalog.techniques["sdedit"])
    values: list[Any] = []
    form = build_form(params(), values.append)
    qtbot.addWidget(form)
    strength, sampler, prompt = (form.fields[name] for name in ("strength", "sampler", "prompt"))
    assert isinstance(strength, NumberSlider)
    assert isinstance(sampler, QComboBox)
    assert isinstance(prompt, (QLineEdit, QPlainTextEdit))
    strength.set_value(0.25, notify=True)
    sampler.setCurrentText("heun")
    QTest.keyClicks(prompt, "snow")
    assert (values[-1].strength, values[-1].sampler, values[-1].prompt) == (0.25, "heun", "snow")
    count = len(values)
    form.show_value(params(strength=0.5))
    assert strength.value == 0.5
    assert len(values) == count


def test_switches_tick(qtbot: QtBot) -> None:
    params = params_of(catalog.brushes["round"])
    values: list[Any] = []
    form = build_form(params(), values.append)
    qtbot.addWidget(form)
    box = form.fields["pressure_flow"]
    assert isinstance(box, QCheckBox)
    box.setChecked(True)
    assert values[-1].pressure_flow


@pytest.fixture
def slider(qtbot: QtBot) -> NumberSlider:
    made = NumberSlider(Range(0, 100, unit="%", step=1), 40, 70, "Flow")
    qtbot.addWidget(made)
    made.resize(200, 26)
    made.show()
    return made


def test_a_slider_drags_finely_with_shift(slider: NumberSlider) -> None:
    def drag(keys: Qt.KeyboardModifier) -> float:
        slider.set_value(40)
        QTest.mousePress(slider, Qt.MouseButton.LeftButton, keys, QPoint(80, 10))
        from PySide6.QtCore import QEvent, QPointF
        from PySide6.QtGui import QMouseEvent

        at = QPointF(120, 10)
        left = Qt.MouseButton.LeftButton
        slider.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, at, at, left, left, keys))
        QTest.mouseRelease(slider, left, keys, QPoint(120, 10))
        return slider.value

    assert drag(Qt.KeyboardModifier.NoModifier) == pytest.approx(60, abs=1)
    assert drag(Qt.KeyboardModifier.ShiftModifier) == pytest.approx(42, abs=0.5)


def test_a_slider_resets_types_and_stays_in_range(slider: NumberSlider) -> None:
    QTest.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert slider.value == 70
    slider.set_value(900)
    assert slider.value == 100
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert slider.value == 99
    slider._open_editor()
    slider._editor.setText("12")
    slider._editor.finish()
    assert slider.value == 12
    assert slider.text() == "12 %"


def test_a_choice_is_read_by_name_and_kept_by_id(qtbot: QtBot) -> None:
    @dataclass(frozen=True)
    class Params:
        way: Annotated[str, Choice(("a", "b"), "Way", names=("The first", "The second"))] = "b"

    values: list[Any] = []
    form = build_form(Params(), values.append)
    qtbot.addWidget(form)
    box = form.fields["way"]
    assert isinstance(box, QComboBox)
    assert box.currentText() == "The second"
    box.setCurrentIndex(0)
    assert values == [Params("a")]
    form.show_value(Params("b"))
    assert box.currentText() == "The second"
    assert len(values) == 1


def test_a_file_is_a_line_that_changes_at_once(qtbot: QtBot) -> None:
    @dataclass(frozen=True)
    class Params:
        sky: Annotated[str, PictureFile("Sky", "What is above.")] = ""

    values: list[Any] = []
    settled: list[Any] = []
    form = build_form(Params("/tmp/dawn.png"), values.append, settled.append)
    qtbot.addWidget(form)
    line = form.fields["sky"]
    assert isinstance(line, FileLine)
    assert (line.path, line.toolTip()) == ("/tmp/dawn.png", "What is above.")
    QTest.mouseClick(line.clear, Qt.MouseButton.LeftButton)
    assert values == settled == [Params("")]
    form.show_value(Params("/tmp/dusk.png"))
    assert line.path == "/tmp/dusk.png"
    assert len(values) == 1


def test_a_model_is_a_box_that_changes_at_once(qtbot: QtBot) -> None:
    @dataclass(frozen=True)
    class Params:
        judge: Annotated[str, ModelName("Judge", "Who decides.", "Nobody")] = ""

    values: list[Any] = []
    settled: list[Any] = []
    form = build_form(Params(), values.append, settled.append)
    qtbot.addWidget(form)
    box = form.fields["judge"]
    assert isinstance(box, ModelBox)
    assert (box.currentText(), box.toolTip()) == ("Nobody", "Who decides.")
    box.chosen.emit("toy")
    assert values == settled == [Params("toy")]
    form.show_value(Params(""))
    assert box.currentText() == "Nobody"
    assert len(values) == 1
