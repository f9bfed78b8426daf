"""Every command of the window in one table: id, menu, label, shortcut, what it does, when."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from core.errors import EditorError
from core.layers import AiLayer
from editor import verbs
from editor.theme import icon

if TYPE_CHECKING:
    from editor.app import App

Rule = Callable[["App"], bool]


def _always(_: "App") -> bool:
    return True


def _has_document(app: "App") -> bool:
    return app.has_document


def _has_layer(app: "App") -> bool:
    return app.has_document and app.studio.document.active is not None


def _has_ai_layer(app: "App") -> bool:
    return app.has_document and isinstance(app.studio.document.active, AiLayer)


def _has_selection(app: "App") -> bool:
    return app.has_document and bool(app.studio.document.selection)


def _can_undo(app: "App") -> bool:
    return app.has_document and bool(app.studio.document.history.done)


def _can_redo(app: "App") -> bool:
    return app.has_document and bool(app.studio.document.history.undone)


@dataclass(frozen=True)
class Command:
    """One row of the table; ``menu`` is empty for what only keys and buttons reach."""

    id: str
    menu: str
    label: str
    keys: str
    run: Callable[["App"], object]
    rule: Rule = _always
    icon: str = ""
    ends_section: bool = False


def _on_document(verb: Callable[..., object], *arguments: object) -> Callable[["App"], object]:
    return lambda app: verb(app.studio.document, *arguments)


def table() -> tuple[Command, ...]:
    """All commands in the order of their menus."""
    return (*_file(), *_edit(), *_layer(), *_select(), *_image(), *_ai(), *_view(), *_help())


def _file() -> tuple[Command, ...]:
    return (
        Command("new", "File", "New…", "Ctrl+N", lambda a: a.files.new(), icon="file-plus"),
        Command("open", "File", "Open…", "Ctrl+O", lambda a: a.files.open(), icon="folder-open"),
        Command(
            "sample",
            "File",
            "Open the sample",
            "",
            lambda a: a.files.open_sample(),
            ends_section=True,
        ),
        Command("save", "File", "Save", "Ctrl+S", lambda a: a.files.save(), _has_document, "save"),
        Command(
            "save-as",
            "File",
            "Save as…",
            "Ctrl+Shift+S",
            lambda a: a.files.save_as(),
            _has_document,
        ),
        Command(
            "export",
            "File",
            "Export a flat copy…",
            "Ctrl+Shift+E",
            lambda a: a.files.export(),
            _has_document,
            ends_section=True,
        ),
        Command("quit", "File", "Quit", "Ctrl+Q", lambda a: a.window.close()),
    )


def _edit() -> tuple[Command, ...]:
    return (
        Command("undo", "Edit", "Undo", "Ctrl+Z", lambda a: a.undo(), _can_undo, "undo-2"),
        Command(
            "redo",
            "Edit",
            "Redo",
            "Ctrl+Shift+Z",
            lambda a: a.redo(),
            _can_redo,
            "redo-2",
            ends_section=True,
        ),
        Command("cut", "Edit", "Cut", "Ctrl+X", lambda a: a.cut(), _has_layer),
        Command("copy", "Edit", "Copy", "Ctrl+C", lambda a: a.copy(), _has_layer, "copy"),
        Command(
            "paste",
            "Edit",
            "Paste as layer",
            "Ctrl+V",
            lambda a: a.paste(),
            _has_document,
            ends_section=True,
        ),
        Command(
            "fill",
            "Edit",
            "Fill with foreground",
            "Alt+Backspace",
            lambda a: verbs.fill(a.studio.document, a.studio.choices.foreground),
            _has_layer,
        ),
        Command(
            "clear",
            "Edit",
            "Clear",
            "Del",
            _on_document(verbs.clear),
            _has_layer,
            ends_section=True,
        ),
        Command(
            "swap",
            "Edit",
            "Swap colours",
            "X",
            lambda a: a.studio.swap_colours(),
            icon="arrow-left-right",
        ),
        Command(
            "default-colours",
            "Edit",
            "Default colours",
            "D",
            lambda a: a.studio.default_colours(),
            ends_section=True,
        ),
        Command(
            "palette",
            "Edit",
            "Find a command…",
            "Ctrl+K",
            lambda a: a.window.find_command(),
            icon="search",
        ),
    )


def _layer() -> tuple[Command, ...]:
    return (
        Command(
            "layer-new",
            "Layer",
            "New layer",
            "Ctrl+Shift+N",
            _on_document(verbs.add_layer),
            _has_document,
            "plus",
        ),
        Command(
            "layer-group",
            "Layer",
            "Group",
            "Ctrl+G",
            _on_document(verbs.add_group),
            _has_document,
            "folder-plus",
        ),
        Command(
            "layer-duplicate",
            "Layer",
            "Duplicate",
            "Ctrl+J",
            _on_document(verbs.duplicate),
            _has_layer,
            "copy",
        ),
        Command(
            "layer-merge",
            "Layer",
            "Merge down",
            "Ctrl+E",
            _on_document(verbs.merge_down),
            _has_layer,
        ),
        Command(
            "layer-delete",
            "Layer",
            "Delete layer",
            "Ctrl+Del",
            _on_document(verbs.delete),
            _has_layer,
            "trash-2",
            ends_section=True,
        ),
        Command(
            "layer-mask",
            "Layer",
            "Add mask",
            "",
            _on_document(verbs.add_mask),
            _has_layer,
            "circle-dot",
        ),
        Command(
            "layer-unmask", "Layer", "Remove mask", "", _on_document(verbs.remove_mask), _has_layer
        ),
        Command(
            "layer-lock",
            "Layer",
            "Lock transparency",
            "/",
            lambda a: a.toggle_lock(),
            _has_layer,
            "lock",
            ends_section=True,
        ),
        Command(
            "flatten",
            "Layer",
            "Flatten the picture",
            "",
            _on_document(verbs.flatten_all),
            _has_layer,
        ),
    )


def _select() -> tuple[Command, ...]:
    return (
        Command(
            "select-all", "Select", "All", "Ctrl+A", _on_document(verbs.select_all), _has_document
        ),
        Command(
            "select-none",
            "Select",
            "None",
            "Ctrl+Shift+A",
            _on_document(verbs.select_none),
            _has_selection,
        ),
        Command(
            "select-inverse",
            "Select",
            "Inverse",
            "Ctrl+Shift+I",
            _on_document(verbs.select_inverse),
            _has_document,
            ends_section=True,
        ),
        Command(
            "feather",
            "Select",
            "Feather by 8 px",
            "Shift+F6",
            _on_document(verbs.feather, 8.0),
            _has_selection,
        ),
        Command("grow", "Select", "Grow by 8 px", "", _on_document(verbs.grow, 8), _has_selection),
        Command(
            "shrink", "Select", "Shrink by 8 px", "", _on_document(verbs.grow, -8), _has_selection
        ),
    )


def _image() -> tuple[Command, ...]:
    return (
        Command(
            "crop",
            "Image",
            "Crop to selection",
            "",
            _on_document(verbs.crop_to_selection),
            _has_selection,
        ),
    )


def _ai() -> tuple[Command, ...]:
    return (
        Command("ai-run", "AI", "Run", "Ctrl+Return", lambda a: a.ai.run(), _has_ai_layer, "play"),
        Command(
            "ai-cancel", "AI", "Cancel", "Ctrl+.", lambda a: a.jobs.cancel_all(), icon="square"
        ),
        Command(
            "ai-seed",
            "AI",
            "Another seed",
            "Ctrl+R",
            lambda a: a.ai.reseed(),
            _has_ai_layer,
            "dice-5",
            ends_section=True,
        ),
        Command(
            "ai-selection",
            "AI",
            "New AI layer from selection",
            "Ctrl+Shift+G",
            lambda a: a.ai.from_selection(),
            _has_selection,
            "sparkles",
        ),
        Command(
            "ai-mask",
            "AI",
            "Region to selection",
            "",
            lambda a: a.ai.mask_to_selection(),
            _has_ai_layer,
        ),
        Command(
            "ai-freeze", "AI", "Freeze", "", lambda a: a.ai.freeze(), _has_ai_layer, "snowflake"
        ),
        Command(
            "ai-compare", "AI", "Re-run and compare", "", lambda a: a.ai.rerun(), _has_ai_layer
        ),
        Command("ai-copy", "AI", "Copy recipe", "", lambda a: a.ai.copy_recipe(), _has_ai_layer),
    )


def _view() -> tuple[Command, ...]:
    return (
        Command("zoom-in", "View", "Zoom in", "Ctrl++", lambda a: a.canvas.zoom_by(1)),
        Command("zoom-out", "View", "Zoom out", "Ctrl+-", lambda a: a.canvas.zoom_by(-1)),
        Command("fit", "View", "Fit", "Ctrl+0", lambda a: a.canvas.fit(), icon="maximize"),
        Command(
            "actual", "View", "100 %", "Ctrl+1", lambda a: a.canvas.actual_size(), ends_section=True
        ),
        Command(
            "turn-left",
            "View",
            "Rotate left",
            "Shift+R",
            lambda a: a.canvas.turn_by(-15),
            icon="rotate-ccw",
        ),
        Command(
            "turn-right",
            "View",
            "Rotate right",
            "R",
            lambda a: a.canvas.turn_by(15),
            icon="rotate-cw",
        ),
        Command(
            "upright",
            "View",
            "Upright",
            "Ctrl+Shift+R",
            lambda a: a.canvas.upright(),
            ends_section=True,
        ),
        Command(
            "compare",
            "View",
            "Compare before and after",
            "Y",
            lambda a: a.window.toggle_compare(),
            _has_document,
            "contrast",
        ),
        Command(
            "pin",
            "View",
            "Pin and compare with what comes",
            "Shift+Y",
            lambda a: a.window.pin_result(),
            _has_document,
            ends_section=True,
        ),
        Command("docks", "View", "Hide or show docks", "Tab", lambda a: a.window.toggle_docks()),
        Command("full-screen", "View", "Full screen", "F", lambda a: a.window.toggle_full_screen()),
        Command("theme", "View", "Light or dark", "", lambda a: a.toggle_theme()),
        Command("smaller", "", "Smaller brush", "[", lambda a: a.resize_brush(1 / 1.15)),
        Command("larger", "", "Larger brush", "]", lambda a: a.resize_brush(1.15)),
        Command("softer", "", "Softer brush", "Shift+[", lambda a: a.harden_brush(-10)),
        Command("harder", "", "Harder brush", "Shift+]", lambda a: a.harden_brush(10)),
    )


def _help() -> tuple[Command, ...]:
    return (
        Command("keys", "Help", "Keys", "F1", lambda a: a.window.show_keys()),
        Command("about", "Help", "About Sfumato", "", lambda a: a.window.show_about()),
    )


class Actions:
    """The commands as Qt actions, by id; ``refresh`` enables what makes sense now."""

    def __init__(self, app: "App") -> None:
        self.app = app
        self.commands = {command.id: command for command in table()}
        self._actions = {name: self._make(command) for name, command in self.commands.items()}

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands.values())

    def add(self, command: Command) -> QAction:
        """A plugin's command. Raises EditorError when its id is taken."""
        if command.id in self.commands:
            raise EditorError(f"There already is a command called {command.id!r}.")
        self.commands[command.id] = command
        self._actions[command.id] = self._make(command)
        return self._actions[command.id]

    def _make(self, command: Command) -> QAction:
        action = QAction(command.label)
        if command.keys:
            action.setShortcut(QKeySequence(command.keys))
            action.setToolTip(f"{command.label.rstrip('…')} ({command.keys})")
        action.triggered.connect(lambda: self.run(command.id))
        return action

    def run(self, name: str) -> None:
        """Do a command; what it cannot do is said in the strip."""
        command = self.commands[name]
        if not command.rule(self.app):
            return
        try:
            command.run(self.app)
        except EditorError as error:
            self.app.tell(str(error))

    def dress(self) -> None:
        """Icons in the theme's colours."""
        tokens = self.app.tokens
        for name, command in self.commands.items():
            if command.icon:
                self._actions[name].setIcon(icon(command.icon, tokens.text, tokens.surround))

    def refresh(self) -> None:
        for name, command in self.commands.items():
            self._actions[name].setEnabled(command.rule(self.app))
