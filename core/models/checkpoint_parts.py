"""The parts of a diffusers folder: each is judged by its files before anything is built."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.models.files import (
    MAX_JSON_BYTES,
    SAFE,
    Weights,
    checkpoint_files,
    is_folder,
    is_regular,
    read_json,
    read_weights,
)
from core.models.memory import is_out_of_memory

INDEX_SUFFIX = ".index"
PLAIN = ("tokenizer", "scheduler")
"""Beginnings of the names of parts without weights."""
VARIANTS = ("", "fp16", "bf16", "fp32")
"""Which weights are taken where there are several, the first first; then any other."""
MAX_WIDTH = 1 << 20
"""Of any whole number in a network's configuration; vocabularies have up to 250,000 words."""
MAX_TIMES = 100_000
"""Of any number in a scheduler's configuration; schedules have 1,000 times."""
SPARE = 1.05
"""How many more numbers than its files a network may hold; buffers are not always stored."""
MAX_SENTENCE = 240
"""Characters of a foreign error that a sentence repeats."""


def refuse_incomplete(folder: Path, parts: Sequence[str]) -> None:
    """Raises ModelError that names the first part that is missing or that cannot be used."""
    missing = [part for part in parts if not is_folder(folder / part)]
    if missing:
        raise ModelError(f"{folder.name} is not a whole checkpoint: {missing[0]}/ is missing.")
    for part in parts:
        _refuse_odd_files(folder / part)
        if part.startswith("scheduler"):
            _refuse_large_numbers(folder / part / "scheduler_config.json", MAX_TIMES)
        elif not part.startswith(PLAIN):
            weights_values(folder / part)


def refuse_foreign_configuration(folder: Path, parts: Sequence[str], weights: Weights) -> None:
    """Raises ModelError for a folder of configurations that asks for more than a file holds."""
    for part in parts:
        if not is_folder(folder / part):
            raise ModelError(f"{folder.name} is not a whole configuration: {part}/ is missing.")
        _refuse_odd_files(folder / part)
        if part.startswith("scheduler"):
            _refuse_large_numbers(folder / part / "scheduler_config.json", MAX_TIMES)
        elif not part.startswith(PLAIN):
            config = _refuse_large_numbers(folder / part / "config.json", MAX_WIDTH)
            _refuse_layers(folder / part, config, len(weights.shapes))


def _refuse_odd_files(part: Path) -> None:
    """Raises ModelError for a pipe, a device, a huge text or an addition from elsewhere."""
    for file in part.iterdir():
        name = f"{part.parent.name}/{part.name}/{file.name}"
        if not is_folder(file) and not is_regular(file):
            raise ModelError(f"{name} cannot be read: it is not a plain file.")
        is_weights = file.suffix.lower() in {SAFE, ".bin", ".msgpack", ".onnx", ".h5"}
        if not (is_weights or is_folder(file)) and file.stat().st_size > MAX_JSON_BYTES:
            raise ModelError(f"{name} is unreasonably large.")
        if file.name == "adapter_config.json":
            raise ModelError(f"{name} loads further weights; Sfumato opens plain checkpoints only.")


def weights_values(part: Path) -> int:
    """How many numbers the weights of a part hold.

    Raises ModelError when there are no safe weights, when their index names other files, or when
    the configuration asks for more layers than they have.
    """
    files = _weights_files(part)
    found = [read_weights(file) for file in files]
    config = _refuse_large_numbers(part / "config.json", MAX_WIDTH)
    _refuse_layers(part, config, sum(len(one.shapes) for one in found))
    return sum(one.values for one in found)


def _refuse_layers(part: Path, config: Mapping[str, Any], tensors: int) -> None:
    if _layers(config) > tensors:
        raise ModelError(
            f"{part.parent.name}/{part.name}/config.json asks for more layers "
            "than there are weights."
        )


def _weights_files(part: Path) -> list[Path]:
    """The files of the variant that is taken, all of them when they are in pieces."""
    variant = weights_variant(part)
    middle = f".{variant}" if variant else ""
    index = next(iter(_indices(part, middle)), None)
    if index is None:
        return [file for file in _safe_files(part) if _variant(file) == variant]
    return _named_pieces(part, index)


def _indices(part: Path, middle: str) -> list[Path]:
    names = (f"{SAFE}{INDEX_SUFFIX}{middle}.json", f"{middle}{SAFE}{INDEX_SUFFIX}.json")
    return sorted(file for file in part.iterdir() if file.name.endswith(names))


def _named_pieces(part: Path, index: Path) -> list[Path]:
    names = read_json(index).get("weight_map")
    if not isinstance(names, Mapping) or not names:
        raise ModelError(f"{part.name}/{index.name} is damaged: it names no files.")
    pieces = []
    for name in sorted({str(name) for name in names.values()}):
        is_plain = Path(name).name == name and "\\" not in name and ":" not in name
        if not is_plain or not name.lower().endswith(SAFE):
            raise ModelError(
                f"{part.name}/{index.name} names {ascii(name[:80])}: "
                f"Sfumato opens {SAFE} files in the same folder only."
            )
        if not is_regular(part / name):
            raise ModelError(f"{part.parent.name}/{part.name} lacks {name}, which its index names.")
        pieces.append(part / name)
    return pieces


