"""Writing OpenRaster: the standard's entries first, then ours under ``sfumato/``."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from core.errors import FileError
from core.files.atomic import atomic_write
from core.formats.flat import unpremultiply
from core.geometry import Rect
from core.paint.blend_modes import PASS_THROUGH, blend_mode
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, Node, walk
from core.paint.tiles import Tiles
from core.task import RECIPE_SCHEMA
from core.versions.schema import Schema

MIMETYPE = "image/openraster"
SCHEMA = Schema("description of layers")
FOLDER = "sfumato/"
OWN_FOLDER = f"{FOLDER}{SCHEMA.version}.{RECIPE_SCHEMA.version}/"
"""Where our entries go while the file keeps those of a newer Sfumato at their usual place."""
FACTS = "document.json"
EXTRA_ENTRY = FOLDER + FACTS
NEWER_ENTRIES = "entries of a newer Sfumato"
"""Under this name a document's extras hold bytes by entry."""
THUMBNAIL_SIDE = 256
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside the Char production of XML 1.0."""


def write_ora(document: Document, path: Path, read: Callable[[Path], object]) -> None:
    """Save all layers; ``read`` opens the new file before it takes the old one's place.

    Raises FileError when that fails; path is then as it was.
    """

    def check(written: Path) -> None:
        try:
            read(written)
        except FileError as error:
            raise FileError(
                f"{path.name} was not saved: what was written cannot be read back ({error})"
            ) from error

    atomic_write(path, lambda stream: _write(document, zipfile.ZipFile(stream, "w")), check=check)


def clean_xml(text: str) -> str:
    """A text with characters that XML does not allow exchanged for the replacement character."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _write(document: Document, archive: zipfile.ZipFile) -> None:
    with archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), MIMETYPE, zipfile.ZIP_STORED)
        names = _plane_names(document.root)
        image = ElementTree.Element(
            "image", version="0.0.3", w=str(document.size.width), h=str(document.size.height)
        )
        image.append(_stack_element(document.root, names, is_root=True))
        archive.writestr("stack.xml", ElementTree.tostring(image, "UTF-8", xml_declaration=True))
        planes = {names[node.id]: node.tiles for node in _layers(document.root)}
        for name, tiles in planes.items():
            _write_plane(archive, name, tiles)
        _write_merged_image(document, archive)
        kept = document.extras.get(NEWER_ENTRIES, {})
        for name, data in kept.items():
            archive.writestr(name, data)
        folder = OWN_FOLDER if kept else FOLDER
        archive.writestr(folder + FACTS, json.dumps(_describe_document(document, archive, folder)))


def _layers(root: Group) -> Iterator[Layer]:
    return (node for node in walk(root) if isinstance(node, Layer))


def _plane_names(root: Group) -> dict[str, str]:
    """The entry of each layer's pixels by the layer's id; layers that share them share it."""
    entries: dict[int, str] = {}
    for number, node in enumerate(walk(root)):
        if isinstance(node, Layer):
            entries.setdefault(id(node.tiles), f"data/layer{number}.png")
    return {node.id: entries[id(node.tiles)] for node in _layers(root)}


def _stack_element(
    group: Group, names: dict[str, str], is_root: bool = False
) -> ElementTree.Element:
    """A stack lists its layers from top to bottom."""
    element = ElementTree.Element("stack", {} if is_root else _common_attributes(group))
    if not is_root:
        element.set("isolation", "auto" if group.blend == PASS_THROUGH else "isolate")
    for child in reversed(group.children):
        if isinstance(child, Group):
            element.append(_stack_element(child, names))
        elif isinstance(child, Layer):
            element.append(_layer_element(child, names[child.id]))
    return element


def _layer_element(layer: Layer, name: str) -> ElementTree.Element:
    corner = _stored_rect(layer.tiles).translate(*layer.position)
    place = {"src": name, "x": str(corner.x), "y": str(corner.y)}
    return ElementTree.Element("layer", {**_common_attributes(layer), **place})


def _common_attributes(node: Node) -> dict[str, str]:
    return {
        "name": clean_xml(node.name),
        "opacity": f"{node.opacity:.6g}",
        "visibility": "visible" if node.visible else "hidden",
        "composite-op": clean_xml(blend_mode(node.blend).svg),
    }


def _stored_rect(tiles: Tiles) -> Rect:
    """What is written of a plane: its tight bounds, one pixel at least."""
    return tiles.tight_bounds() or Rect(0, 0, 1, 1)


def _write_plane(archive: zipfile.ZipFile, name: str, tiles: Tiles) -> None:
    pixels = tiles.read(_stored_rect(tiles))
    if tiles.channels == 1:
        _write_png(archive, name, Image.fromarray(pixels[..., 0], "L"))
    else:
        _write_png(archive, name, Image.fromarray(unpremultiply(pixels), "RGBA"))


def _write_png(archive: zipfile.ZipFile, name: str, image: Image.Image) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    archive.writestr(name, buffer.getvalue(), zipfile.ZIP_STORED)


def _write_merged_image(document: Document, archive: zipfile.ZipFile) -> None:
    image = Image.fromarray(unpremultiply(flatten(document.root, document.bounds)), "RGBA")
    _write_png(archive, "mergedimage.png", image)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    _write_png(archive, "Thumbnails/thumbnail.png", image)


def _describe_document(document: Document, archive: zipfile.ZipFile, folder: str) -> dict[str, Any]:
    """What the standard cannot describe; nodes in the order of ``walk``."""
    nodes = [_describe_node(node, i, archive, folder) for i, node in enumerate(walk(document.root))]
    return SCHEMA.stamp({"active": document.state.active, "nodes": nodes})


def _describe_node(
    node: Node, number: int, archive: zipfile.ZipFile, folder: str
) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": node.id, "kind": node.kind, "name": node.name}
    for name, tiles in _extra_planes(node):
        entry = f"{folder}{name}{number}.png"
        _write_plane(archive, entry, tiles)
        corner = _stored_rect(tiles)
        facts[name] = {"src": entry, "x": corner.x, "y": corner.y, "fill": tiles.fill}
    if node.mask is not None:
        facts["mask"]["visible"] = node.mask.visible
    if isinstance(node, Layer):
        facts["position"] = list(node.position)
        facts["lock_alpha"] = node.lock_alpha
    if isinstance(node, AiLayer):
        facts |= {"rendered": node.rendered, "baked": node.baked}
        facts["recipe"] = node.recipe.to_json()
    return facts


def _extra_planes(node: Node) -> Iterator[tuple[str, Tiles]]:
    if node.mask is not None:
        yield "mask", node.mask.tiles
    if isinstance(node, AiLayer):
        yield "region", node.region
