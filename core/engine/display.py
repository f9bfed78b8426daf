"""Whether windows can be shown here; a program without a display draws offscreen."""

import os
import socket
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

PLATFORM = "QT_QPA_PLATFORM"
X_SOCKETS = Path("/tmp/.X11-unix")
CONNECT_SECONDS = 1.0


def has_display(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether a window can open: always but on a Linux whose X11 or Wayland is not there.

    A variable that names a display is not enough: it may be left from one that has gone, and Qt
    ends the process when it cannot connect.
    """
    given = os.environ if environment is None else environment
    if not sys.platform.startswith("linux") or PLATFORM in given:
        return True
    return _has_wayland(given) or _has_x11(given.get("DISPLAY", ""))


def draw_offscreen_without_display(environment: MutableMapping[str, str]) -> None:
    """Set Qt's platform to offscreen in an environment where no window can open."""
    if not has_display(environment):
        environment[PLATFORM] = "offscreen"


def _has_wayland(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    folder = Path(environment.get("XDG_RUNTIME_DIR", ""))
    return bool(name) and _answers(folder / name)


def _has_x11(display: str) -> bool:
    """Return whether an X server answers; one on another machine is believed."""
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdigit():
        return False
    if host not in ("", "unix"):
        return True
    path = X_SOCKETS / f"X{number}"
    return _answers(path) or _answers(f"\0{path}")


def _answers(path: Path | str) -> bool:
    """Return whether somebody listens on a local socket; a name with a leading NUL has no file."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(CONNECT_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
