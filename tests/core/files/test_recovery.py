"""Work left behind: old, newer, damaged and strange journals, and what is cleared away."""

import json
import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from core.ai.recipe_values import prompt_of
from core.errors import EditorError, FileError, VersionError
from core.files import journal_states, records
from core.files.file_version import FileVersion
from core.files.journal import OWNER, Journal
from core.files.journal_file import Base
from core.files.lock import mark_in_use
from core.files.records import HEADER, MARK, START_RECORD, STATE_RECORD, read_records
from core.files.recovery import find_recoverable
from core.formats.opening import open_document, save_document
from core.geometry import Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Layer
from core.versions.schema import Schema
from tests.core.files.test_journal import left, painted, record, rich_document

__all__ = ["left"]

UNVERSIONED = """{"size": [4, 3], "active": "cat", "selection": {"bounds": [0, 0, 2, 1],
"alpha": "ALPHA"}, "children": [{"kind": "ai", "id": "cat", "name": "a cat", "visible": true,
"opacity": 1.0, "blend": "normal", "planes": {"pixels": {"channels": 4, "fill": 9, "tiles": []},
"region": {"channels": 1, "fill": 0, "tiles": []}}, "mask_visible": true, "position": [0, 0],
"lock_alpha": false, "recipe": {"technique": "sdedit", "params": {"prompt": "a cat"},
"model": "storybook", "modifiers": [{"id": "cfg", "params": {"scale": 7.5}}], "seed": 9,
"context": [1, 2, 3, 4], "model_hash": "abc"}, "rendered": "key", "baked": true}]}""".replace(
    "ALPHA", zlib.compress(b"\x09\xff").hex()
)
START = {"pid": 0, "started": 1795597209.25, "path": "/pictures/a.ora"}


def pack(kind: int, data: bytes, mark: bytes = MARK) -> bytes:
    return HEADER.pack(mark, kind, len(data), zlib.crc32(data)) + data


def write_old(folder: Path, start: dict[str, Any], mark: bytes = MARK) -> Path:
    """A journal of version 1, as a process that is no more has written it."""
    path = folder / "0-1" / "journal.bin"
    path.parent.mkdir(parents=True)
    texts = (START_RECORD, json.dumps(start)), (STATE_RECORD, UNVERSIONED)
    path.write_bytes(b"".join(pack(kind, text.encode(), mark) for kind, text in texts))
    (path.parent / "changed").touch()
    return path


def test_a_journal_without_a_version_is_recovered(left: Path) -> None:
    write_old(left, START)
    (found,) = find_recoverable(left)
    assert found.original == Path("/pictures/a.ora")
    document = found.load(open_document)
    layer = document.find("cat")
    assert isinstance(layer, AiLayer)
    assert (prompt_of(layer.recipe), layer.recipe.seed, layer.rendered) == ("a cat", 9, "key")
    assert document.selection.read(document.bounds)[0].tolist() == [9, 255, 0, 0]
    found.discard()
    assert not list(left.iterdir())


def test_an_old_journal_that_was_saved_is_cleared_away(left: Path) -> None:
    (write_old(left, START).parent / "changed").unlink()
    assert find_recoverable(left) == []
    assert not list(left.iterdir())


def test_an_old_journal_whose_process_may_run_is_left_alone(left: Path) -> None:
    path = write_old(left, {**START, "pid": os.getpid()})
    assert find_recoverable(left) == find_recoverable(left) == []
    assert path.exists()


def test_a_living_journal_is_not_offered_whatever_the_clock_says(left: Path) -> None:
    journal = Journal(left, painted())
    assert journal.flush(10)
    assert journal.folder is not None
    os.utime(journal.folder / OWNER, (0, 0))
    assert find_recoverable(left) == []
    assert journal.flush(10)
    journal.close()


def test_what_one_window_offers_another_does_not(left: Path) -> None:
    record(left, painted())
    (found,) = find_recoverable(left)
    assert find_recoverable(left) == []
    found.let_go()
    assert len(find_recoverable(left)) == 1


