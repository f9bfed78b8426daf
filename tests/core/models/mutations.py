"""Seeded damage to checkpoints: headers, configurations, indices, vocabularies, folders.

``python -m tests.core.models.mutations N`` runs N of them and prints what came out.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import EditorError
from core.models.opening import check_model, open_model
from tests import tiny, tiny_flow
from tests.tiny_ldm import save_single_file

if TYPE_CHECKING:
    from collections.abc import Callable

HUGE = 2147483648
ODD: tuple[Any, ...] = (
    HUGE, -1, 0, 1, 2, 7, 1 << 70, 1e308, float("nan"), -float("inf"), True, None, "", "x",
    "\ud800",
    [], {}, [HUGE] * 3, [[1]], {"a": 1}, "../../etc/passwd", 0.5,
)  # fmt: skip


class Outcome(NamedTuple):
    """What opening gave: empty when it loaded, else the sentence or the foreign error."""

    text: str
    is_foreign: bool
    seconds: float


def build(folder: Path) -> dict[str, Path]:
    """One checkpoint of each kind, by a name."""
    unet = tiny.saved(folder)
    pipe: Any = tiny.pipeline(folder / "made")
    single = folder / "single"
    pipe.save_pretrained(single / "one")
    save_single_file(pipe, single / "one.safetensors")
    for weights in (single / "one").rglob("*.safetensors"):
        weights.unlink()
    sharded = shutil.copytree(unet, folder / "sharded")
    pipe.unet.save_pretrained(sharded / "unet", max_shard_size="60KB")
    (sharded / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    found = {"unet": unet, "single": single, "sharded": sharded}
    return found | {kind: tiny_flow.saved(folder, kind) for kind in ("sd3", "flux")}


def damage(home: Path, chance: random.Random) -> str:
    """Change one thing in a copy of a checkpoint; says what."""
    files = sorted(file for file in home.rglob("*") if file.is_file())
    ways: list[tuple[Callable[[Path, random.Random], str], list[Path]]] = [
        (_change_json, [file for file in files if file.suffix == ".json"]),
        (_change_json, [file for file in files if "config" in file.name]),
        (_change_header, [file for file in files if file.suffix == ".safetensors"]),
        (_change_bytes, files),
        (_change_text, [f for f in files if f.suffix in {".json", ".txt"}]),
        (_change_folder, files),
    ]
    way, among = chance.choice([way for way in ways if way[1]])
    file = chance.choice(among)
    return f"{way.__name__} {file.relative_to(home)}: {way(file, chance)}"


def _change_json(file: Path, chance: random.Random) -> str:
    data = json.loads(file.read_text("utf-8"))
    spots = list(_spots(data))
    holder, key = chance.choice(spots) if spots else ({}, "")
    value = chance.choice(ODD)
    if chance.random() < 0.15:
        del holder[key]
        value = "gone"
    else:
        holder[key] = value
    file.write_text(json.dumps(data))
    return f"{key} = {value!r}"[:80]


def _spots(data: Any) -> Any:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(items):
        yield data, key
        if isinstance(value, (dict, list)) and len(value) < 2000:
            yield from _spots(value)


def _change_header(file: Path, chance: random.Random) -> str:
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    name = chance.choice([name for name in header if name != "__metadata__"])
    way = chance.choice(("dtype", "shape", "offsets", "rename", "drop", "length", "twice", "meta"))
    entry = header[name]
    if way == "dtype":
        entry["dtype"] = chance.choice(("F16", "I64", "F8_E4M3", "BOOL", "X", "F64"))
    elif way == "shape":
        entry["shape"] = chance.choice(
            ([], [HUGE, HUGE], [0], [-1], ["a"], [1], entry["shape"][::-1])
        )
    elif way == "offsets":
        entry["data_offsets"] = chance.choice(([0, 1 << 60], [5, 1], [-1, 4], [0, 4], None))
    elif way == "rename":
        header[name + "x"] = header.pop(name)
    elif way == "drop":
        del header[name]
    elif way == "twice":
        header[name + "y"] = dict(entry)
    elif way == "meta":
        header["__metadata__"] = chance.choice((None, [], {"format": "np"}, {"format": 3}))
    text = json.dumps(header).encode()
    size = chance.choice((0, 1, 1 << 40, 1 << 63, len(text) - 1)) if way == "length" else len(text)
    file.write_bytes(size.to_bytes(8, "little") + text + raw[8 + length :])
    return f"{way} of {name}"


def _change_bytes(file: Path, chance: random.Random) -> str:
    raw = bytearray(file.read_bytes())
    way = chance.choice(("cut", "flip", "empty", "grow"))
    if way == "cut":
        raw = raw[: chance.randrange(len(raw) + 1)]
    elif way == "flip" and raw:
        for _ in range(chance.choice((1, 4, 40))):
            raw[chance.randrange(min(len(raw), 4000))] = chance.randrange(256)
    elif way == "empty":
        raw = bytearray()
    else:
        raw += bytes(chance.randrange(256) for _ in range(50))
    file.write_bytes(bytes(raw))
    return way


def _change_text(file: Path, chance: random.Random) -> str:
    depth = 100_000
    texts = (
        "[]",
        "{}",
        "null",
        "3",
        '"x"',
        "[" * depth,
        '{"a":' * depth,
        "\n",
        "é\x00ü",
        "a b c\n",
    )
    text = chance.choice(texts)
    file.write_text(text, "utf-8")
    return repr(text[:20])


def _change_folder(file: Path, chance: random.Random) -> str:
    way = chance.choice(("gone", "folder", "fifo", "device", "bin", "loop", "outside", "no room"))
    if way == "bin":
        file.rename(file.with_suffix(".bin"))
        return way
    if way == "no room":
        shutil.rmtree(file.parent)
        return way
    file.unlink()
    if way == "folder":
        file.mkdir()
    elif way == "fifo":
        os.mkfifo(file)
    elif way in {"device", "loop", "outside"}:
        targets = {"device": "/dev/zero", "loop": file.name, "outside": "/etc/hostname"}
        file.symlink_to(targets[way])
    return way


def attempt(home: Path) -> Outcome:
    """Judge and open a checkpoint, embed words and take a step as a job would."""
    began = time.perf_counter()
    name = str(next(home.glob("*.safetensors"), home))
    try:
        check_model(name)
        model = open_model(name)
        model.embed(["a red cat " * 60])
        model.levels(2)
        text, is_foreign = "", False
    except EditorError as error:
        text, is_foreign = str(error), False
    except BaseException as error:  # noqa: BLE001 - what escapes is what is looked for
        text, is_foreign = f"{type(error).__name__}: {error}", True
    return Outcome(text, is_foreign, time.perf_counter() - began)


def run(kind: str, origin: Path, seed: int, folder: Path) -> tuple[str, Outcome]:
    """Damage a copy of a checkpoint by a seed and open it."""
    copy = folder / f"{kind}-{seed}"
    shutil.copytree(origin, copy, symlinks=True)
    what = damage(copy, random.Random(f"{kind} {seed}"))
    outcome = attempt(copy)
    shutil.rmtree(copy)
    return what, outcome


def main(count: int, start: int = 0) -> int:
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        homes = build(Path(name) / "made")
        for seed in range(start, start + count):
            kind = list(homes)[seed % len(homes)]
            what, outcome = run(kind, homes[kind], seed, Path(name))
            worst = max(worst, outcome.seconds)
            result = "foreign" if outcome.is_foreign else "sentence" if outcome.text else "opened"
            counts[result] += 1
            is_long = len(outcome.text) > 500 or "\n" in outcome.text or outcome.seconds > 5
            if outcome.is_foreign or is_long:
                sys.stdout.write(
                    f"{kind} {seed} {what}\n  {ascii(outcome.text[:300])} {outcome.seconds:.1f}\n"
                )
                sys.stdout.flush()
    sys.stdout.write(f"{dict(counts)}, worst {worst:.2f} s\n")
    return counts["foreign"]


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
