"""The firmware by itself: what it refuses, and that the cell behind it is the one that the simulators know."""

import struct
import zlib
from binascii import crc_hqx

import numpy as np
import pytest

from hardware.counts import Channel
from hardware.dialogue import Dialogue, DialogueError
from hardware.frame import Frame, packed, stuffed
from hardware.serial_rig import SerialRig
from hardware.telegram import (
    PART,
    Alive,
    AskStatus,
    AskVersion,
    Clamp,
    Content,
    Done,
    Gain,
    Holding,
    Part,
    Rate,
    ReadBack,
    Received,
    Start,
    Status,
    Stop,
    Version,
)
from simulators.cortical import Cortical
from simulators.electrode import IDEAL
from simulators.stimulus import step

TYPICAL = {
    "C": 90.0,
    "g_leak": 0.06,
    "g_Na": 55.0,
    "g_K": 6.0,
    "g_M": 0.08,
    "tau_max": 800.0,
    "V_T": -56.0,
    "E_leak": -70.0,
    "rate_factor": 0.9,
    "noise": 0.0,
    "bridge": 0.0,
    "offset": 0.0,
}


@pytest.fixture
def dialogue(board):
    dialogue = Dialogue(board().port, 2_000_000)
    dialogue.open()
    yield dialogue
    dialogue.close()


def refusal(dialogue, command, wanted=Done):
    with pytest.raises(DialogueError) as caught:
        dialogue.ask(command, wanted)
    return caught.value.reason


def part(kind, content, offset=0, size=PART):
    return Part(kind, len(content), zlib.crc32(content), offset, content[offset : offset + size])


EPOCHS = struct.pack("<hIhI", 0, 100, 500, 200)


def test_nothing_is_played_before_the_rate_is_set(dialogue):
    assert refusal(dialogue, Start(1, 2, 0, 0)) == 6
    dialogue.ask(Rate(20_000, 2), Done)
    dialogue.ask(Start(1, 2, 0, 0, 7), Done)
    assert dialogue.ask(AskStatus(), Status).output == 7
    assert dialogue.ask(Stop(), Status).output == 0


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Rate(999, 2), 3),
        (Rate(50_001, 2), 3),
        (Rate(20_000, 5), 3),
        (Rate(20_000, 0), 3),
        (Gain(4, 1), 3),
        (Gain(0, 65), 3),
        (Part(6, 1, 0, 0, b"a"), 3),
        (Part(1, 80_001, 0, 0, b"a"), 3),
        (Part(1, 10, 0, 5, b"abcdef"), 3),
        (Part(1, 10, 0, 0, b""), 2),
        (Part(2, 20, zlib.crc32(bytes(20)), 0, bytes(20)), 3),
        (ReadBack(0, 0, 1), 5),
        (ReadBack(9, 0, 1), 5),
        (Clamp(0, 0, 0.0, 1.0, 1.0, b""), 3),
        (Clamp(0, 0, float("nan"), 1.0, 1.0, b""), 3),
        (Clamp(0, 4, 1.0, 1.0, 1.0, b""), 3),
        (Clamp(1, 0, 1.0, 1.0, 1.0, b""), 2),
        (Clamp(1, 0, 1.0, 1.0, 1.0, bytes(4)), 5),
        (Clamp(5, 0, 1.0, 1.0, 1.0, bytes(20)), 2),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(command, reason, dialogue):
    assert refusal(dialogue, command) == reason


def test_nothing_is_changed_while_it_plays(dialogue):
    dialogue.ask(Rate(20_000, 2), Done)
    dialogue.ask(Start(1, 2, 0, 0, 7), Done)
    for command in (Rate(10_000, 2), Gain(0, 2), Holding(5), part(0, EPOCHS), Start(2, 2, 0, 0, 9)):
        assert refusal(dialogue, command) == 4
    dialogue.ask(Start(1, 2, 0, 0, 9), Done)
    assert dialogue.ask(AskStatus(), Status).output == 7


def test_an_upload_is_whole_only_with_its_checksum(dialogue):
    content = bytes(range(250)) * 4
    for offset in range(0, len(content), PART):
        assert not dialogue.ask(part(1, content), Received).count < min(PART, offset)
        answer = dialogue.ask(part(1, content, offset), Received)
    assert answer.whole
    assert dialogue.read_back(1, len(content)) == content
    assert dialogue.ask(part(1, content), Received).whole
    wrong = Part(1, 4, zlib.crc32(b"abcd"), 0, b"abce")
    answer = dialogue.ask(wrong, Received)
    assert (answer.whole, answer.count) == (False, 0)
    assert refusal(dialogue, ReadBack(1, 0, 4), Content) == 5


