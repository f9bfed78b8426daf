"""Builds the sprite archives from unpacked emoji packages (needs cairosvg, the program does not).

Unpack @lobehub/fluent-emoji-3d, @iconify-json/fluent-emoji-flat,
@iconify-json/fluent-emoji-high-contrast and @iconify-json/noto into one folder, each under its own
name, and run ``python -m core.storybook.build_atlas FOLDER``.
"""

import io
import json
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from core.storybook.atlas import RESOURCES, STYLES, catalogue

SIDE = 256
VECTOR_SETS = {"flat": "fluent-emoji-flat", "ink": "fluent-emoji-high-contrast", "cartoon": "noto"}


def load_clay(folder: Path, code: str) -> Image.Image:
    """Load a 3D drawing, height x width x 4 uint8, straight RGBA, 0..255."""
    assets = folder / "fluent-emoji-3d" / "assets"
    path = assets / f"{code}.webp"
    return Image.open(path if path.exists() else assets / f"{code}-fe0f.webp").convert("RGBA")


@cache
def _icons(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    icons = json.loads((path / "icons.json").read_text(encoding="utf-8"))
    return icons, json.loads((path / "chars.json").read_text(encoding="utf-8"))


def render_vector(folder: Path, style: str, code: str) -> Image.Image:
    """Render a drawing of an icon set, height x width x 4 uint8, straight RGBA, 0..255."""
    import cairosvg

    icons, characters = _icons(folder / VECTOR_SETS[style])
    icon = icons["icons"][characters.get(code) or characters[f"{code}-fe0f"]]
    width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
    body = icon["body"].replace("currentColor", "#2b2622")
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'
    png = cairosvg.svg2png(svg.encode(), output_width=SIDE, output_height=SIDE)
    return Image.open(io.BytesIO(png)).convert("RGBA")


def build_archives(folder: Path, target: Path = RESOURCES) -> None:
    """Write one archive of WebP files per style."""
    for style in STYLES:
        with zipfile.ZipFile(target / f"{style}.zip", "w", zipfile.ZIP_STORED) as archive:
            for thing in catalogue().values():
                draw = load_clay(folder, thing.code) if style == "clay" else None
                image = draw or render_vector(folder, style, thing.code)
                stream = io.BytesIO()
                image.resize((SIDE, SIDE)).save(stream, "WEBP", quality=88, method=4)
                entry = zipfile.ZipInfo(f"{thing.code}.webp", (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, stream.getvalue())


if __name__ == "__main__":
    build_archives(Path(sys.argv[1]))
