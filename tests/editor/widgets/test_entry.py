"""What is typed counts once, and gives the focus back."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.params import Range
from editor.widgets.entry import EntryField, finish_entry
from editor.widgets.slider import NumberSlider

RIGHT_HALF = QPoint(90, 13)


class Window(QMainWindow):
    """A window with a place for the focus, an entry and a slider."""

    def __init__(self) -> None:
        super().__init__()
        self.home = QWidget()
        self.home.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.entry = EntryField()
        self.slider = NumberSlider(Range(1, 1000, step=1), 24, 24, "Size")
        self.slider.setFixedWidth(120)
        middle = QWidget()
        column = QVBoxLayout(middle)
        for widget in (self.home, self.entry, self.slider):
            column.addWidget(widget)
        self.setCentralWidget(middle)
        self.setFocusProxy(self.home)
        self.texts: list[str] = []
        self.entry.ended.connect(self.texts.append)
        self.values: list[float] = []
        self.slider.settled.connect(self.values.append)

    def type_value(self, text: str, end: Qt.Key) -> None:
        """Click the value of the slider, type, and end with a key."""
        QTest.mouseClick(self.slider, Qt.MouseButton.LeftButton, pos=RIGHT_HALF)
        assert self.slider._editor.hasFocus()
        QTest.keyClicks(self.slider._editor, text)
        QTest.keyClick(self.slider._editor, end)


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    made = Window()
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitExposed(made)
    return made


def test_enter_takes_the_text_and_gives_the_focus_back(window: Window) -> None:
    window.entry.setFocus()
    QTest.keyClicks(window.entry, "7")
    QTest.keyClick(window.entry, Qt.Key.Key_Return)
    assert window.texts == ["7"]
    assert window.home.hasFocus()


def test_escape_takes_the_text_back(window: Window) -> None:
    window.entry.setText("7")
    window.entry.setFocus()
    QTest.keyClicks(window.entry, "89")
    QTest.keyClick(window.entry, Qt.Key.Key_Escape)
    assert window.texts == ["7"]
    assert window.home.hasFocus()


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_in_a_slider_closes_its_field_for_good(window: Window, end: Qt.Key) -> None:
    window.type_value("120", end)
    assert window.slider.value == 120
    assert window.values == [120]
    assert window.home.hasFocus()
    assert not window.slider._editor.isVisible()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5000", 1000),
        ("0", 1),
        ("0.0001", 1),
        ("12,5", 12.5),
        (",7", 1),
        ("-3", 1),
        ("-", 24),
        ("\b", 24),
    ],
)
def test_a_slider_takes_the_nearest_value_it_has(window: Window, text: str, value: float) -> None:
    window.type_value(text, Qt.Key.Key_Return)
    assert window.slider.value == value
    assert window.home.hasFocus()
    assert not window.slider._editor.isVisible()


def test_escape_in_a_slider_changes_nothing(window: Window) -> None:
    window.type_value("120", Qt.Key.Key_Escape)
    assert (window.slider.value, window.values) == (24, [])
    assert window.home.hasFocus()


def test_a_digit_begins_the_value(window: Window) -> None:
    window.slider.setFocus()
    QTest.keyClicks(window.slider, "3")
    QTest.keyClicks(window.slider._editor, "6")
    QTest.keyClick(window.slider._editor, Qt.Key.Key_Return)
    assert window.slider.value == 36


def test_a_click_elsewhere_takes_the_value(window: Window) -> None:
    QTest.mouseClick(window.slider, Qt.MouseButton.LeftButton, pos=RIGHT_HALF)
    QTest.keyClicks(window.slider._editor, "77")
    window.home.setFocus()
    assert window.slider.value == 77


def test_a_command_finishes_what_is_typed(window: Window) -> None:
    window.entry.setFocus()
    QTest.keyClicks(window.entry, "new")
    finish_entry()
    assert window.texts == ["new"]


def test_a_floating_dock_gives_the_focus_to_the_main_window(window: Window) -> None:
    dock, field = QDockWidget("Dock", window), EntryField()
    dock.setWidget(field)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    dock.setFloating(True)
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.focusWidget() is window.home
