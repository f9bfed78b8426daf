"""An append-only record of a document since it was opened or saved, replayed after a crash.

A journal is one file of checked records: tiles by serial, and states that name the tiles they are
made of. States are values, so a flush writes only tiles that no record holds yet. What follows a
torn record is ignored: the last whole state before it is what is recovered.
"""

import json
import os
import shutil
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from core.errors import EditorError, FileError, VersionError
from core.files.process import describe_process, is_running
from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.edits import DocumentState
from core.paint.layers import AiLayer, Group, Layer, Mask, Node, planes, walk
from core.paint.selection import EMPTY_SELECTION, Selection
from core.paint.tiles import TILE, Pixels, Tiles
from core.task import Recipe
from core.versions.schema import Schema

if TYPE_CHECKING:
    from core.paint.tiles import Key

HEADER = struct.Struct("<4sBQI")
"""Mark, kind, length of what follows, its checksum."""
MARK_NAME, MARK_VERSION = b"SFJ", 1
MARK = b"%s%d" % (MARK_NAME, MARK_VERSION)
"""What every record begins with: a name, and the version of how records are laid out."""
SCHEMA = Schema("record of unsaved work")
"""How what the records hold is described; its version is in the start record."""
TILE_RECORD, STATE_RECORD, START_RECORD = 1, 2, 3
NAME = "journal.bin"
MAX_JOURNAL_BYTES = 512 << 20
"""Bytes after which the journal is written anew without what nothing refers to any more."""
SERIAL = struct.Struct("<QB")


class Journal:
    """Records one document in a folder of its own; call ``flush`` from a timer.

    Raises FileError when the folder cannot be written.
    """

    def __init__(self, folder: Path, document: Document) -> None:
        self.folder = folder / f"{os.getpid()}-{time.time_ns()}"
        self._document = document
        self._written: set[int] = set()
        self._limit = MAX_JOURNAL_BYTES
        self._last: tuple[Any, ...] = ()
        self._todo: Iterator[None] | None = None
        self._start = describe_process()
        try:
            self.folder.mkdir(parents=True)
            self._file: BinaryIO = (self.folder / NAME).open("wb")
        except OSError as error:
            raise FileError(f"Autosave cannot write to {folder}: {error.strerror}.") from error
        self._write_start()

    def _write_start(self) -> None:
        path = str(self._document.path) if self._document.path else ""
        self._append(START_RECORD, json.dumps(SCHEMA.stamp({**self._start, "path": path})).encode())
        self._file.flush()

    def flush(self, budget: float = 0.02) -> bool:
        """Write what is new for at most about ``budget`` seconds; False when there is more.

        Raises FileError when the disk is full.
        """
        until = time.perf_counter() + budget
        try:
            if self._todo is None and self._is_new():
                self._todo = self._write_state(self._document.state)
            while self._todo is not None and time.perf_counter() < until:
                if next(self._todo, self) is self:
                    self._todo = None
            self._file.flush()
        except OSError as error:
            raise FileError(f"Autosave stopped: {error.strerror or error}.") from error
        return self._todo is None

    def _is_new(self) -> bool:
        """Whether the document differs from what was last written, open strokes included."""
        state = self._document.state
        now = (state, self._document.revision, self._document.path)
        fresh = now != self._last
        self._last = now
        return fresh

    def _write_state(self, state: DocumentState) -> Iterator[None]:
        """Tiles that are not in the file yet, one at a time, then the state made of them."""
        text = json.dumps(_state_json(state)).encode()
        for tiles in _all_tiles(state):
            for _, tile in list(tiles.items()):
                if tile.serial not in self._written:
                    self._append(TILE_RECORD, _pack_tile(tile.serial, tile.pixels))
                    self._written.add(tile.serial)
                    yield
        self._append(STATE_RECORD, text)
        if self._file.tell() > self._limit:
            yield from self._compact(state)

    def _compact(self, state: DocumentState) -> Iterator[None]:
        """Write what is needed now to a second file, which replaces the first once it is whole."""
        old, fresh = self._file, self.folder / (NAME + ".new")
        self._file, self._written, self._limit = fresh.open("wb"), set(), sys.maxsize
        self._write_start()
        yield from self._write_state(state)
        self._file.flush()
        self._limit = max(MAX_JOURNAL_BYTES, 2 * self._file.tell())
        old.close()
        fresh.replace(self.folder / NAME)

    def _append(self, kind: int, data: bytes) -> None:
        self._file.write(HEADER.pack(MARK, kind, len(data), zlib.crc32(data)))
        self._file.write(data)

    def close(self, clean: bool = True) -> None:
        """End the record; a clean end leaves nothing to recover."""
        self._file.close()
        if clean:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Recovery:
    """Work that a process left behind when it ended without closing its journal.

    ``is_newer`` says that a newer Sfumato recorded it: it cannot be loaded, and is never deleted.
    """

    folder: Path
    when: float
    original: Path | None
    is_newer: bool = False

    def load(self) -> Document:
        """The document as it was last recorded.

        Raises FileError when no state is whole, VersionError when a newer Sfumato recorded it.
        """
        document = _replay(self.folder / NAME)
        document.path = self.original
        return document

    def discard(self) -> None:
        """Delete the record, unless a newer Sfumato made it and alone can read it."""
        if not self.is_newer:
            shutil.rmtree(self.folder, ignore_errors=True)


