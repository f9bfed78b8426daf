"""Every message and command survives being a frame."""

import io
from typing import Any

import numpy as np
import pytest

from core.engine import commands, framing, message_codec, messages
from core.engine.framing import Frame, FrameError
from core.task import ModifierSetting
from tests.core.engine.conftest import MakeTask

PICTURE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def sent(frame: Frame) -> Frame:
    """Through bytes, as on the pipe."""
    stream = io.BytesIO()
    framing.write_frame(stream, frame)
    stream.seek(0)
    arrived = framing.read_frame(stream)
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
        messages.JobStarted(1, "storybook"),
        messages.JobStep(1, 2, 20, PICTURE),
        messages.JobStep(1, 3, 20),
        messages.JobDone(4, PICTURE, {"seconds": 1.5, "stages": {"load": 0.1}}),
        messages.JobFailed(5, "Überraschung", "trace", True, "again"),
        messages.JobCancelled(6),
        messages.ModelOpened(7, "toy", "Toy", 128, 8, 8, ("attention",), "toy-1", "cpu", 0.1),
        messages.PictureDescribed(7, "a cat"),
        messages.WorkerReady(8, "cpu", 2, 1.5),
        messages.Pong(),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages(message: messages.WorkerMessage) -> None:
    arrived = message_codec.decode_message(sent(message_codec.encode_message(message)))
    assert type(arrived) is type(message)
    assert plain(arrived) == plain(message)


@pytest.mark.parametrize(
    "command", [commands.OpenModel(1, "toy", 2), commands.CancelJob(2), commands.Ping()]
)
def test_commands(command: commands.Command) -> None:
    assert message_codec.decode_command(sent(message_codec.encode_command(command))) == command


def test_pictures_to_describe() -> None:
    command = commands.DescribePicture(3, "toy", PICTURE, 1)
    arrived = message_codec.decode_command(sent(message_codec.encode_command(command)))
    assert isinstance(arrived, commands.DescribePicture)
    assert plain(arrived) == plain(command)


def test_jobs(make_task: MakeTask) -> None:
    task = make_task(
        "sdedit", seed=9, prompt="a cat", modifiers=(ModifierSetting("cfg", {"scale": 3.0}),)
    )
    arrived = message_codec.decode_command(
        sent(message_codec.encode_command(commands.RunTask(3, task, 1, "likeness")))
    )
    assert isinstance(arrived, commands.RunTask)
    assert (arrived.id, arrived.retry, arrived.verifier) == (3, 1, "likeness")
    assert plain(arrived.task) == plain(task)


def test_unknown_and_misfitting_frames_are_refused() -> None:
    with pytest.raises(FrameError, match="no message called 'Pickle'"):
        message_codec.decode_message(Frame({"kind": "Pickle"}))
    with pytest.raises(FrameError, match="does not fit"):
        message_codec.decode_message(Frame({"kind": "JobCancelled", "unknown": 1}))
