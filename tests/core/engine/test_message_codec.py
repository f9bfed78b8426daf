"""Every message and command survives being a frame."""

import io
from typing import Any

import numpy as np
import pytest

from core.engine import commands, framing, message_codec, messages
from core.engine.framing import Frame, FrameError
from core.task import Wrapped
from tests.core.engine.conftest import Ask

PICTURE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def sent(frame: Frame) -> Frame:
    """Through bytes, as on the pipe."""
    stream = io.BytesIO()
    framing.write(stream, frame)
    stream.seek(0)
    arrived = framing.read(stream)
    assert arrived is not None
    return arrived


def plain(value: Any) -> dict[str, Any]:
    return {
        name: item.tolist() if isinstance(item, np.ndarray) else item
        for name, item in vars(value).items()
    }


@pytest.mark.parametrize(
    "message",
    [
        messages.Started(1, "storybook"),
        messages.Step(1, 2, 20, PICTURE),
        messages.Step(1, 3, 20),
        messages.Done(4, PICTURE, {"seconds": 1.5, "stages": {"load": 0.1}}),
        messages.Failed(5, "Überraschung", "trace", True, "again"),
        messages.Cancelled(6),
        messages.Opened(7, "toy", "Toy", 128, 8, 8, ("attention",), "toy-1", "cpu", 0.1),
        messages.Described(7, "a cat"),
        messages.Hello(8, "cpu", 2, 1.5),
        messages.Pong(),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages(message: messages.Spoken) -> None:
    arrived = message_codec.message_of(sent(message_codec.message_frame(message)))
    assert type(arrived) is type(message)
    assert plain(arrived) == plain(message)


@pytest.mark.parametrize(
    "command", [commands.Open(1, "toy", 2), commands.Cancel(2), commands.Ping()]
)
def test_commands(command: commands.Command) -> None:
    assert message_codec.command_of(sent(message_codec.command_frame(command))) == command


def test_pictures_to_describe() -> None:
    asked = commands.Describe(3, "toy", PICTURE, 1)
    arrived = message_codec.command_of(sent(message_codec.command_frame(asked)))
    assert isinstance(arrived, commands.Describe)
    assert plain(arrived) == plain(asked)


def test_jobs(ask: Ask) -> None:
    request = ask("sdedit", seed=9, prompt="a cat", modifiers=(Wrapped("cfg", {"scale": 3.0}),))
    arrived = message_codec.command_of(
        sent(message_codec.command_frame(commands.Job(3, request, 1, "likeness")))
    )
    assert isinstance(arrived, commands.Job)
    assert (arrived.id, arrived.rung, arrived.verifier) == (3, 1, "likeness")
    assert plain(arrived.request) == plain(request)


def test_unknown_and_misfitting_frames_are_refused() -> None:
    with pytest.raises(FrameError, match="no message called 'Pickle'"):
        message_codec.message_of(Frame({"kind": "Pickle"}))
    with pytest.raises(FrameError, match="does not fit"):
        message_codec.message_of(Frame({"kind": "Cancelled", "unknown": 1}))
