"""Set Sfumato up and start it: one command on a fresh machine, with nothing but Python 3.11.

python3 packaging/start.py [FILE ...]   set up, then open the editor with these pictures; where
                                        there is no display, play the tour offscreen instead
python3 packaging/start.py test [...]   set up, then run the whole test suite (pytest's options)
python3 packaging/start.py setup        set up only
python3 packaging/start.py --help       this text; nothing is set up
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
STAMP = VENV / "sfumato-setup"

# What Qt loads at run time on Linux: a library, and the Debian packages that may carry it.
QT_LIBRARIES = {
    "libEGL.so.1": ("libegl1",),
    "libGL.so.1": ("libgl1",),
    "libOpenGL.so.0": ("libopengl0",),
    "libxkbcommon.so.0": ("libxkbcommon0",),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0",),
    "libdbus-1.so.3": ("libdbus-1-3",),
    "libfontconfig.so.1": ("libfontconfig1",),
    "libglib-2.0.so.0": ("libglib2.0-0t64", "libglib2.0-0"),
    "libxcb-cursor.so.0": ("libxcb-cursor0",),
    "libxcb-icccm.so.4": ("libxcb-icccm4",),
    "libxcb-image.so.0": ("libxcb-image0",),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1",),
    "libxcb-randr.so.0": ("libxcb-randr0",),
    "libxcb-render-util.so.0": ("libxcb-render-util0",),
    "libxcb-shape.so.0": ("libxcb-shape0",),
    "libxcb-xinerama.so.0": ("libxcb-xinerama0",),
}
FONT_PACKAGES = ("fontconfig", "fonts-dejavu-core")


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        print(f"Sfumato needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 2
    verb = arguments[0] if arguments else "open"
    if verb in ("-h", "--help", "help"):
        print(__doc__.strip())
        return 0
    if verb.startswith("-"):
        print(f"start.py: there is no option '{verb}'; see packaging/start.py --help.")
        return 2
    try:
        set_up()
    except subprocess.CalledProcessError as error:
        print(f"Setting up stopped at: {' '.join(map(str, error.cmd))}")
        print("Its own message is above. Run the same command again to carry on from there.")
        return 1
    if verb == "setup":
        return 0
    if verb == "test":
        return run_tests(arguments[1:])
    return open_editor(arguments)


def set_up() -> None:
    """Virtual environment, pinned packages and Qt's system libraries; quick when all is there."""
    if not PYTHON.exists():
        say("Making a virtual environment in .venv")
        make_environment()
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + CONSTRAINTS.read_bytes())
    if not STAMP.exists() or STAMP.read_text() != wanted.hexdigest():
        began = time.monotonic()
        install()
        STAMP.write_text(wanted.hexdigest())
        say(f"Packages installed in {time.monotonic() - began:.0f} s")
    if sys.platform.startswith("linux"):
        provide_libraries()


def make_environment() -> None:
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if made.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") and is_root():
        apt_install([package])
    else:
        print(f"Python's venv module is incomplete here. Try: sudo apt-get install {package}")
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)


def install() -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    say("Installing PyTorch (the largest part; a few minutes on a slow line)")
    subprocess.run([*pip, "torch==2.13.0", "-c", str(CONSTRAINTS)], check=True)
    say("Installing the other packages")
    subprocess.run([*pip, "-e", f"{ROOT}[test]", "-c", str(CONSTRAINTS)], check=True)


def provide_libraries() -> None:
    """Install what Qt needs with apt when root; else say the exact command."""
    missing = [names for library, names in QT_LIBRARIES.items() if not loads(library)]
    if not missing:
        return
    if not shutil.which("apt-get"):
        print("Qt needs these libraries from your distribution:", missing_text(missing))
        return
    if not is_root():
        packages = " ".join(known_package(names) for names in missing)
        print(f"Qt needs a few system libraries. Run: sudo apt-get install {packages}")
        return
    say("Installing Qt's system libraries")
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    apt_install([known_package(names) for names in missing] + list(FONT_PACKAGES))


def missing_text(missing: list[tuple[str, ...]]) -> str:
    return ", ".join(names[-1] for names in missing)


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def known_package(names: tuple[str, ...]) -> str:
    """The first of several names that this release's package list knows."""
    for name in names[:-1]:
        shown = subprocess.run(["apt-cache", "show", name], capture_output=True, check=False)
        if shown.returncode == 0 and shown.stdout:
            return name
    return names[-1]


def apt_install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def run_tests(arguments: list[str]) -> int:
    """The whole suite on two processes, each with one numeric thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}
    command = [str(PYTHON), "-m", "pytest", "-n", "2", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def open_editor(arguments: list[str]) -> int:
    if has_display():
        return subprocess.run([str(PYTHON), "-m", "editor", *arguments], check=False).returncode
    say("There is no display here, so the same session is played offscreen")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [str(PYTHON), "-m", "editor.dev.tour", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def has_display() -> bool:
    """Whether a window can open; asked of the program, which is installed by now."""
    question = (
        "import sys; from core.engine.display import has_display; sys.exit(not has_display())"
    )
    return subprocess.run([str(PYTHON), "-c", question], check=False).returncode == 0


def say(text: str) -> None:
    print(f"Sfumato: {text}.", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