def find_recoverable(folder: Path) -> list[Recovery]:
    """Journals of processes that ended without closing them, the newest first."""
    found = [_find_recovery(path) for path in folder.glob(f"*/{NAME}")] if folder.is_dir() else []
    kept = [recovery for recovery in found if recovery is not None]
    return sorted(kept, key=lambda recovery: -recovery.when)


def _find_recovery(path: Path) -> Recovery | None:
    start: dict[str, Any] | None = None
    try:
        when = path.stat().st_mtime
        _refuse_newer_mark(path)
        for kind, data in _read_records(path):
            if kind == START_RECORD:
                start = json.loads(data)
                SCHEMA.version_of(start)
            if kind == STATE_RECORD and start is not None:
                break
        else:
            return None
    except VersionError:
        is_open = start is not None and is_running(start)
        return None if is_open else Recovery(path.parent, when, None, is_newer=True)
    except (OSError, ValueError):
        return None
    if start is None or is_running(start):
        return None
    original = str(start.get("path", ""))
    return Recovery(path.parent, when, Path(original) if original else None)


def _refuse_newer_mark(path: Path) -> None:
    """Raises VersionError when the records are laid out in a way that is not known yet."""
    with path.open("rb") as stream:
        mark = stream.read(len(MARK))
    version = mark[len(MARK_NAME) :]
    if mark.startswith(MARK_NAME) and version.isdigit() and int(version) > MARK_VERSION:
        raise VersionError(SCHEMA.name, int(version), MARK_VERSION)


