"""The main window: menus, bars and docks around the canvas, nothing else."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QEvent, QMimeData, QObject, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QDockWidget,
    QLineEdit,
    QMainWindow,
    QMessageBox,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.errors import FileError, readable
from editor.actions import MENUS
from editor.commands.settings import change_settings
from editor.panels.panel import Panel, panels
from editor.shell.command_palette import CommandPalette
from editor.shell.dock_layout import DockLayout
from editor.shell.keys_dialog import KeysDialog
from editor.shell.message_bar import MessageBar
from editor.shell.options_bar import OptionsBar
from editor.shell.settings_dialog import SettingsDialog
from editor.shell.start_page import StartPage
from editor.shell.status_bar import StatusBar
from editor.shell.toolbox import Toolbox
from editor.shell.window_place import (
    first_rect,
    fit_frame,
    place_of,
    restore_place,
    screen_key,
    stand,
    with_place,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import (
        QMenu,
    )

    from core.settings import Settings
    from editor.session import Session

P = TypeVar("P", bound=QWidget)
SIZE = (1280, 800)
"""Logical pixels of a window that is opened for the first time, where a screen has them."""
WINDOW_MENU = "Window"
"""Lists the docks; it stands before Help."""


class MainWindow(QMainWindow):
    """Built once by the App around the parts of a session.

    ``path_chosen`` carries a file to open, ``path_dropped`` one that was dropped on the window.
    ``may_close`` is asked before the window goes.
    """

    path_chosen = Signal(Path)
    path_dropped = Signal(Path)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.may_close: Callable[[], bool] = lambda: True
        self.setAcceptDrops(True)
        self.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AnimatedDocks
        )
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.message_bar = MessageBar(session.tokens.value)
        self.start_page = StartPage(session)
        self.start_page.chosen.connect(self.path_chosen)
        self._middle = QStackedWidget()
        self._middle.addWidget(self.start_page)
        self._middle.addWidget(session.canvas)
        self.column = QVBoxLayout()
        self._lay_out()
        self.toolbox = Toolbox(session)
        self.options = OptionsBar(session)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.options)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.toolbox)
        self.docks: dict[str, QDockWidget] = {}
        self.menus: dict[str, QMenu] = {}
        self.layout_of_docks = DockLayout(self, self.docks)
        self._is_placed = False
        self._make_docks()
        self._leave: Callable[[], None] = lambda: None
        self._connect()
        self._on_opened()
        room = self.screen().availableGeometry()
        stand(self, self.layout_of_docks, first_rect(QSize(*SIZE), room))
        self.start_page.refresh()
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    def _lay_out(self) -> None:
        centre = QWidget()
        centre.setLayout(self.column)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addWidget(self.message_bar)
        self.column.addWidget(self._middle, 1)
        self.setCentralWidget(centre)
        # Who ends an entry gives the focus to the window.
        self.setFocusProxy(self.session.canvas)

    def _connect(self) -> None:
        session = self.session
        session.told.connect(lambda message: self.message_bar.tell(*message))
        session.noted.connect(lambda note: self.status.say(*note))
        session.tokens.changed.connect(self.message_bar.apply_theme)
        session.studio.opened.connect(lambda _: self._on_opened())
        session.studio.saved.connect(lambda _: self.show_title())
        self.options.brush_asked_for.connect(lambda: self.show_dock("brush"))

    # Building

    def _make_docks(self) -> None:
        """A row for each panel, in the order of their places; the layout makes tabs of some."""
        for kind in sorted(panels, key=lambda kind: kind.place.position):
            self.add_panel(kind)

    def add_panel(self, kind: type[Panel]) -> QDockWidget:
        """Build a panel and put it into a dock."""
        return self.add_dock(kind.id, kind.title, _build_panel(kind, self.session))

    def add_dock(self, name: str, title: str, widget: QWidget) -> QDockWidget:
        """Put a widget into a dock on the right."""
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock-{name}")
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
        )
        dock.setWidget(widget)
        dock.setMinimumWidth(260)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        self.docks[name] = dock
        self.layout_of_docks.watch(dock)
        return dock

    def panel(self, kind: type[P]) -> P:
        """The panel of a kind. Raises KeyError when no dock holds one."""
        found = [dock.widget() for dock in self.docks.values()]
        for widget in found:
            if isinstance(widget, kind):
                return widget
        raise KeyError(kind.__name__)

    def make_menus(self) -> None:
        """Menus of all commands that there are, and then the layout that was remembered."""
        for name in MENUS:
            if name == "Help":
                self.menus[WINDOW_MENU] = self.menuBar().addMenu(WINDOW_MENU)
            if name:
                self.menus[name] = self.menuBar().addMenu(name)
        for command in self.session.actions:
            self.show_command(command.id)
        for dock in self.docks.values():
            self.menus[WINDOW_MENU].addAction(dock.toggleViewAction())
        self._recent = self.menus["File"].addMenu("Open recent")
        self._recent.aboutToShow.connect(self._list_recent)
        self._restore()

    def show_command(self, name: str) -> None:
        """Put a command's action into its menu, which is made when it is the first there."""
        command, action = self.session.actions.commands[name], self.session.actions[name]
        self.addAction(action)
        if not command.menu:
            return
        if command.menu not in self.menus:
            self.menus[command.menu] = self.menuBar().addMenu(command.menu)
        menu = self.menus[command.menu]
        if menu.actions() and menu.property("section") != command.section:
            menu.addSeparator()
        menu.setProperty("section", command.section)
        menu.addAction(action)

    def _list_recent(self) -> None:
        self._recent.clear()
        recent = self.session.settings.value.recent
        for name in recent:
            action = QAction(readable(Path(name).name), self._recent)
            action.setToolTip(readable(name))
            action.triggered.connect(lambda _=False, name=name: self.path_chosen.emit(Path(name)))
            self._recent.addAction(action)
        self._recent.setEnabled(bool(recent))

    # What it shows

    def show_above(self, widget: QWidget) -> None:
        """Put a widget above the canvas and the message bar."""
        self.column.insertWidget(0, widget)

    def show_canvas(self) -> None:
        self._middle.setCurrentWidget(self.session.canvas)
        self.session.canvas.setFocus()
        self.session.canvas.fit()

    def _on_opened(self) -> None:
        studio = self.session.studio
        self._leave()
        self._leave = studio.document.restructured.connect(lambda _: self.show_title())
        self.show_title()
        if studio.has_document:
            self.show_canvas()

    def show_title(self) -> None:
        studio = self.session.studio
        path = studio.document.path
        name = readable(path.name) if path else "Untitled"
        mark = "*" if studio.document.is_modified else ""
        self.setWindowTitle(f"{name}{mark} · Sfumato" if studio.has_document else "Sfumato")

    def show_dock(self, name: str) -> None:
        """Show a dock, in front of those that share its place."""
        self.docks[name].show()
        self.docks[name].raise_()

    def toggle_docks(self) -> None:
        self.layout_of_docks.toggle()

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def find_command(self) -> None:
        palette = CommandPalette(self.session, self)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.move(self.mapToGlobal(self.rect().center()) - palette.rect().center())
        palette.open()
        palette.search.setFocus()

    def show_keys(self) -> None:
        dialog = KeysDialog(self.session, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        dialog.search.setFocus()

    def show_settings(self) -> None:
        dialog = SettingsDialog(self.session.settings.value, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._change_settings(dialog.settings_wanted))
        dialog.open()

    def _change_settings(self, settings: "Settings") -> None:
        try:
            change_settings(self.session, settings)
        except FileError as error:
            self.session.tell(str(error))

    def show_about(self) -> None:
        text = (
            "An editor for people who paint with diffusion. Everything runs on this machine: "
            "no account, no telemetry, and no network unless you ask for a model."
        )
        box = QMessageBox(QMessageBox.Icon.NoIcon, "About Sfumato", "Sfumato", parent=self)
        box.setInformativeText(text)
        box.open()

    # Qt's events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Letters type where words are written and are commands everywhere else."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() in (
                Qt.KeyboardModifier.NoModifier,
                Qt.KeyboardModifier.ShiftModifier,
            )
            if plain and isinstance(watched, (QLineEdit, QPlainTextEdit, QAbstractSpinBox)):
                event.accept()
                return False
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.session.ai.seeds.keep()
        else:
            super().keyPressEvent(event)

    def _escape(self) -> None:
        """Stop the gesture, else leave the text, else stop the jobs; what is done stays."""
        session = self.session
        if session.canvas.is_gesturing:
            session.canvas.cancel()
        elif self._is_writing() and session.canvas.isVisible():
            session.canvas.setFocus()
        else:
            session.jobs.cancel_all()

    def _is_writing(self) -> bool:
        """Whether the focus is in a field for text."""
        return isinstance(self.focusWidget(), (QLineEdit, QPlainTextEdit, QAbstractSpinBox))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for path in _paths(event.mimeData()):
            self.path_dropped.emit(path)
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.may_close():
            event.accept()
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Drags between docks are the window's own, and no signal tells of them."""
        if event.type() is QEvent.Type.MouseButtonPress:
            self.layout_of_docks.note_press()
        is_taken = super().event(event)
        if event.type() is QEvent.Type.MouseButtonRelease:
            # Qt moves the docks a moment after the pointer.
            QTimer.singleShot(0, self, self.layout_of_docks.note_release)
        return is_taken

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layout_of_docks.arrange_soon()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._is_placed:
            self._is_placed = True
            self.layout_of_docks.arrange_soon()
            QTimer.singleShot(0, self, lambda: fit_frame(self))

    def places(self) -> "dict[str, Mapping[str, Any]]":
        """The settings' places of windows by screen, with that of this one."""
        known = self.session.settings.value.windows
        return with_place(known, screen_key(self.screen()), place_of(self, self.layout_of_docks))

    def _restore(self) -> None:
        """Stand where the window stood last."""
        known = self.session.settings.value.windows
        note = restore_place(self, self.layout_of_docks, known)
        if note:
            self.session.tell(note)


def _paths(data: QMimeData) -> list[Path]:
    return [_local_path(url) for url in data.urls() if url.isLocalFile()]


def _build_panel(kind: type[Panel], session: "Session") -> QWidget:
    panel = kind(session)
    assert isinstance(panel, QWidget), f"the panel {kind.id} is not a widget"
    return panel


def _local_path(url: QUrl) -> Path:
    """The file of a URL, whose name need not be decodable where the system calls it by bytes."""
    if os.name == "nt":
        return Path(url.toLocalFile())
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return Path(os.fsdecode(unquote_to_bytes(encoded)))
