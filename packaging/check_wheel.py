"""Build the sdist and the wheel from it, install that wheel by itself, and play the tour from it.

    .venv/bin/python packaging/check_wheel.py [FOLDER]

Leaves the packages in FOLDER (./dist). The environment is a new one: nothing of the checkout is
importable there, so a file that did not travel in the wheel is found missing.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"


def main(arguments: list[str]) -> int:
    """Build, install and play; returns the exit code of the first step that failed, or 0."""
    packages = Path(arguments[0] if arguments else ROOT / "dist").resolve()
    try:
        wheel = build_packages(packages)
        with tempfile.TemporaryDirectory() as folder:
            play_tour(install_wheel(wheel, Path(folder)), Path(folder))
    except subprocess.CalledProcessError as error:
        print(f"The wheel failed at: {' '.join(map(str, error.cmd))}")
        return error.returncode
    print(f"The wheel works by itself: {wheel.name}, {wheel.stat().st_size / 2**20:.0f} MiB.")
    return 0


def build_packages(folder: Path) -> Path:
    """Build the sdist, and the wheel from nothing but the sdist; returns the wheel."""
    run([sys.executable, "-m", "build", "--outdir", folder, ROOT])
    return max(folder.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)


def install_wheel(wheel: Path, folder: Path) -> Path:
    """Install a wheel and its dependencies in a new environment; returns its Python."""
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run([python, "-m", "pip", "install", "--quiet", wheel, "-c", CONSTRAINTS])
    return python


def play_tour(python: Path, folder: Path) -> None:
    """Play the tour outside the checkout, and list what the command line finds there."""
    environment = {**os.environ, "SFUMATO_HOME": str(folder / "home")}
    environment.pop("PYTHONPATH", None)
    run([python, "-m", "editor.dev.tour", folder / "out"], cwd=folder, env=environment)
    timings = json.loads((folder / "out" / "tour.json").read_text("utf-8"))
    print("Tour from the wheel:", json.dumps(timings))
    run([python, "-m", "core", "doctor", "--quick"], cwd=folder, env=environment)


def run(
    command: list[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None
) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=cwd, env=env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