@pytest.mark.parametrize(
    "start",
    [
        Start(1, 0, 301, zlib.crc32(EPOCHS)),
        Start(1, 0, 299, zlib.crc32(EPOCHS)),
        Start(1, 0, 300, 5),
        Start(1, 1, 6, zlib.crc32(EPOCHS)),
        Start(1, 0, 0, zlib.crc32(EPOCHS)),
        Start(1, 2, 300, 0),
        Start(1, 3, 300, zlib.crc32(EPOCHS)),
    ],
)
def test_no_stimulus_is_played_but_the_one_that_was_meant(start, dialogue):
    dialogue.ask(Rate(20_000, 2), Done)
    dialogue.upload(0, EPOCHS)
    assert refusal(dialogue, start) == 5
    assert not dialogue.ask(AskStatus(), Status).is_playing
    dialogue.ask(Start(1, 0, 300, zlib.crc32(EPOCHS)), Done)


def test_epochs_that_add_up_only_by_running_over_are_refused(dialogue):
    content = struct.pack("<hIhI", 0, 2**32 - 1, 0, 2)
    dialogue.ask(Rate(20_000, 2), Done)
    dialogue.upload(0, content)
    assert refusal(dialogue, Start(1, 0, 1, zlib.crc32(content))) == 5


def test_a_frame_of_an_unknown_type_or_another_length_is_refused(dialogue):
    for frame, reason in ((Frame(0x33, 0), 1), (Frame(0x02, 0, b"abc"), 2), (Frame(0x08, 0, b"a"), 2)):
        dialogue.ask(AskVersion(), Version)
        sequence = dialogue._sequence = dialogue._sequence + 1
        dialogue.line.send(Frame(frame.kind, sequence, frame.body))
        with dialogue._came:
            assert dialogue._came.wait_for(lambda sequence=sequence: sequence in dialogue._answers, 10.0)
            assert dialogue._answers[sequence].reason == reason


def test_garbage_costs_the_device_no_command(dialogue):
    rng = np.random.default_rng(1)
    for _ in range(20):
        dialogue.line._port.write(rng.integers(0, 256, 700, dtype=np.uint8).tobytes())
        assert dialogue.ask(AskVersion(), Version, tries=1).protocol == 1
    damaged = dialogue.ask(AskStatus(), Status).damaged
    assert damaged > 20
    dialogue.line._port.write(packed(Alive().frame(1)))
    assert dialogue.ask(AskStatus(), Status).damaged == damaged


def test_a_frame_is_read_only_where_both_its_checksums_are_right(dialogue):
    content = struct.pack("<BH", Stop.code, 1)
    right = (crc_hqx(content, 0xFFFF), zlib.crc32(content))
    before = dialogue.ask(AskStatus(), Status).damaged
    for wrong in ((right[0] ^ 1, right[1]), (right[0], right[1] ^ 1), right):
        dialogue.line._port.write(b"\0" + stuffed(content + struct.pack("<HI", *wrong)) + b"\0")
    assert dialogue.ask(AskStatus(), Status).damaged == before + 2


@pytest.mark.parametrize("amplitude", [-60.0, 150.0, 250.0])
def test_the_cell_behind_the_firmware_is_the_cortical_one(amplitude, board):
    stimulus = step(amplitude, onset=60.0, duration=300.0, tail=60.0)
    with SerialRig(board().port, Channel(0, 0.015625), Channel(1, 0.0625), 0.0625) as rig:
        ours = np.concatenate([block.response for block in rig.play(stimulus)])
    row = np.array([[TYPICAL[parameter.name] for parameter in Cortical.parameters]])
    theirs = Cortical(electrode=IDEAL).simulate(row, stimulus, 20.0, np.random.default_rng(1))[0]
    spikes, expected = crossings(ours), crossings(theirs)
    assert spikes.size == expected.size
    assert (spikes.size > 2) == (amplitude > 0)
    np.testing.assert_allclose(spikes, expected, atol=0.35)
    before = int(20.0 * (spikes.min(initial=360.0) - 5.0))
    np.testing.assert_allclose(ours[:before], theirs[:before], atol=0.1)


def crossings(V):
    """Times at which a voltage rises through 0 mV [ms]."""
    return np.flatnonzero((V[:-1] < 0) & (V[1:] >= 0)) / 20.0
