"""Fusion with the program's own icons and arrows, in dialogs too."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle, QStyleOption, QWidget

from editor.widgets.theme import (
    DARK,
    RESOURCES,
    THEMES,
    Tokens,
    icon,
    make_palette,
    make_sheet,
    pixmap,
)

Icon = QStyle.StandardPixmap
ICONS = {
    Icon.SP_DirIcon: "folder",
    Icon.SP_DirClosedIcon: "folder",
    Icon.SP_DirOpenIcon: "folder-open",
    Icon.SP_DirHomeIcon: "house",
    Icon.SP_DirLinkIcon: "folder",
    Icon.SP_FileIcon: "file",
    Icon.SP_FileLinkIcon: "file",
    Icon.SP_ComputerIcon: "monitor",
    Icon.SP_DesktopIcon: "monitor",
    Icon.SP_DriveHDIcon: "folder",
    Icon.SP_ArrowLeft: "chevron-left",
    Icon.SP_ArrowRight: "chevron-right",
    Icon.SP_ArrowUp: "chevron-up",
    Icon.SP_ArrowDown: "chevron-down",
    Icon.SP_ArrowBack: "chevron-left",
    Icon.SP_ArrowForward: "chevron-right",
    Icon.SP_FileDialogBack: "chevron-left",
    Icon.SP_FileDialogToParent: "arrow-up",
    Icon.SP_FileDialogNewFolder: "folder-plus",
    Icon.SP_FileDialogDetailedView: "list",
    Icon.SP_FileDialogListView: "layout-grid",
    Icon.SP_FileDialogContentsView: "list",
    Icon.SP_LineEditClearButton: "x",
    Icon.SP_MessageBoxInformation: "info",
    Icon.SP_MessageBoxQuestion: "info",
    Icon.SP_MessageBoxWarning: "circle-alert",
    Icon.SP_MessageBoxCritical: "circle-alert",
    Icon.SP_TitleBarCloseButton: "x",
    Icon.SP_DockWidgetCloseButton: "x",
    Icon.SP_TitleBarNormalButton: "square",
}
"""Lucide icons for what Qt's dialogs ask of a style; others stay Qt's."""
Primitive = QStyle.PrimitiveElement
ARROWS = {
    Primitive.PE_IndicatorArrowUp: "chevron-up",
    Primitive.PE_IndicatorArrowDown: "chevron-down",
    Primitive.PE_IndicatorArrowLeft: "chevron-left",
    Primitive.PE_IndicatorArrowRight: "chevron-right",
    Primitive.PE_IndicatorSpinUp: "chevron-up",
    Primitive.PE_IndicatorSpinDown: "chevron-down",
}
ARROW_SIDE = 12
WINDOW_ICON = RESOURCES / "icons" / "sfumato.svg"


class Style(QProxyStyle):
    """The style of one theme; the application owns it."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__("Fusion")
        self._tokens = tokens

    def standardIcon(
        self, kind: Icon, option: QStyleOption | None = None, widget: QWidget | None = None
    ) -> QIcon:
        if kind in ICONS:
            return icon(ICONS[kind], self._tokens.text, self._tokens.dim)
        return super().standardIcon(kind, option, widget)

    def standardPixmap(
        self, kind: Icon, option: QStyleOption | None = None, widget: QWidget | None = None
    ) -> QPixmap:
        if kind in ICONS:
            return pixmap(ICONS[kind], self._tokens.text, scale=2)
        return super().standardPixmap(kind, option or QStyleOption(), widget)

    def drawPrimitive(
        self,
        element: Primitive,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if element not in ARROWS:
            super().drawPrimitive(element, option, painter, widget)
            return
        is_enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        colour = self._tokens.text if is_enabled else self._tokens.line
        side = min(ARROW_SIDE, option.rect.width(), option.rect.height())
        place = QRect(0, 0, side, side)
        place.moveCenter(option.rect.center())
        icon(ARROWS[element], colour).paint(painter, place)


def apply_theme(application: QApplication, name: str) -> Tokens:
    """Apply a theme to the whole application; an unknown name is the dark theme."""
    tokens = THEMES.get(name, DARK)
    application.setStyle(Style(tokens))
    application.setPalette(make_palette(tokens))
    application.setStyleSheet(make_sheet(tokens))
    application.setWindowIcon(QIcon(str(WINDOW_ICON)))
    return tokens
