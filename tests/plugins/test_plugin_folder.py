"""One file in the plugin folder is enough: each kind of feature is found in the window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from core import catalog
from core.geometry import Size
from core.settings import folders
from editor.app import App
from editor.commands.document_edits import new_document
from editor.panels.ai_choices import technique_entries
from editor.widgets.slider import NumberSlider
from tests.editor.app_window import window

BRUSH = """
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from core.plugin_api import Range, Stamp, brushes


@brushes.register
class Dot:
    \"\"\"One pixel at a time.\"\"\"

    id: ClassVar[str] = "dot"
    label: ClassVar[str] = "Dot"

    @dataclass(frozen=True)
    class Params:
        rarity: Annotated[float, Range(1, 50, "Rarity", "px")] = 3.0

    def __init__(self, params):
        self.params = params

    def spacing(self, pressure):
        return self.params.rarity

    def stamp(self, sample):
        return Stamp(np.full((1, 1), 255, np.uint8), int(sample.x), int(sample.y))
"""
TOOL = """
from dataclasses import dataclass
from typing import Annotated, ClassVar

from core.plugin_api import PointerKind, Range, tools


@tools.register
class Nudge:
    \"\"\"Does nothing but wait for the release.\"\"\"

    id: ClassVar[str] = "nudge"
    label: ClassVar[str] = "Nudge"
    icon: ClassVar[str] = "move"
    shortcut: ClassVar[str] = "Ctrl+Alt+N"
    position: ClassVar[int] = 900
    uses_brush: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    paints_region: ClassVar[bool] = False
    moves_view: ClassVar[bool] = False

    @dataclass(frozen=True)
    class Params:
        reach: Annotated[float, Range(1, 9, "Reach", "px")] = 2.0

    def gesture(self, context, event):
        while event.kind is not PointerKind.release:
            event = yield
"""
TECHNIQUE = """
from dataclasses import dataclass
from typing import Annotated, ClassVar

from core.plugin_api import Step, Text, techniques


@techniques.register
class Echo:
    \"\"\"Gives the picture back.\"\"\"

    id: ClassVar[str] = "echo"
    label: ClassVar[str] = "Echo it"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_mask: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = False
    shows_map: ClassVar[bool] = False
    paper = None

    @dataclass(frozen=True)
    class Params:
        prompt: Annotated[str, Text("Prompt")] = ""

    def run(self, task, model):
        x0 = model.encode(task.image)
        yield Step(1, 1, x0)
        return model.decode(x0)
"""
PANEL = """
def setup(api):
    from PySide6.QtWidgets import QLabel

    class Facts(QLabel):
        def __init__(self, session):
            super().__init__("How large the picture is")
            session.studio.opened.connect(self.show_size)

        def show_size(self, document):
            self.setText(f"{document.size.width} pixels wide")

    api.add_panel("facts", "Facts", Facts(api.session))
"""
COMMAND = """
def setup(api):
    api.add_action("mirror", "Mirror it", lambda document: None, menu="Filters")
"""
FILES = {
    "dot.py": BRUSH,
    "nudge.py": TOOL,
    "echo.py": TECHNIQUE,
    "facts.py": PANEL,
    "mirror.py": COMMAND,
}


@pytest.fixture
def plugin_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's plugin folder; what is registered from it is forgotten after the test."""
    catalog.load()
    for _, registry in catalog.kinds():
        monkeypatch.setattr(registry, "_items", dict(registry._items))
    folder = folders().plugins
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def app(qtbot: QtBot, plugin_folder: Path) -> Iterator[App]:
    """A window over a picture, with one plugin of each kind."""
    for name, text in FILES.items():
        (plugin_folder / name).write_text(text)
    with window() as made:
        made.session.studio.open(new_document(Size(64, 48), None))
        yield made


def dials(app: App) -> list[str]:
    """The labels of the sliders in the options bar, without those that have just gone."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [slider.label for slider in app.window.options.findChildren(NumberSlider)]


def test_all_of_them_load(app: App) -> None:
    assert [plugin.name for plugin in app.plugins if plugin.trace] == []


def test_a_brush_can_be_chosen_and_shows_its_dials(app: App) -> None:
    app.session.studio.choose(tool="brush", brush="dot")
    assert "Rarity" in dials(app)


def test_a_tool_has_a_button_and_dials(app: App) -> None:
    app.window.toolbox.buttons["nudge"].trigger()
    assert app.session.studio.choices.tool == "nudge"
    assert dials(app) == ["Reach"]


def test_a_technique_can_be_chosen(app: App) -> None:
    assert "echo" in [entry.id for entry in technique_entries("toy")]


def test_a_panel_has_a_dock_and_follows_the_session(app: App) -> None:
    panel = app.window.docks["facts"].widget()
    assert isinstance(panel, QLabel)
    app.session.studio.open(new_document(Size(30, 20), None))
    assert panel.text() == "30 pixels wide"


def test_a_command_stands_in_a_menu_of_its_own(app: App) -> None:
    titles = [action.text() for action in app.window.menuBar().actions()]
    assert titles[-2:] == ["Plugins", "Filters"]
    assert [action.text() for action in app.window.menus["Filters"].actions()] == ["Mirror it"]


def test_one_that_declares_too_little_is_told_what_is_missing(
    qtbot: QtBot, plugin_folder: Path
) -> None:
    (plugin_folder / "nudge.py").write_text(
        TOOL.replace("    erases: ClassVar[bool] = False\n", "")
    )
    with window() as made:
        assert made.window.message_bar.sentence.text() == (
            "Not loaded: nudge. The tool 'nudge' in plugin_nudge.Nudge does not declare erases: "
            "see Tool in core.catalog."
        )


def test_one_that_imports_a_moved_module_is_told_where_it_is(
    qtbot: QtBot, plugin_folder: Path
) -> None:
    (plugin_folder / "old.py").write_text("from core.pixels import Tiles\n")
    with window() as made:
        assert made.window.message_bar.sentence.text() == (
            "Not loaded: old. core.pixels is core.paint.tiles now: "
            "plugins import from core.plugin_api and editor.api."
        )
