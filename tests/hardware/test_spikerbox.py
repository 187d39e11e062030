"""A SpikerBox is listened to: whole frames become samples, debris is told as lost, and nothing is put out."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.port import Port, PortError, PortLost
from hardware.rig import ARBITRARY, BLOCK, RigError
from hardware.spikerbox import SpikerBox
from hardware.spikerbox_stream import Message, StreamDecoder, frame_channels
from simulators.stimulus import step

if sys.platform == "win32":
    pytest.skip("A pty is wanted.", allow_module_level=True)

from spikerbox_emulator import Box, frames, message

CODES = st.integers(0, (1 << 14) - 1)


def rows(channels, most=20):
    return st.lists(st.lists(CODES, min_size=channels, max_size=channels), max_size=most)


def decoded(decoder, *pieces):
    """Feed pieces; give the rows, the losses in order, and the messages."""
    out, lost, told = [], [], []
    for piece in pieces:
        for found in decoder.feed(piece):
            out += found.codes.tolist()
            lost += [found.lost] if found.lost else []
        told += decoder.messages
    return out, lost, told


# The stream.


@given(st.integers(1, 4).flatmap(lambda c: st.tuples(st.just(c), rows(c))))
def test_what_is_laid_out_comes_back(case):
    channels, codes = case
    assert decoded(StreamDecoder(channels), frames(codes)) == (codes, [], [])


@given(
    st.integers(1, 3).flatmap(lambda c: st.tuples(st.just(c), rows(c, 6))), st.binary(max_size=20),
    st.lists(st.integers(0, 400), max_size=20), st.booleans(),
)  # fmt: skip
def test_any_cut_of_the_stream_gives_the_same_samples_losses_and_messages(case, garbage, cuts, doubled):
    channels, codes = case
    stream = frames(codes) + message("HWT:HUMANSB;EVNT:3;") + frames(codes) + garbage + frames(codes)
    stream = stream + stream[1:] if doubled else stream
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    whole, cut = StreamDecoder(channels), StreamDecoder(channels)
    rows_whole, _, told_whole = decoded(whole, stream)
    rows_cut, _, told_cut = decoded(cut, *(stream[a:b] for a, b in pairwise(places)))
    assert (rows_cut, told_cut, cut.lost) == (rows_whole, told_whole, whole.lost)


@given(st.integers(1, 4).flatmap(lambda c: st.tuples(st.just(c), rows(c))), st.data())
def test_a_dropped_byte_is_never_a_sample_and_one_is_told_as_lost(case, data):
    channels, codes = case
    first, last = [[1] * channels], [[2] * channels]
    stream = frames(first + codes + last)
    place = data.draw(st.integers(2 * channels, len(stream) - 2 * channels - 1)) if codes else None
    spoilt = stream if place is None else stream[:place] + stream[place + 1 :]
    out, lost, _ = decoded(StreamDecoder(channels), spoilt)
    k = None if place is None else place // (2 * channels) - 1
    assert out == first + [row for j, row in enumerate(codes) if j != k] + last
    assert sum(lost) == (k is not None)


@given(st.integers(1, 4).flatmap(lambda c: st.tuples(st.just(c), rows(c))), st.data())
def test_a_bit_7_that_flipped_is_never_a_sample(case, data):
    channels, codes = case
    stream = bytearray(frames([[1] * channels, *codes, [2] * channels]))
    place = data.draw(st.integers(0, len(stream) - 1))
    stream[place] ^= 0x80
    out, _, _ = decoded(StreamDecoder(channels), bytes(stream))
    k = place // (2 * channels)
    assert out == [row for j, row in enumerate([[1] * channels, *codes, [2] * channels]) if j != k]


@given(st.integers(1, 4), st.binary(max_size=300))
def test_garbage_gives_nothing_but_whole_frames_that_it_holds(channels, garbage):
    decoder = StreamDecoder(channels)
    for row in decoded(decoder, garbage)[0]:
        assert frames([row]) in garbage
    assert len(decoder._rest) <= 524


@given(st.integers(1, 3).flatmap(lambda c: st.tuples(st.just(c), rows(c, 6))), st.binary(max_size=50))
def test_after_garbage_it_is_in_step_within_two_frames(case, garbage):
    channels, codes = case
    whole = [[5] * channels, [6] * channels, *codes]
    out, _, _ = decoded(StreamDecoder(channels), garbage.replace(b"\xff", b"\xfe") + frames(whole))
    assert out[-len(codes) :] == codes if codes else True


def test_what_precedes_the_first_whole_frame_is_not_lost():
    assert decoded(StreamDecoder(2), frames([[1, 2], [3, 4]])[1:]) == ([[3, 4]], [], [])


def test_a_loss_is_told_with_the_samples_after_it():
    stream = frames([[1, 2], [3, 4], [5, 6]])
    pieces = StreamDecoder(2).feed(stream[:4] + stream[5:])
    assert [(piece.codes.tolist(), piece.lost) for piece in pieces] == [([[1, 2]], 0), ([[5, 6]], 1)]


def test_a_message_is_told_with_its_place_and_costs_no_sample():
    stream = frames([[1], [2]]) + message("HWT:HUMANSB;FWV:1.2;") + frames([[3]]) + message("EVNT:3;")
    out, lost, told = decoded(StreamDecoder(1), stream)
    assert (out, lost) == ([[1], [2], [3]], [])
    assert told == [Message(2, "HWT", "HUMANSB"), Message(2, "FWV", "1.2"), Message(3, "EVNT", "3")]


@pytest.mark.parametrize("text", ["\x80\x81", "no colon", "A:\x01;", ""])
def test_a_message_that_says_nothing_is_left_out(text):
    assert decoded(StreamDecoder(1), frames([[1]]) + message(text) + frames([[2]])) == ([[1], [2]], [], [])


def test_a_message_without_an_end_does_not_swallow_the_samples():
    decoder = StreamDecoder(1)
    codes = [[k] for k in range(1000)]
    out, lost, told = decoded(decoder, frames([[7]]) + b"\xff\xff\x01\x01\x80\xff", frames(codes))
    assert out == [[7], *codes]
    assert (len(lost), told) == (1, [])


@pytest.mark.parametrize("channels", [0, 9])
def test_channels_that_no_box_has_are_refused(channels):
    with pytest.raises(ValueError, match="1 to 8 were wanted"):
        StreamDecoder(channels)


@pytest.mark.parametrize("channels", range(1, 9))
def test_the_stream_itself_tells_its_channels(channels):
    stream = frames(np.random.default_rng(1).integers(0, 1 << 14, (40, channels)).tolist())
    assert frame_channels(stream[3:70] + stream[71:]) == channels


@pytest.mark.parametrize("data", [b"", b"\x01" * 99, b"\xff" * 99, b"\x81\x01\x01" * 40, b"\x81"])
def test_a_stream_without_frames_has_no_channels(data):
    assert frame_channels(data) is None


# The box.


@pytest.fixture
def box():
    with Box() as box:
        yield box


def rig_of(box, **more):
    return SpikerBox(Port(box.name), **{"channels": box.channels, "patience": 5.0, **more})


def listen(rig, samples):
    """Hold 0 pA until so many samples have come."""
    blocks, count = [], 0
    for block in rig.hold(0.0):
        blocks.append(block)
        count += block.response.size
        if count >= samples:
            rig.stop()
    return blocks


def test_it_listens_without_a_gap_in_blocks_of_20_ms(box):
    with rig_of(box) as rig:
        blocks = listen(rig, 3000)
        assert rig.board == "MUSCLESB"
    response = np.concatenate([block.response for block in blocks])
    assert set(np.diff(response) % 1024) == {1.0}
    assert (response.min(), response.max()) == (-512.0, 511.0)
    assert max(block.response.size for block in blocks) <= BLOCK * rig.rate
    assert all(block.command is None and block.lost == 0 for block in blocks)
    assert rig.provenance.start is not None


def test_one_of_several_channels_is_listened_to():
    with Box(channels=2, board="HUMANSB", bits=14) as box, rig_of(box, channel=2, bits=14, rate=5.0) as rig:
        first = listen(rig, 500)[0].response[0]
        assert -8192 <= first < 8192
        assert rig.board == "HUMANSB"


def test_a_lost_byte_is_told_as_a_lost_sample(box):
    with rig_of(box) as rig:
        done = []

        def spoil(data):
            if len(done) == 3:
                return data
            done.append(data)
            return data[:7] + data[8:]

        blocks = rig.hold(0.0)
        next(blocks)
        box.spoil = spoil
        lost = 0
        for block in blocks:
            lost += block.lost
            if lost >= 3:
                rig.stop()
        assert lost == 3


def test_every_stimulus_is_refused_and_so_is_a_holding(box):
    with rig_of(box) as rig:
        with pytest.raises(RigError, match="only listens and can put out no stimulus"):
            rig.play(step(50.0))
        with pytest.raises(RigError, match="can't hold -20 pA: hold 0 pA"):
            next(rig.hold(-20.0))
        assert listen(rig, 100)


def test_without_a_calibration_its_scale_is_arbitrary_and_with_one_it_is_not(box):
    assert rig_of(box).gains["response"].source == ARBITRARY
    with rig_of(box, calibration=0.5) as rig:
        assert (rig.gains["response"].value, rig.gains["response"].unit, rig.gains["response"].source) == (
            0.5, "mV", "rig file",
        )  # fmt: skip
        response = np.concatenate([block.response for block in listen(rig, 2000)])
    assert (response.min(), response.max()) == (-256.0, 255.5)


def test_a_box_that_does_not_say_what_it_is_is_listened_to_all_the_same():
    with Box(board=None) as box, rig_of(box, patience=0.5) as rig:
        assert rig.board is None
        assert box.asked.is_set()
        assert listen(rig, 100)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"channels": 2}, "sends 1 channels and 2 were declared: set channels = 1"),
        ({"rate": 5.0}, "MUSCLESB of 10 kHz and 10 bits, and 5 kHz and 10 bits were declared"),
        ({"bits": 14}, "and 10 kHz and 14 bits were declared"),
    ],
    ids=str,
)
def test_what_was_declared_otherwise_than_the_box_sends_is_refused(box, more, said):
    with pytest.raises(RigError, match=said):
        rig_of(box, **more).open()
    with rig_of(box):
        pass


@pytest.mark.parametrize(
    "more", [{"channel": 2}, {"channels": 9}, {"bits": 12}, {"rate": 0.0}, {"calibration": 0.0}], ids=str
)
def test_numbers_that_no_box_has_are_refused(more):
    with pytest.raises(RigError, match=r"was wanted|were wanted"):
        SpikerBox(Port("COM3"), **more)


def test_a_port_where_nothing_comes_is_named():
    with Box() as box:
        box.mute.set()
        with pytest.raises(RigError, match=rf"At {box.name} no SpikerBox sends samples within 0.2 s \(0 bytes came\)"):
            rig_of(box, patience=0.2).open()


def test_a_port_that_is_not_there_is_refused():
    with pytest.raises(PortError, match="There is no port"):
        SpikerBox(Port("/nowhere/ttyACM9")).open()


def test_a_box_that_falls_silent_is_told(box, monkeypatch):
    monkeypatch.setattr("hardware.spikerbox._SILENCE", 0.2)
    with rig_of(box) as rig:
        blocks = rig.hold(0.0)
        next(blocks)
        box.mute.set()
        with pytest.raises(RigError, match=r"has sent no sample for 0\.2 s"):
            list(blocks)


def test_a_box_that_is_unplugged_is_told():
    with Box() as box, rig_of(box) as rig:
        blocks = rig.hold(0.0)
        next(blocks)
        box.unplug()
        with pytest.raises(PortLost, match="is gone"):
            list(blocks)


def test_a_stop_ends_listening_to_a_silent_box(box):
    with rig_of(box) as rig:
        blocks = rig.hold(0.0)
        next(blocks)
        box.mute.set()
        rig.stop()
        assert sum(block.response.size for block in blocks) < 10_000


def test_messages_are_kept_beside_the_samples(box):
    with rig_of(box) as rig:
        blocks = rig.hold(0.0)
        next(blocks)
        box.spoil = lambda data: message("EVNT:3;") + data
        for _ in blocks:
            if rig.messages:
                rig.stop()
        assert (rig.messages[0].key, rig.messages[0].value) == ("EVNT", "3")
