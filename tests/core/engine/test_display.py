"""A display is one that answers, not one that a variable names."""

import socket
import sys
from pathlib import Path

import pytest

from core.engine import display
from core.engine.display import draw_offscreen_without_display, has_display

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland")


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(display, "X_SOCKETS", tmp_path)
    return tmp_path


def listen(path: Path | str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


@pytest.mark.parametrize("name", ["", ":77", ":77.0", "unix:77", "nonsense", ":", ":x"])
def test_a_name_that_nothing_answers_is_no_display(sockets: Path, name: str) -> None:
    assert not has_display({"DISPLAY": name})


def test_a_socket_left_behind_is_no_display(sockets: Path) -> None:
    listen(sockets / "X77").close()
    assert (sockets / "X77").exists()
    assert not has_display({"DISPLAY": ":77"})


@pytest.mark.parametrize("form", ["{}", "\0{}"])
def test_a_server_that_listens_is_a_display(sockets: Path, form: str) -> None:
    with listen(form.format(sockets / "X77")):
        assert has_display({"DISPLAY": ":77.0"})
        assert not has_display({"DISPLAY": ":78"})


def test_a_server_of_another_machine_is_believed(sockets: Path) -> None:
    assert has_display({"DISPLAY": "painter.example:10.0"})


def test_wayland_is_a_socket_in_the_run_time_folder(sockets: Path) -> None:
    environment = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(sockets)}
    assert not has_display(environment)
    with listen(sockets / "wayland-0"):
        assert has_display(environment)
        assert has_display({"WAYLAND_DISPLAY": str(sockets / "wayland-0")})


def test_only_an_environment_without_a_display_is_drawn_offscreen(sockets: Path) -> None:
    without, chosen = {"DISPLAY": ":77"}, {"QT_QPA_PLATFORM": "vnc"}
    draw_offscreen_without_display(without)
    draw_offscreen_without_display(chosen)
    assert without["QT_QPA_PLATFORM"] == "offscreen"
    assert chosen == {"QT_QPA_PLATFORM": "vnc"}
