"""Messages and commands as frames, and back."""

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

_SPOKEN: tuple[type[WorkerMessage], ...] = (
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
_PLAIN: tuple[type[OpenModel | DescribePicture | CancelJob | Ping], ...] = (
    OpenModel,
    DescribePicture,
    CancelJob,
    Ping,
)


def encode_message(message: WorkerMessage) -> Frame:
    return _frame(message)


def decode_message(frame: Frame) -> WorkerMessage:
    message: WorkerMessage = _value(frame, _SPOKEN)
    return message


def encode_command(command: Command) -> Frame:
    if not isinstance(command, RunTask):
        return _frame(command)
    request = command.task
    header = {
        "kind": "Job",
        "id": command.id,
        "retry": command.retry,
        "verifier": command.verifier,
        "layer": request.layer,
        "recipe": request.recipe.to_json(),
        "rect": list(request.rect),
        "bounds": list(request.bounds),
        "canvas": list(request.canvas),
        "key": request.key,
    }
    return Frame(header, (request.crop, request.painted))


def decode_command(frame: Frame) -> Command:
    header = frame.header
    if header.get("kind") != "Job":
        command: Command = _value(frame, _PLAIN)
        return command
    crop, painted = frame.arrays
    request = LayerTask(
        header["layer"],
        Recipe.from_json(header["recipe"]),
        Rect(*header["rect"]),
        Rect(*header["bounds"]),
        Size(*header["canvas"]),
        crop,
        painted,
        header["key"],
    )
    return RunTask(header["id"], request, header["retry"], header["verifier"])


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
