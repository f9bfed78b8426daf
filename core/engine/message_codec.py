"""Encodes messages and commands as frames, and decodes them."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ai.layer import LayerTask
from core.engine.commands import CancelJob, Command, DescribePicture, OpenModel, Ping, RunTask
from core.engine.framing import Frame, FrameError
from core.engine.messages import (
    JobCancelled,
    JobDone,
    JobFailed,
    JobStarted,
    JobStep,
    ModelOpened,
    PictureDescribed,
    Pong,
    WorkerMessage,
    WorkerReady,
)
from core.geometry import Rect, Size
from core.task import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable

_MESSAGE_KINDS: tuple[type[WorkerMessage], ...] = (
    JobStarted,
    JobStep,
    JobDone,
    JobFailed,
    JobCancelled,
    ModelOpened,
    PictureDescribed,
    WorkerReady,
    Pong,
)
_COMMAND_KINDS: tuple[type[OpenModel | DescribePicture | CancelJob | Ping], ...] = (
    OpenModel,
    DescribePicture,
    CancelJob,
    Ping,
)


def encode_message(message: WorkerMessage) -> Frame:
    """Encode a message of the worker."""
    return _frame(message)


def decode_message(frame: Frame) -> WorkerMessage:
    """Decode a message of the worker. Raises FrameError for an unknown or unfit frame."""
    message: WorkerMessage = _value(frame, _MESSAGE_KINDS)
    return message


def encode_command(command: Command) -> Frame:
    """Encode a command of the engine."""
    if not isinstance(command, RunTask):
        return _frame(command)
    task = command.task
    header = {
        "kind": RunTask.__name__,
        "id": command.id,
        "retry": command.retry,
        "verifier": command.verifier,
        "layer": task.layer,
        "recipe": task.recipe.to_json(),
        "rect": list(task.rect),
        "bounds": list(task.bounds),
        "canvas": list(task.canvas),
        "key": task.key,
    }
    limit = () if task.opacity is None else (task.opacity,)
    return Frame(header, (task.crop, task.painted, *limit))


def decode_command(frame: Frame) -> Command:
    """Decode a command of the engine. Raises FrameError for an unknown or unfit frame."""
    header = frame.header
    if header.get("kind") != RunTask.__name__:
        command: Command = _value(frame, _COMMAND_KINDS)
        return command
    crop, painted, *limit = frame.arrays
    task = LayerTask(
        header["layer"],
        Recipe.from_json(header["recipe"]),
        Rect(*header["rect"]),
        Rect(*header["bounds"]),
        Size(*header["canvas"]),
        crop,
        painted,
        header["key"],
        *limit,
    )
    return RunTask(header["id"], task, header["retry"], header["verifier"])


def _frame(value: Any) -> Frame:
    plain = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    arrays = {name: item for name, item in plain.items() if isinstance(item, np.ndarray)}
    header = {name: item for name, item in plain.items() if name not in arrays}
    header |= {"kind": type(value).__name__, "arrays": list(arrays)}
    return Frame(header, tuple(arrays.values()))


def _value(frame: Frame, kinds: "Iterable[type[Any]]") -> Any:
    header = dict(frame.header)
    kind, names = header.pop("kind", None), header.pop("arrays", [])
    for cls in kinds:
        if cls.__name__ == kind:
            values = header | dict(zip(names, frame.arrays, strict=False))
            return _construct(cls, {name: _restore_tuple(item) for name, item in values.items()})
    raise FrameError(f"there is no message called {kind!r}")


def _construct(cls: type[Any], values: dict[str, Any]) -> Any:
    try:
        return cls(**values)
    except TypeError as error:
        raise FrameError(f"a message does not fit: {error}") from error


def _restore_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
