"""The dark and the light theme: colour tokens, palette, style sheet and icons."""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
ICONS = RESOURCES / "icons"
SHEET = RESOURCES / "style.qss"
ICON = 18


@dataclass(frozen=True)
class Tokens:
    """The colours of one theme by what they are for."""

    surround: str
    well: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    accent: str
    on_accent: str
    danger: str
    ok: str


DARK = Tokens(
    surround="#2b2b2b",
    well="#2b2b2b",
    panel="#333333",
    raised="#3d3d3d",
    line="#242424",
    text="#d6d6d6",
    dim="#a6a6a6",
    accent="#e0a458",
    on_accent="#20180c",
    danger="#ef8a82",
    ok="#8fc27f",
)
LIGHT = Tokens(
    surround="#c8c8c8",
    well="#fbfbfb",
    panel="#ececec",
    raised="#f8f8f8",
    line="#c4c4c4",
    text="#262626",
    dim="#5c5c5c",
    accent="#8a5410",
    on_accent="#ffffff",
    danger="#a8322b",
    ok="#3d6e2e",
)
THEMES = {"dark": DARK, "light": LIGHT}


def make_palette(tokens: Tokens) -> QPalette:
    """Qt's colour roles in a theme."""
    role = QPalette.ColorRole
    palette = QPalette()
    for key, colour in (
        (role.Window, tokens.panel),
        (role.WindowText, tokens.text),
        (role.Base, tokens.well),
        (role.AlternateBase, tokens.panel),
        (role.Text, tokens.text),
        (role.PlaceholderText, tokens.dim),
        (role.Button, tokens.raised),
        (role.ButtonText, tokens.text),
        (role.ToolTipBase, tokens.raised),
        (role.ToolTipText, tokens.text),
        (role.Highlight, tokens.accent),
        (role.HighlightedText, tokens.on_accent),
        (role.Link, tokens.accent),
        (role.Mid, tokens.line),
    ):
        palette.setColor(key, QColor(colour))
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, _fade(tokens))
    return palette


def make_sheet(tokens: Tokens) -> str:
    """The style sheet in a theme's colours."""
    sheet = Template(SHEET.read_text("utf-8"))
    return sheet.substitute(asdict(tokens), faded=_fade(tokens).name(), icons=ICONS.as_posix())


def _fade(tokens: Tokens) -> QColor:
    text, panel = QColor(tokens.text), QColor(tokens.panel)
    mixed = [(a + b) // 2 for a, b in zip(_rgb(text), _rgb(panel), strict=True)]
    return QColor(*mixed)


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


def contrast(first: str, second: str) -> float:
    """The WCAG 2 contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (channel / 255 for channel in _rgb(QColor(colour)))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@cache
def icon(name: str, colour: str, faded: str = "") -> QIcon:
    """A Lucide icon in one colour, and in another where its button is disabled."""
    made = QIcon()
    for scale in (1, 2):
        made.addPixmap(pixmap(name, colour, ICON, scale))
        if faded:
            made.addPixmap(pixmap(name, faded, ICON, scale), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, colour: str, side: int = ICON, scale: int = 1) -> QPixmap:
    """A Lucide icon drawn at a size in logical pixels."""
    svg = (ICONS / f"{name}.svg").read_text("utf-8").replace("currentColor", colour)
    drawn = QPixmap(side * scale, side * scale)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, side * scale, side * scale))
    painter.end()
    drawn.setDevicePixelRatio(scale)
    return drawn