def test_an_older_journal_is_migrated(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def widen(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "size": [side * 10 for side in state["size"]]}

    steps = (*journal_states.SCHEMA.steps, widen)
    monkeypatch.setattr("core.files.journal_index.SCHEMA", Schema("record", steps))
    write_old(left, START)
    (found,) = find_recoverable(left)
    assert found.load(open_document).size == Size(40, 30)


@pytest.mark.parametrize(("start", "mark"), [({"version": 3, **START}, MARK), (START, b"SFJ2")])
def test_a_journal_of_a_newer_version_is_refused_and_kept(
    left: Path, start: dict[str, Any], mark: bytes
) -> None:
    path = write_old(left, start, mark)
    before = path.read_bytes()
    (found,) = find_recoverable(left)
    assert found.is_newer
    with pytest.raises(VersionError, match="version"):
        found.load(open_document)
    found.discard()
    assert path.read_bytes() == before


def test_a_recipe_of_a_newer_version_is_refused(left: Path) -> None:
    path = write_old(left, START)
    newer = UNVERSIONED.replace('{"technique"', '{"version": 2, "technique"').encode()
    path.write_bytes(path.read_bytes() + pack(STATE_RECORD, newer))
    (found,) = find_recoverable(left)
    with pytest.raises(FileError, match="recipe is of version 2"):
        found.load(open_document)
    assert path.exists()


# What is cleared away, and what is not


def test_nothing_without_a_state_stays(left: Path) -> None:
    for name in ("0-1", "0-2", "0-3", "0-4"):
        (left / name).mkdir(parents=True)
    (left / "0-1" / OWNER).touch()
    (left / "0-2" / "journal-1.bin").touch()
    (left / "0-3" / "journal-1.bin").write_bytes(pack(START_RECORD, b'{"pid": 0}'))
    (left / "0-4" / "journal.bin.new").write_bytes(bytes(1000))
    assert find_recoverable(left) == []
    assert not list(left.iterdir())


def test_one_bad_journal_does_not_end_the_search(left: Path) -> None:
    record(left, painted())
    bad = left / "0-1" / "journal-1.bin"
    for data in (b"[" * 100_000, b'"text"', b"[1]", b"\xff", b'{"children": 5}', b"{}"):
        bad.parent.mkdir(exist_ok=True)
        bad.write_bytes(pack(START_RECORD, b"{}") + pack(STATE_RECORD, data))
        found = find_recoverable(left)
        loads = []
        for recovery in found:
            try:
                loads.append(recovery.load(open_document).size)
            except FileError:
                assert recovery.folder == bad.parent
            recovery.let_go()
        assert loads == [Size(600, 400)]


def test_a_folder_instead_of_a_journal_harms_nobody(left: Path) -> None:
    record(left, painted())
    (left / "0-1" / "journal-1.bin").mkdir(parents=True)
    (left / "stray").write_text("a file")
    assert any(found.index is not None for found in find_recoverable(left))


def test_half_written_pictures_go_where_something_was_saved(left: Path, tmp_path: Path) -> None:
    place = tmp_path / "pictures"
    place.mkdir()
    document = painted()
    document.saved = document.state
    journal = Journal(left, document)
    journal.prepare_to_save(place / "a.ora", 10)
    assert journal.flush(10)
    journal.close(clean=False)
    for name in (".sfumato-dead.part", ".sfumato-alive.part", "mine.part"):
        (place / name).write_bytes(b"half")
    with mark_in_use(place / ".sfumato-alive.part"):
        assert find_recoverable(left) == []
    assert sorted(path.name for path in place.iterdir()) == [".sfumato-alive.part", "mine.part"]


# Strange content with the right checksums


def sample_journal(folder: Path) -> bytes:
    document = rich_document()
    document.path = folder / "base.ora"
    save_document(painted(), folder / "base.ora")
    base = open_document(folder / "base.ora")
    source = Base.of(FileVersion.of(folder / "base.ora"), base.state)
    journal = Journal(folder / "made", base, source)
    base.extras = document.extras
    base.insert("More", document.root.children[-1])
    base.select(document.selection)
    assert journal.flush(10)
    base.insert("Last", Layer("last"))
    assert journal.flush(10)
    journal.close(clean=False)
    (path,) = folder.glob("made/*/journal-1.bin")
    return path.read_bytes()


VALUES: list[Any] = [
    None, True, -1, 0, 3, 1 << 40, 1e999, -1e999, 0.5, "", "text", "\ud800", [], [1], [[]], {},
    {"a": 1}, {"tiles": 3}, 65_536, [65_536, 65_536],
]  # fmt: skip


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One record changed, with its checksum put right: a JSON value, some bytes, or its kind."""
    found = [(kind, bytes(body)) for kind, body, _ in split(data)]
    for _ in range(chance.choice((1, 1, 2, 4))):
        number = chance.randrange(len(found))
        kind, body = found[number]
        if kind in {records.START_RECORD, records.STATE_RECORD, records.BASE_RECORD} and (
            chance.random() < 0.8
        ):
            try:
                facts = json.loads(body)
            except ValueError:
                continue
            body = json.dumps(change_value(facts, chance)).encode()
        elif chance.random() < 0.15:
            kind = chance.randrange(8)
        elif chance.random() < 0.1:
            found.pop(number)
            if not found:
                return b""
            continue
        else:
            body = change_bytes(body, chance)
        found[number] = kind, body
    return b"".join(pack(kind, body) for kind, body in found)


def split(data: bytes) -> list[tuple[int, bytes, int]]:
    made, offset = [], 0
    while offset < len(data):
        _, kind, length, _ = struct.unpack_from("<4sBQI", data, offset)
        start = offset + HEADER.size
        made.append((kind, data[start : start + length], start))
        offset = start + length
    return made


def change_value(facts: Any, chance: random.Random) -> Any:
    """Replace, remove or double one value somewhere in a tree."""
    if isinstance(facts, dict) and facts and chance.random() < 0.85:
        key = chance.choice(list(facts))
        if chance.random() < 0.1:
            return {name: value for name, value in facts.items() if name != key}
        return {**facts, key: change_value(facts[key], chance)}
    if isinstance(facts, list) and facts and chance.random() < 0.85:
        place = chance.randrange(len(facts))
        if chance.random() < 0.2:
            return [*facts, facts[place]]
        return [*facts[:place], change_value(facts[place], chance), *facts[place + 1 :]]
    return chance.choice(VALUES)


def change_bytes(body: bytes, chance: random.Random) -> bytes:
    if not body or chance.random() < 0.2:
        return body[: chance.randrange(len(body) + 1)]
    changed = bytearray(body)
    for _ in range(chance.choice((1, 3, 30))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def try_mutants(folder: Path, seeds: range) -> dict[str, int]:
    """How many mutants were read, refused or cleared away; anything else is raised."""
    data, counts = sample_journal(folder), {"read": 0, "refused": 0, "cleared": 0}
    for seed in seeds:
        place = folder / "tried" / "0-1"
        place.mkdir(parents=True, exist_ok=True)
        (place / "journal-1.bin").write_bytes(mutate(data, random.Random(seed)))
        found = find_recoverable(folder / "tried")
        if not found:
            counts["cleared"] += 1
        for recovery in found:
            try:
                use(recovery.load(open_document))
                counts["read"] += 1
            except EditorError:
                counts["refused"] += 1
            recovery.let_go()
    return counts


def use(document: Document) -> None:
    """What the window does first with a document that was recovered."""
    if document.size.width * document.size.height < 1 << 22:
        flatten(document.root, document.bounds)
    document.selection.invert(document.size) if document.size.width < 4096 else None


def test_mutated_journals_give_nothing_but_our_own_errors(tmp_path: Path) -> None:
    counts = try_mutants(tmp_path, range(300))
    assert min(counts["read"], counts["refused"]) > 30, counts


@pytest.mark.slow
def test_ten_thousand_mutated_journals_give_nothing_but_our_own_errors(tmp_path: Path) -> None:
    counts = try_mutants(tmp_path, range(10_000))
    assert sum(counts.values()) == 10_000


def test_a_whole_record_is_read_and_a_torn_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(pack(1, b"one") + pack(2, b"two") + HEADER.pack(MARK, 1, 1 << 29, 0) + b"x")
    assert [(kind, data) for kind, data, _ in read_records(path)] == [(1, b"one"), (2, b"two")]
