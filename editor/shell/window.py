"""The main window: menus, bars and docks around the canvas, nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDockWidget,
    QLineEdit,
    QMainWindow,
    QMessageBox,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.catalog import techniques, tools
from editor.canvas.compare_wipe import CompareWipe
from editor.panels.ai import AiPanel
from editor.panels.colour import ColourPanel
from editor.panels.history import HistoryPanel
from editor.panels.jobs import JobsPanel
from editor.panels.layers import LayersPanel
from editor.shell.command_palette import CommandPalette
from editor.shell.message_bar import MessageBar
from editor.shell.options_bar import OptionsBar
from editor.shell.start_page import StartPage
from editor.shell.toolbox import Toolbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from editor.app import App
    from editor.commands.command import Command

Panel = AiPanel | LayersPanel | ColourPanel | HistoryPanel | JobsPanel
MENUS = ("File", "Edit", "Layer", "Select", "Image", "AI", "View", "Window", "Help")
LOW = 900
"""Logical pixels of a screen's height below which docks share places."""
SIZE = (1280, 800)
DOCK_WIDTH = 312
DOCK_HEIGHTS = {"ai": 400, "layers": 190, "colour": 150}


class MainWindow(QMainWindow):
    """Built once by the App; panels are given the App and look after themselves."""

    def __init__(self, app: "App") -> None:
        super().__init__()
        self.app = app
        self.setAcceptDrops(True)
        self.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AnimatedDocks
        )
        self.setStatusBar(app.status)
        self.strip = MessageBar(app.tokens)
        self.start_page = StartPage(app)
        self.compare = CompareWipe(app.canvas)
        self._middle = QStackedWidget()
        self._middle.addWidget(self.start_page)
        self._middle.addWidget(app.canvas)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self._middle, 1)
        self.setCentralWidget(centre)
        self.toolbox = Toolbox(app)
        self.options = OptionsBar(app)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.options)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.toolbox)
        self.docks: dict[str, QDockWidget] = {}
        self._hidden_docks: list[QDockWidget] = []
        self._is_arranged = False
        self._make_docks()
        self._make_menus()
        self._leave: Callable[[], None] = lambda: None
        app.studio.opened.connect(lambda _: self._on_opened())
        self._on_opened()
        self.resize(*SIZE)
        self.start_page.refresh()
        self._restore()
        app.application.installEventFilter(self)

    # Building

    def _make_docks(self) -> None:
        self.layers = LayersPanel(self.app)
        # On a low screen layers and colour share a place, so that the AI dock shows its dials.
        is_low = self.screen().availableGeometry().height() < LOW
        home = self.layers.id if is_low else ColourPanel.id
        self.ai, self.jobs = AiPanel(self.app), JobsPanel(self.app)
        alone: tuple[Panel, ...] = (self.ai, self.layers, ColourPanel(self.app))
        behind: tuple[Panel, ...] = (HistoryPanel(self.app), self.jobs)
        for panel in (*alone, *behind):
            dock = self.add_dock(panel.id, panel.title, panel)
            if panel in behind or (is_low and panel.id == ColourPanel.id):
                self.tabifyDockWidget(self.docks[home], dock)
        self.docks[home].raise_()

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
        return dock

    def _make_menus(self) -> None:
        menus = {name: self.menuBar().addMenu(name) for name in MENUS}
        for command in self.app.actions:
            action = self.app.actions[command.id]
            self.addAction(action)
            if command.menu:
                menus[command.menu].addAction(action)
                if command.ends_section:
                    menus[command.menu].addSeparator()
        for dock in self.docks.values():
            menus["Window"].addAction(dock.toggleViewAction())
        self._recent = menus["File"].addMenu("Open recent")
        self._recent.aboutToShow.connect(self._list_recent)
        self.menus = menus

    def add_command(self, command: "Command", action: QAction) -> None:
        """A command that came later, from a plugin; its menu is made when it is the first."""
        if command.menu not in self.menus:
            self.menus[command.menu] = self.menuBar().addMenu(command.menu)
        self.menus[command.menu].addAction(action)
        self.addAction(action)

    def _list_recent(self) -> None:
        self._recent.clear()
        for name in self.app.settings.recent:
            action = QAction(Path(name).name, self._recent)
            action.setToolTip(name)
            action.triggered.connect(
                lambda _=False, name=name: self.app.files.open_path(Path(name))
            )
            self._recent.addAction(action)
        self._recent.setEnabled(bool(self.app.settings.recent))

    def dress(self) -> None:
        """Icons and marks in the theme's colours."""
        self.toolbox.dress()
        self.strip.dress(self.app.tokens)
        self.ai.dress()
        self.jobs.dress()

    # What it shows

    def show_canvas(self) -> None:
        self._middle.setCurrentWidget(self.app.canvas)
        self.app.canvas.setFocus()
        self.app.canvas.fit()

    def _on_opened(self) -> None:
        self._leave()
        self._leave = self.app.studio.document.restructured.connect(lambda _: self.show_title())
        self.show_title()

    def show_title(self) -> None:
        document = self.app.studio.document
        name = document.path.name if document.path else "Untitled"
        mark = "*" if document.is_modified else ""
        self.setWindowTitle(f"{name}{mark} · Sfumato" if self.app.has_document else "Sfumato")

    def layers_changed(self) -> None:
        """Something about AI layers moved that the tree of layers does not say."""
        self.layers.tree.viewport().update()

    def toggle_compare(self) -> None:
        """Show the picture without its AI layers left of a line that can be dragged."""
        self.compare.toggle()

    def pin_result(self) -> None:
        """Keep what is shown left of the wipe, named after the method that made it."""
        layer = self.app.ai.recipes.layer
        known = layer is not None and layer.recipe.technique in techniques
        self.compare.pin(techniques[layer.recipe.technique].label if layer and known else "")

    def toggle_docks(self) -> None:
        if self._hidden_docks:
            for dock in self._hidden_docks:
                dock.show()
            self._hidden_docks = []
        else:
            self._hidden_docks = [dock for dock in self.docks.values() if dock.isVisible()]
            for dock in self._hidden_docks:
                dock.hide()

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def find_command(self) -> None:
        palette = CommandPalette(self.app)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.move(self.mapToGlobal(self.rect().center()) - palette.rect().center())
        palette.open()
        palette.search.setFocus()

    def show_keys(self) -> None:
        rows = [f"{tools[i].label}: {tools[i].shortcut}" for i in self.toolbox.buttons]
        rows += [f"{c.label.rstrip('…')}: {c.keys}" for c in self.app.actions if c.keys]
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Keys", "Keys", parent=self)
        box.setInformativeText("\n".join(rows[:14]))
        box.setDetailedText("\n".join(rows))
        box.open()

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
            self.app.escape()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.app.seeds.keep()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for path in _paths(event.mimeData()):
            self.app.files.open_dropped(path)
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.app.files.may_leave():
            event.accept()
        else:
            event.ignore()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.app.settings.window and not self._is_arranged:
            self._is_arranged = True
            # Docks take a size only once the window has laid itself out.
            QTimer.singleShot(0, self, self._arrange)

    def _arrange(self) -> None:
        layers = self.docks[self.layers.id]
        names = ("ai", "layers") if self.tabifiedDockWidgets(layers) else tuple(DOCK_HEIGHTS)
        right = [self.docks[name] for name in names]
        self.resizeDocks(right, [DOCK_WIDTH] * len(right), Qt.Orientation.Horizontal)
        heights = [DOCK_HEIGHTS[name] for name in names]
        self.resizeDocks(right, heights, Qt.Orientation.Vertical)

    def layout_text(self) -> str:
        """Geometry and docks, for the settings."""
        return bytes(self.saveState().toBase64().data()).decode("ascii")

    def _restore(self) -> None:
        if self.app.settings.window:
            self.restoreState(QByteArray.fromBase64(self.app.settings.window.encode("ascii")))


def _paths(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
