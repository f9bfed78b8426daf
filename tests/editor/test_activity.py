"""Presses, keys and the wheel are noticed anywhere, and only while the watcher is on."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from editor.activity import ActivityWatcher

pytestmark = pytest.mark.gui


class CallCounter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def counter(qtbot: QtBot) -> Iterator[CallCounter]:
    application, counter = QApplication.instance(), CallCounter()
    assert application is not None
    watcher = ActivityWatcher(application, counter)
    watcher.listen(True)
    watcher.listen(True)
    yield counter
    watcher.listen(False)
    watcher.deleteLater()


def test_keys_and_presses_are_activity_and_moves_are_not(
    qtbot: QtBot, counter: CallCounter
) -> None:
    field = QPlainTextEdit()
    qtbot.addWidget(field)
    field.show()
    QApplication.processEvents()
    counter.count = 0
    QTest.mouseMove(field.viewport())
    QApplication.processEvents()
    assert counter.count == 0
    QTest.keyClick(field, Qt.Key.Key_A)
    assert field.toPlainText() == "a", "the key arrives all the same"
    after_key = counter.count
    assert after_key > 0
    QTest.mousePress(field.viewport(), Qt.MouseButton.LeftButton)
    after_press = counter.count
    assert after_press > after_key
    QTest.mouseRelease(field.viewport(), Qt.MouseButton.LeftButton)
    assert counter.count > after_press


def test_nothing_is_noticed_while_it_is_off(qtbot: QtBot) -> None:
    application, counter, field = QApplication.instance(), CallCounter(), QPlainTextEdit()
    assert application is not None
    qtbot.addWidget(field)
    watcher = ActivityWatcher(application, counter)
    QTest.keyClick(field, Qt.Key.Key_A)
    watcher.listen(True)
    watcher.listen(False)
    QTest.keyClick(field, Qt.Key.Key_B)
    assert counter.count == 0
    watcher.deleteLater()
