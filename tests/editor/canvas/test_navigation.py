"""Moving the view of a canvas: keys, drags, the wheel and the window's size."""

from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editor.canvas.canvas import Canvas
from editor.canvas.view_transform import ViewTransform
from tests.editor.canvas.canvas_pixels import alpha_at
from tests.editor.input_events import MIDDLE, Mouse, press_key, release_key, turn_wheel

pytestmark = pytest.mark.gui


def test_space_the_middle_button_and_the_hand_move_the_view(canvas: Canvas) -> None:
    press_key(canvas, Qt.Key.Key_Space)
    Mouse(canvas).drag((100, 100), (130, 90))
    release_key(canvas, Qt.Key.Key_Space)
    assert canvas.view == ViewTransform(1.0, 80, 40)
    Mouse(canvas, MIDDLE).drag((100, 100), (70, 110))
    assert canvas.view == ViewTransform(1.0, 50, 50)
    canvas.studio.choose(tool="hand")
    Mouse(canvas).drag((100, 100), (120, 100), (110, 130))
    assert (canvas.view.x, canvas.view.y) == pytest.approx((60, 80))
    assert not canvas.document.history.done


def test_a_key_held_when_the_focus_left_is_forgotten(canvas: Canvas) -> None:
    press_key(canvas, Qt.Key.Key_Space)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    Mouse(canvas).drag((100, 100), (150, 100))
    assert alpha_at(canvas, 70, 50) == 255


def test_r_turns_by_drag_and_by_tap(canvas: Canvas) -> None:
    press_key(canvas, Qt.Key.Key_R)
    Mouse(canvas).drag((450, 200), (250, 390))
    release_key(canvas, Qt.Key.Key_R)
    assert canvas.view.angle == pytest.approx(90)
    press_key(canvas, Qt.Key.Key_R)
    release_key(canvas, Qt.Key.Key_R)
    assert canvas.view.angle == pytest.approx(105)
    canvas.turn_upright()
    assert canvas.view.angle == pytest.approx(0)


def test_the_canvas_claims_its_keys_from_menus_and_leaves_the_rest(canvas: Canvas) -> None:
    def is_claimed(key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, keys)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert is_claimed(Qt.Key.Key_R)
    assert is_claimed(Qt.Key.Key_Space)
    assert not is_claimed(Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert not is_claimed(Qt.Key.Key_B)
    assert not is_claimed(Qt.Key.Key_Escape)
    Mouse(canvas).press((100, 100))
    assert is_claimed(Qt.Key.Key_Escape)
    canvas.cancel()


def test_the_wheel_zooms_at_the_pointer_unless_a_filter_takes_it(canvas: Canvas) -> None:
    turn_wheel(canvas, (150, 120), 1)
    assert canvas.view.zoom == pytest.approx(1.2)
    assert canvas.view.to_document(150, 120) == pytest.approx((100, 70))
    calls: list[tuple[float, float]] = []

    def take(event: Any, x: float, y: float) -> bool:
        calls.append((round(x), round(y)))
        return True

    canvas.wheel_filters.append(take)
    turn_wheel(canvas, (150, 120), 1)
    assert canvas.view.zoom == pytest.approx(1.2)
    assert calls == [(100, 70)]


def test_a_fitted_view_follows_the_window_and_a_chosen_one_does_not(canvas: Canvas) -> None:
    canvas.fit()
    canvas.resize(300, 250)
    QApplication.processEvents()
    assert canvas.view.zoom == pytest.approx((300 - 48) / 400)
    canvas.zoom_to_actual_size()
    canvas.resize(500, 400)
    QApplication.processEvents()
    assert canvas.view.zoom == 1


def test_zoom_and_position_are_emitted(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignals([canvas.zoomed, canvas.hovered]):
        canvas.zoom_to(2.0)
        Mouse(canvas).move((60, 60))
