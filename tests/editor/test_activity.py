"""Presses, keys and the wheel are noticed wherever they go, and only while it listens."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from editor.activity import ActivityWatcher

pytestmark = pytest.mark.gui


class Touched:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def touched(qtbot: QtBot) -> Iterator[Touched]:
    application, seen = QApplication.instance(), Touched()
    assert application is not None
    hand = ActivityWatcher(application, seen)
    hand.listen(True)
    hand.listen(True)
    yield seen
    hand.listen(False)
    hand.deleteLater()


def test_keys_and_presses_are_touches_and_moves_are_not(qtbot: QtBot, touched: Touched) -> None:
    field = QPlainTextEdit()
    qtbot.addWidget(field)
    field.show()
    QApplication.processEvents()
    touched.count = 0
    QTest.mouseMove(field.viewport())
    QApplication.processEvents()
    assert touched.count == 0
    QTest.keyClick(field, Qt.Key.Key_A)
    assert field.toPlainText() == "a", "the key arrives all the same"
    after_key = touched.count
    assert after_key > 0
    QTest.mousePress(field.viewport(), Qt.MouseButton.LeftButton)
    after_press = touched.count
    assert after_press > after_key
    QTest.mouseRelease(field.viewport(), Qt.MouseButton.LeftButton)
    assert touched.count > after_press


def test_it_hears_nothing_when_it_does_not_listen(qtbot: QtBot) -> None:
    application, seen, field = QApplication.instance(), Touched(), QPlainTextEdit()
    assert application is not None
    qtbot.addWidget(field)
    hand = ActivityWatcher(application, seen)
    QTest.keyClick(field, Qt.Key.Key_A)
    hand.listen(True)
    hand.listen(False)
    QTest.keyClick(field, Qt.Key.Key_B)
    assert seen.count == 0
    hand.deleteLater()
