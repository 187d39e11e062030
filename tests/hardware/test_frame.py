"""What a frame accepts is what was sent, always."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.frame import BODY, Frame, FrameError, Unframer, packed, stuffed, unpacked, unstuffed

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 65_535), st.binary(max_size=BODY))
zeros_and_ones = st.binary(max_size=1200) | st.lists(st.sampled_from([0, 1, 255]), max_size=1200).map(bytes)


@given(zeros_and_ones)
def test_stuffing_leaves_no_zero_and_is_undone(content):
    wire = stuffed(content)
    assert 0 not in wire
    assert len(wire) <= len(content) + 1 + len(content) // 254
    assert unstuffed(wire) == content


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        ("00", "0101"),
        ("0000", "010101"),
        ("11223300", "0411223301"),
        ("11002200", "0211022201"),
        ("01" * 254, "ff" + "01" * 254),
        ("01" * 255, "ff" + "01" * 254 + "0201"),
        ("00" + "01" * 254, "01ff" + "01" * 254),
        ("01" * 254 + "00", "ff" + "01" * 254 + "0101"),
    ],
)
def test_stuffing_is_the_published_one(content, wire):
    assert stuffed(bytes.fromhex(content)).hex() == wire
    assert unstuffed(bytes.fromhex(wire)).hex() == content


@given(frames)
def test_a_frame_comes_back_as_it_was_sent(frame):
    assert unpacked(packed(frame)[1:-1]) == frame


@given(frames, st.data())
def test_a_damaged_frame_is_never_read(frame, data):
    wire = bytearray(packed(frame)[1:-1])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(wire) - 1))
        wire[place] = data.draw(st.integers(1, 255))
    if bytes(wire) != packed(frame)[1:-1]:
        with pytest.raises(FrameError):
            unpacked(bytes(wire))


def test_of_300000_damaged_frames_none_is_read():
    """A CRC-16 alone would let some five through."""
    rng = np.random.default_rng(1)
    wire = np.frombuffer(packed(Frame(0xC0, 7, bytes(range(1, 20))))[1:-1], dtype=np.uint8)
    accepted = 0
    for _ in range(30):
        damaged = np.tile(wire, (10_000, 1))
        damaged[:, 4:12] = rng.integers(1, 256, (10_000, 8))
        whole = (damaged == wire).all(axis=1)
        stream = np.concatenate([damaged, np.zeros((10_000, 1), dtype=np.uint8)], axis=1).tobytes()
        accepted += len(Unframer().push(stream)) - int(whole.sum())
    assert accepted == 0


@given(st.lists(frames, max_size=6), st.data())
def test_however_the_stream_is_cut_the_frames_are_the_same(sent, data):
    stream = b"".join(map(packed, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    unframer, got = Unframer(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += unframer.push(stream[start:stop])
    assert got == sent
    assert unframer.damaged == 0


@given(frames, frames, st.binary(min_size=1, max_size=2000))
def test_after_garbage_the_next_frame_is_read(first, second, garbage):
    unframer = Unframer()
    got = unframer.push(packed(first) + garbage + packed(second))
    assert got[0] == first
    assert got[-1] == second
    assert set(got) <= {first, second}


def test_a_body_that_is_too_long_is_not_sent():
    with pytest.raises(ValueError, match="at most 232"):
        packed(Frame(1, 1, bytes(233)))
