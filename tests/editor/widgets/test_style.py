"""Dialogs and arrows have the program's own icons, in the theme's colours."""

from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyleOption
from pytestqt.qtbot import QtBot

from editor.widgets.style import ARROWS, ICONS, Style, apply_theme
from editor.widgets.theme import DARK, LIGHT, Tokens
from editor.widgets.theme import ICONS as FOLDER


@pytest.mark.parametrize("name", sorted({*ICONS.values(), *ARROWS.values()}))
def test_every_icon_is_a_file_of_the_set(name: str) -> None:
    assert "currentColor" in Path(FOLDER / f"{name}.svg").read_text("utf-8")


@pytest.mark.parametrize("tokens", [DARK, LIGHT])
def test_icons_have_the_text_colour(qtbot: QtBot, tokens: Tokens) -> None:
    style = Style(tokens)
    for kind in ICONS:
        drawn = style.standardIcon(kind).pixmap(18, 18).toImage()
        assert strongest_colour(drawn) == QColor(tokens.text).rgb()


@pytest.mark.parametrize("element", list(ARROWS))
def test_arrows_are_drawn_in_the_middle(qtbot: QtBot, element: QStyle.PrimitiveElement) -> None:
    image = QImage(32, 32, QImage.Format.Format_ARGB32)
    image.fill(0)
    option = QStyleOption()
    option.rect = QRect(0, 0, 32, 32)
    option.state = QStyle.StateFlag.State_Enabled
    painter = QPainter(image)
    Style(DARK).drawPrimitive(element, option, painter)
    painter.end()
    inside = [(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha()]
    assert inside
    assert all(9 <= x <= 22 and 9 <= y <= 22 for x, y in inside)


def test_the_window_has_the_programs_icon(qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, "dark")
    assert not application.windowIcon().isNull()
    assert application.windowIcon().pixmap(32, 32).toImage().pixelColor(16, 4).alpha() == 255


def strongest_colour(image: QImage) -> int:
    """The colour of a pixel without anti-aliasing."""
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return max(pixels, key=lambda colour: colour.alpha()).rgb()