def _read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole records up to the first that is torn or damaged."""
    with path.open("rb") as stream:
        while True:
            head = stream.read(HEADER.size)
            if len(head) < HEADER.size:
                return
            mark, kind, length, checksum = HEADER.unpack(head)
            if mark != MARK or length > MAX_JOURNAL_BYTES:
                return
            data = stream.read(length)
            if len(data) < length or zlib.crc32(data) != checksum:
                return
            yield kind, data


def _replay(path: Path) -> Document:
    """The last state whose tiles are all there; one written while a stroke went on may lack some.

    If there is none with all of them, it is the last state: missing tiles are left blank.
    """
    tiles: dict[int, Pixels] = {}
    last: dict[str, Any] | None = None
    whole: dict[str, Any] | None = None
    version = 1
    _refuse_newer_mark(path)
    try:
        for kind, data in _read_records(path):
            if kind == START_RECORD:
                version = SCHEMA.version_of(json.loads(data))
            elif kind == TILE_RECORD:
                serial, pixels = _unpack_tile(data)
                tiles[serial] = pixels
            elif kind == STATE_RECORD:
                last = SCHEMA.migrate(json.loads(data), version)
                whole = last if _tile_serials(last) <= tiles.keys() else whole
        if last is not None:
            return _make_document(whole or last, tiles)
    except VersionError:
        raise
    except (KeyError, TypeError, ValueError, EditorError) as error:
        raise FileError(f"The recorded work cannot be read: {error}.") from error
    raise FileError("There is nothing whole in this record to recover.")


def _tile_serials(facts: Any) -> set[int]:
    """Serials of every tile below a state or node."""
    serials = {
        serial for plane in facts.get("planes", {}).values() for _, _, serial in plane["tiles"]
    }
    return serials.union(*(_tile_serials(child) for child in facts.get("children", ())))


# Tiles and states as bytes


def _pack_tile(serial: int, pixels: Pixels) -> bytes:
    channels = pixels.shape[2]
    return SERIAL.pack(serial, channels) + zlib.compress(pixels.tobytes(), 1)


def _unpack_tile(data: bytes) -> tuple[int, Pixels]:
    serial, channels = SERIAL.unpack_from(data)
    raw = zlib.decompress(data[SERIAL.size :])
    return serial, np.frombuffer(raw, np.uint8).reshape(TILE, TILE, channels).copy()


def _all_tiles(state: DocumentState) -> Iterator[Tiles]:
    for node in walk(state.root):
        yield from planes(node).values()


def _state_json(state: DocumentState) -> dict[str, Any]:
    return {
        "size": list(state.size),
        "active": state.active,
        "selection": _selection_json(state.selection),
        "children": [_node_json(child) for child in state.root.children],
    }


def _selection_json(selection: Selection) -> dict[str, Any]:
    alpha = selection.alpha
    packed = "" if alpha is None else zlib.compress(alpha.tobytes(), 1).hex()
    return {"bounds": list(selection.bounds), "alpha": packed}


def _node_json(node: Node) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "kind": node.kind,
        "id": node.id,
        "name": node.name,
        "visible": node.visible,
        "opacity": node.opacity,
        "blend": node.blend,
        "planes": {name: _plane_json(tiles) for name, tiles in planes(node).items()},
        "mask_visible": node.mask.visible if node.mask else True,
    }
    if isinstance(node, Group):
        facts["children"] = [_node_json(child) for child in node.children]
    if isinstance(node, Layer):
        facts |= {"position": list(node.position), "lock_alpha": node.lock_alpha}
    if isinstance(node, AiLayer):
        facts |= {"recipe": node.recipe.to_json(), "rendered": node.rendered, "baked": node.baked}
    return facts


def _plane_json(tiles: Tiles) -> dict[str, Any]:
    entries = [[x, y, tile.serial] for (x, y), tile in tiles.items()]
    return {"channels": tiles.channels, "fill": tiles.fill, "tiles": entries}


def _make_document(facts: dict[str, Any], tiles: dict[int, Pixels]) -> Document:
    children = tuple(_make_node(child, tiles) for child in facts["children"])
    document = Document(Size(*facts["size"]), Group("Root", children=children))
    saved = document.state
    state = DocumentState(
        saved.size, saved.root, _make_selection(facts["selection"]), str(facts["active"])
    )
    document.show(state)
    document.saved = DocumentState(saved.size, Group("Root"))
    return document


def _make_selection(facts: dict[str, Any]) -> Selection:
    bounds = Rect(*facts["bounds"])
    if not bounds:
        return EMPTY_SELECTION
    if not facts["alpha"]:
        return Selection(bounds)
    raw = zlib.decompress(bytes.fromhex(facts["alpha"]))
    return Selection(bounds, np.frombuffer(raw, np.uint8).reshape(bounds.height, bounds.width))


def _make_node(facts: dict[str, Any], tiles: dict[int, Pixels]) -> Node:
    made = {name: _make_plane(plane, tiles) for name, plane in facts["planes"].items()}
    mask = Mask(made["mask"], bool(facts["mask_visible"])) if "mask" in made else None
    common: dict[str, Any] = {
        "name": facts["name"],
        "id": facts["id"],
        "visible": facts["visible"],
        "opacity": facts["opacity"],
        "blend": facts["blend"],
        "mask": mask,
    }
    if facts["kind"] == "group":
        return Group(**common, children=tuple(_make_node(c, tiles) for c in facts["children"]))
    common |= {
        "tiles": made["pixels"],
        "position": Point(*facts["position"]),
        "lock_alpha": facts["lock_alpha"],
    }
    if facts["kind"] == "ai":
        return AiLayer(
            **common,
            recipe=Recipe.from_json(facts["recipe"]),
            region=made["region"],
            rendered=facts["rendered"],
            baked=facts["baked"],
        )
    return Layer(**common)


def _make_plane(facts: dict[str, Any], tiles: dict[int, Pixels]) -> Tiles:
    """A plane of the tiles that the record holds; the others are left blank."""
    present: dict[Key, Pixels] = {
        (int(x), int(y)): tiles[serial] for x, y, serial in facts["tiles"] if serial in tiles
    }
    return Tiles.from_tiles(present, int(facts["channels"]), int(facts["fill"]))
