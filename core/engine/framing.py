"""Frames on a pipe: a JSON header and raw arrays, lengths first; nothing is ever unpickled."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

Part = bytes | memoryview

LENGTH = struct.Struct("<I")
MAX_HEADER_BYTES = 16 << 20
"""More than any header needs: a larger number means that something else wrote to the pipe."""


class Frame(NamedTuple):
    """One message on the pipe: plain values and arrays."""

    header: Mapping[str, Any]
    arrays: Sequence[Array] = ()


class FrameError(ConnectionError):
    """What came through the pipe is not a frame, or only half of one."""


def pack_frame(frame: Frame) -> list[Part]:
    """The bytes of a frame in pieces; arrays are not copied unless they are strided."""
    arrays = [np.asarray(array, order="C") for array in frame.arrays]
    shapes = [[array.dtype.str, *array.shape] for array in arrays]
    header = json.dumps([frame.header, shapes]).encode()
    # A pipe takes bytes: a multi-dimensional view would be cut at its first axis.
    flat = (array.reshape(-1).view(np.uint8).data for array in arrays)
    return [LENGTH.pack(len(header)), header, *flat]


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Send one frame and flush."""
    stream.writelines(pack_frame(frame))
    stream.flush()


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next frame, or None when the other side has closed the pipe between two frames."""
    start = stream.read(LENGTH.size)
    if not start:
        return None
    header, shapes = _header(stream, start)
    return Frame(header, [_array(stream, dtype, shape) for dtype, *shape in shapes])


def _header(stream: BinaryIO, start: bytes) -> tuple[dict[str, Any], list[list[Any]]]:
    if len(start) < LENGTH.size:
        raise FrameError("the pipe was closed inside a frame")
    (length,) = LENGTH.unpack(start)
    if length > MAX_HEADER_BYTES:
        raise FrameError(f"a frame's header cannot be {length} bytes long")
    text = stream.read(length)
    if len(text) < length:
        raise FrameError("the pipe was closed inside a frame")
    try:
        header, shapes = json.loads(text)
    except ValueError as error:
        raise FrameError(f"a frame's header cannot be read: {error}") from error
    return header, shapes


def _array(stream: BinaryIO, dtype: str, shape: list[int]) -> Array:
    array = np.empty(shape, np.dtype(dtype))
    view = array.reshape(-1).view(np.uint8).data
    while view:
        count = stream.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise FrameError("the pipe was closed inside a frame")
        view = view[count:]
    return array
