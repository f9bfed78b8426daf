"""Frames survive the pipe; anything else that comes through is refused."""

import io
import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.engine import framing
from core.engine.framing import Frame, FrameError

SOME = arrays.arrays(
    st.sampled_from([np.uint8, np.float32, np.int64, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()), st.lists(SOME))
def test_what_is_written_is_read(header: dict[str, object], pictures: list[framing.Array]) -> None:
    stream = io.BytesIO()
    framing.write_frame(stream, Frame(header, pictures))
    framing.write_frame(stream, Frame({"second": True}))
    stream.seek(0)
    first, second = framing.read_frame(stream), framing.read_frame(stream)
    assert first is not None
    assert second == ({"second": True}, [])
    assert first.header == header
    for sent, received in zip(pictures, first.arrays, strict=True):
        assert (sent.shape, sent.dtype) == (received.shape, received.dtype)
        assert sent.tobytes() == received.tobytes()
    assert framing.read_frame(stream) is None


def test_a_strided_picture_larger_than_a_pipe_arrives_whole() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (700, 900, 4), np.uint8)[::2, ::-1, :3]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as sink:
        thread = threading.Thread(target=framing.write_frame, args=(sink, Frame({}, [picture])))
        thread.start()
        frame = framing.read_frame(source)
        thread.join()
    assert frame is not None
    assert np.array_equal(frame.arrays[0], picture)


@pytest.mark.parametrize("cut", [1, 4, 20, -1])
def test_a_pipe_closed_inside_a_frame_is_an_error(cut: int) -> None:
    stream = io.BytesIO()
    framing.write_frame(stream, Frame({"kind": "Step"}, [np.zeros((3, 3))]))
    with pytest.raises(FrameError, match="inside a frame"):
        framing.read_frame(io.BytesIO(stream.getvalue()[:cut]))


@pytest.mark.parametrize("noise", [b"Downloading: 100%|#####|\n", b"\x02\x00\x00\x00{]"])
def test_noise_in_the_pipe_is_an_error(noise: bytes) -> None:
    with pytest.raises(FrameError):
        framing.read_frame(io.BytesIO(noise))
