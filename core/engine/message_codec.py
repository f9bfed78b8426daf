"""Messages and commands as frames, and back."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ai.layer import Request
from core.engine.commands import Cancel, Command, Describe, Job, Open, Ping
from core.engine.framing import Frame, FrameError
from core.engine.messages import (
    Cancelled,
    Described,
    Done,
    Failed,
    Hello,
    Opened,
    Pong,
    Spoken,
    Started,
    Step,
)
from core.geometry import Rect, Size
from core.task import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPOKEN: tuple[type[Spoken], ...] = (
    Started,
    Step,
    Done,
    Failed,
    Cancelled,
    Opened,
    Described,
    Hello,
    Pong,
)
_PLAIN: tuple[type[Open | Describe | Cancel | Ping], ...] = (Open, Describe, Cancel, Ping)


def message_frame(message: Spoken) -> Frame:
    return _frame(message)


def message_of(frame: Frame) -> Spoken:
    message: Spoken = _value(frame, _SPOKEN)
    return message


def command_frame(command: Command) -> Frame:
    if not isinstance(command, Job):
        return _frame(command)
    request = command.request
    header = {
        "kind": "Job",
        "id": command.id,
        "rung": command.rung,
        "verifier": command.verifier,
        "layer": request.layer,
        "recipe": request.recipe.to_json(),
        "rect": list(request.rect),
        "bounds": list(request.bounds),
        "canvas": list(request.canvas),
        "key": request.key,
    }
    return Frame(header, (request.crop, request.painted))


def command_of(frame: Frame) -> Command:
    header = frame.header
    if header.get("kind") != "Job":
        command: Command = _value(frame, _PLAIN)
        return command
    crop, painted = frame.arrays
    request = Request(
        header["layer"],
        Recipe.from_json(header["recipe"]),
        Rect(*header["rect"]),
        Rect(*header["bounds"]),
        Size(*header["canvas"]),
        crop,
        painted,
        header["key"],
    )
    return Job(header["id"], request, header["rung"], header["verifier"])


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
            return _built(cls, {name: _restored(item) for name, item in values.items()})
    raise FrameError(f"there is no message called {kind!r}")


def _built(cls: type[Any], values: dict[str, Any]) -> Any:
    try:
        return cls(**values)
    except TypeError as error:
        raise FrameError(f"a message does not fit: {error}") from error


def _restored(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
