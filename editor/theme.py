"""Colours, sizes and icons: tokens for the dark and the light theme, turned into Qt's terms."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

ICONS = Path(__file__).resolve().parent.parent / "resources" / "icons"
ICON = 18
RADIUS = 4
STEP = 4


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


def apply(application: QApplication, name: str) -> Tokens:
    """Dress the whole application; an unknown name is the dark theme."""
    tokens = THEMES.get(name, DARK)
    application.setStyle("Fusion")
    application.setPalette(_palette(tokens))
    application.setStyleSheet(_sheet(tokens))
    return tokens


def _palette(tokens: Tokens) -> QPalette:
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
        palette.setColor(QPalette.ColorGroup.Disabled, key, _faded(tokens))
    return palette


def _faded(tokens: Tokens) -> QColor:
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


def _sheet(t: Tokens) -> str:
    return f"""
* {{ font-size: 12px; }}
QMainWindow, QDialog {{ background: {t.panel}; }}
QMainWindow::separator {{ background: {t.line}; width: 3px; height: 3px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QMenuBar, QStatusBar, QToolBar {{ background: {t.panel}; border: none; }}
QMenuBar::item {{ padding: 4px 8px; background: transparent; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 4px 24px 4px 12px; border-radius: {RADIUS}px; }}
QMenu::item:disabled {{ color: {_faded(t).name()}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px; }}
QToolBar {{ spacing: 4px; padding: 4px; border-bottom: 1px solid {t.line}; }}
QToolBar#Options QLabel {{ padding-left: 8px; }}
QToolBar#Toolbox {{ border-right: 1px solid {t.line}; border-bottom: none; }}
QStatusBar {{ border-top: 1px solid {t.line}; color: {t.dim}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {t.dim}; padding: 0 4px; }}
QDockWidget {{ titlebar-close-icon: none; titlebar-normal-icon: none; color: {t.text}; }}
QDockWidget::title {{ background: {t.panel}; padding: 6px 8px; border-bottom: 1px solid {t.line}; }}
QTabBar::tab {{ background: {t.panel}; color: {t.dim}; padding: 5px 12px; border: none; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QToolButton, QPushButton {{ background: {t.raised}; border: 1px solid {t.line};
  border-radius: {RADIUS}px; padding: 4px 8px; color: {t.text}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; padding: 4px; }}
QToolButton:hover, QPushButton:hover {{ background: {t.raised}; border-color: {t.dim}; }}
QToolButton:checked {{ background: {t.raised}; border-color: {t.accent}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {t.line}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {t.accent}; }}
QPushButton:default {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {_faded(t).name()}; background: {t.panel}; }}
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDoubleSpinBox {{
  background: {t.well}; color: {t.text}; border: 1px solid {t.line};
  border-radius: {RADIUS}px; padding: 3px 6px; selection-background-color: {t.accent};
  selection-color: {t.on_accent}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QSpinBox:focus {{
  border-color: {t.accent}; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.line}; }}
QListView, QTreeView, QScrollArea {{ background: {t.panel}; border: none; outline: none; }}
QListView::item:selected, QTreeView::item:selected {{ background: {t.raised}; color: {t.text}; }}
QProgressBar {{ background: {t.surround}; border: 1px solid {t.line}; border-radius: {RADIUS}px;
  text-align: center; color: {t.text}; height: 14px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.raised}; border-radius: 5px; min-height: 24px;
  min-width: 24px; }}
QScrollBar::handle:hover {{ background: {t.dim}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QCheckBox {{ spacing: 6px; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
QLabel[role="dim"] {{ color: {t.dim}; }}
QLabel[role="error"] {{ color: {t.danger}; }}
QLabel[role="title"] {{ font-size: 20px; }}
QFrame#Strip {{ background: {t.raised}; border-bottom: 1px solid {t.line}; }}
"""
