"""A file whose name is no UTF-8 opens, shows and saves: old archives hold such names."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QLabel

from core import settings as stored
from core.formats.opening import open_document
from editor.app import App
from editor.shell.window import _local_path
from tests.editor.app_window import window

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are characters there"),
]
NAME = b"caf\xe9.png"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + NAME))
    Image.new("RGB", (40, 30), "red").save(tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(named)
    return named


@pytest.fixture
def app(qapp: object) -> Iterator[App]:
    with window() as made:
        yield made


def test_it_opens_is_shown_and_saves(app: App, path: Path) -> None:
    assert app.files.open_path(path)
    assert app.window.windowTitle() == "caf\N{REPLACEMENT CHARACTER}.png · Sfumato"
    assert app.session.studio.document.path == path
    layer = app.session.studio.document.root.children[0]
    assert layer.name == "caf\N{REPLACEMENT CHARACTER}"
    target = path.with_suffix(".ora")
    assert app.files.save_to(target)
    app.files.background.wait()
    assert open_document(target).root.children[0].name == layer.name
    assert app.session.studio.document.path == target


def test_the_recent_list_and_the_settings_keep_its_bytes(app: App, path: Path) -> None:
    assert app.files.open_path(path)
    assert stored.load().settings.recent[0] == str(path)
    app.window.start_page.refresh()
    item = app.window.start_page.recent.item(0)
    assert item.text() == "caf\N{REPLACEMENT CHARACTER}.png"
    chosen: list[Path] = []
    app.window.start_page.chosen.connect(chosen.append)
    app.window.start_page.recent.itemClicked.emit(item)
    assert [os.fsencode(one) for one in chosen] == [os.fsencode(path)]


def test_what_goes_wrong_with_it_is_said_whole(app: App, path: Path) -> None:
    path.write_bytes(b"no picture")
    assert not app.files.open_path(path)
    texts = [label.text() for label in app.window.findChildren(QLabel)]
    assert any("caf\N{REPLACEMENT CHARACTER}.png is not a picture" in text for text in texts)


def test_a_dropped_file_keeps_its_bytes(path: Path) -> None:
    url = QUrl.fromEncoded(b"file://" + os.fsencode(path).replace(b"\xe9", b"%E9"))
    assert os.fsencode(_local_path(url)) == os.fsencode(path)
    plain = path.with_name("naïve 100%.png")
    assert _local_path(QUrl.fromLocalFile(str(plain))) == plain