def weights_variant(part: Path) -> str:
    """The variant of a part's weights, such as fp16; empty for the usual one.

    Raises ModelError when there are no safe weights.
    """
    found = {_variant(file) for file in _safe_files(part)}
    if not found:
        raise ModelError(
            f"{part.parent.name}/{part.name} holds no .safetensors weights; "
            "Sfumato does not open pickled ones."
        )
    return next((known for known in VARIANTS if known in found), min(found))


def _safe_files(part: Path) -> list[Path]:
    return [file for file in checkpoint_files(part) if file.parent == part and file.suffix == SAFE]


def _variant(file: Path) -> str:
    """The word between the dots of model.fp16.safetensors and model-00001-of-2.fp16.safetensors."""
    words = file.name.removesuffix(SAFE).split(".")[1:]
    return words[-1].split("-")[0] if words else ""


def _refuse_large_numbers(path: Path, limit: int) -> dict[str, Any]:
    """The settings in a configuration. Raises ModelError for a number beyond reason."""
    config = read_json(path)
    for key, value in _numbers("", config):
        if math.isfinite(value) and abs(value) > limit:
            raise ModelError(
                f"{path.parent.parent.name}/{path.parent.name}/{path.name} asks for "
                f"{ascii(key)} = {value:g}; that is more than Sfumato opens."
            )
    return config


def _numbers(key: str, value: Any) -> Iterator[tuple[str, float]]:
    """Every number in settings, with the name that it stands under."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(str(name)[:60], inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(key, inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield key, min(value, 1 << 80) if isinstance(value, int) else value


def _layers(config: Mapping[str, Any]) -> int:
    """About how many layers a configuration asks for, never more than it does."""
    blocks = config.get("down_block_types")
    count = len(blocks) if isinstance(blocks, list) else 1
    nested = _most(config, "layers_per_block") * _most(config, "transformer_layers_per_block")
    flat = max(_most(config, name) for name in _LAYER_COUNTS)
    return max(count + nested - 1, flat)


_LAYER_COUNTS = (
    "num_layers",
    "num_single_layers",
    "num_hidden_layers",
    "num_decoder_layers",
    "mid_block_layers",
    "reverse_transformer_layers_per_block",
)


def _most(config: Mapping[str, Any], name: str) -> int:
    """The largest of one count; 1 where it says nothing."""
    counts = [value for _, value in _numbers(name, {name: config.get(name)})]
    return int(max([1.0, *counts]))


@contextmanager
def translate_checkpoint_errors(path: Path) -> Iterator[None]:
    """Raises ModelError, with one sentence, in place of what goes wrong while a file is read.

    That memory ran out goes on as it is, so that the job is tried again with less.
    """
    from safetensors import SafetensorError

    try:
        yield
    except ModelError:
        raise
    except SafetensorError as error:
        raise ModelError(f"{path.name} is damaged or cut short ({error}).") from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        # Foreign readers raise anything, from IndexError to AssertionError, for a damaged file.
        raise ModelError(f"{path.name} cannot be used: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    text = " ".join(next(iter(str(error).strip().splitlines()), "").split())
    # What a file holds may be no text that can be shown.
    shown = text.encode("utf-8", "backslashreplace").decode()
    return shown[:MAX_SENTENCE] or type(error).__name__


def load_network(kind: Any, part: Path, dtype: Any) -> Any:
    """A network of a diffusers or transformers class, from the weights in its folder.

    Raises ModelError when the configuration asks for another network than the weights are of.
    """
    _refuse_larger_network(kind, part)
    # The two libraries call the type of the numbers by different names.
    is_diffusers = hasattr(kind, "load_config")
    own = {"torch_dtype": dtype, "low_cpu_mem_usage": True} if is_diffusers else {"dtype": dtype}
    network, found = kind.from_pretrained(
        part,
        variant=weights_variant(part) or None,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        **own,
    )
    missing = sorted(found.get("missing_keys") or ())
    if missing:
        # The libraries would fill the gaps with random numbers.
        raise ModelError(
            f"{part.parent.name}/{part.name} is not whole: its weights lack {missing[0]}."
        )
    return network


def _refuse_larger_network(kind: Any, part: Path) -> None:
    """Raises ModelError for a configuration that needs more memory than the weights have."""
    held = weights_values(part)
    wanted = sum(value.numel() for value in build_without_memory(kind, part).parameters())
    if wanted > held * SPARE:
        raise ModelError(
            f"{part.parent.name}/{part.name}/config.json asks for {wanted:,} weights; "
            f"its files hold {held:,}."
        )


def build_without_memory(kind: Any, part: Path) -> Any:
    """A network by its configuration alone; its weights have shapes and no values."""
    import torch

    with torch.device("meta"):
        if hasattr(kind, "load_config"):
            return kind.from_config(kind.load_config(part, local_files_only=True))
        return kind(kind.config_class.from_pretrained(part, local_files_only=True))


def load_scheduler(part: Path) -> Any:
    """The scheduler that a folder's configuration names. Raises ModelError for an unknown one."""
    import diffusers

    name = str(read_json(part / "scheduler_config.json").get("_class_name", "DDIMScheduler"))
    kind: Any = getattr(diffusers, name, None) if name.endswith("Scheduler") else None
    if not isinstance(kind, type) or not hasattr(kind, "from_pretrained"):
        raise ModelError(
            f"{part.parent.name} walks by {ascii(name[:80])}, which Sfumato does not know."
        )
    return kind.from_pretrained(part, local_files_only=True)


def load_tokenizer(kind: Any, part: Path) -> Any:
    """A tokenizer of a class, from its folder."""
    return kind.from_pretrained(part, local_files_only=True)
