"""Whatever a line does to what is sent over it, no wrong sample is taken for a good one, and lost ones are counted."""

import os
import selectors
import threading
import time
import tty
from pathlib import Path

import numpy as np
import pytest

import hardware.serial_rig
from hardware.counts import Channel
from hardware.frame import FrameError, unpacked
from hardware.rig import RigError
from hardware.serial_rig import SerialRig
from hardware.telegram import Samples
from simulators.stimulus import step

STEP = step(100.0, onset=60.0, duration=120.0, tail=60.0)
PASSIVE = {"g_Na": 0.0, "g_K": 0.0, "g_M": 0.0}


def rig_on(port):
    return SerialRig(port, Channel(0, 0.015625), Channel(1, 0.0625), 0.0625)


class BadLine:
    """Two pseudo-terminals with a thread between that gives each frame to `spoil` and sends on what that makes of it.

    `port` is where a rig attaches; `lost` counts the samples of frames that were changed.
    """

    def __init__(self, board, to_rig=None, to_board=None):
        self._far = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        self._near, self._end = os.openpty()
        for end in (self._far, self._end):
            tty.setraw(end)
        self.port = os.ttyname(self._end)
        self.to_rig, self.to_board = to_rig, to_board
        self.lost = 0
        self._rest = {self._far: b"", self._near: b""}
        self._wake, self._closer = os.pipe()
        self._thread = threading.Thread(target=self._pass)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.write(self._closer, b".")
        self._thread.join()
        for end in (self._far, self._near, self._end, self._wake, self._closer):
            os.close(end)

    def _pass(self):
        with selectors.DefaultSelector() as selector:
            for end in (self._far, self._near, self._wake):
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == self._wake:
                        return
                    self._carry(key.fd)

    def _carry(self, source):
        goal, spoil = (self._near, self.to_rig) if source == self._far else (self._far, self.to_board)
        *wires, self._rest[source] = (self._rest[source] + os.read(source, 65_536)).split(b"\0")
        out = b""
        for wire in filter(None, wires):
            whole = b"\0" + wire + b"\0"
            sent = spoil(whole) if spoil else whole
            if source == self._far and not _still_there(wire, sent):
                self.lost += _rows(wire)
            out += sent
        while out:
            out = out[os.write(goal, out) :]


def _still_there(wire, sent):
    return wire in sent.split(b"\0")


def _rows(wire):
    try:
        frame = unpacked(wire)
    except FrameError:
        return 0
    return len(frame.body[7:]) // 4 if frame.kind == Samples.code else 0


class Fault:
    """Does one kind of damage to one frame in eight, at random places."""

    def __init__(self, kind, seed=1, share=0.125):
        self.kind, self.rng, self.share = kind, np.random.default_rng(seed), share

    def __call__(self, wire):
        if self.rng.random() > self.share:
            return wire
        kind = self.kind if self.kind != "any" else self.rng.choice(KINDS)
        place = int(self.rng.integers(0, len(wire)))
        noise = self.rng.integers(0, 256, int(self.rng.integers(1, 300)), dtype=np.uint8).tobytes()
        return {
            "a dropped byte": wire[:place] + wire[place + 1 :],
            "a doubled byte": wire[:place] + wire[place : place + 1] + wire[place:],
            "a flipped bit": wire[:place] + bytes([wire[place] ^ 1 << self.rng.integers(0, 8)]) + wire[place + 1 :],
            "a burst of garbage": wire[:place] + noise + wire[place:],
            "garbage over the frame": noise,
            "a swallowed frame": b"",
            "a doubled frame": wire + wire,
            "a frame cut short": wire[:place],
        }[kind]


KINDS = (
    "a dropped byte",
    "a doubled byte",
    "a flipped bit",
    "a burst of garbage",
    "garbage over the frame",
    "a swallowed frame",
    "a doubled frame",
    "a frame cut short",
)


@pytest.fixture(scope="module")
def truth():
    """What the passive cell answers, worked out from the solution of its equation."""
    R, tau, count = 1e3 / (90.0 * 0.06), 90.0 / (90.0 * 0.06), int(STEP.duration * 20)
    time = np.arange(count) / 20.0
    charged = -70.0 + 0.1 * R * -np.expm1(-np.clip(time - 60.0, 0.0, 120.0) / tau)
    after = np.exp(-np.clip(time - 180.0, 0.0, None) / tau)
    V = -70.0 + (charged + 70.0) * after
    return np.floor(V / 0.015625 + 0.5) * 0.015625


def played(rig):
    blocks = list(rig.play(STEP))
    whole = [block.whole for block in blocks]
    response, command = (np.concatenate([getattr(b, name) for b in whole]) for name in ("response", "command"))
    return response, command, sum(block.lost for block in blocks)


def check(response, command, lost, truth):
    assert response.size == truth.size
    missing = np.isnan(response)
    assert int(missing.sum()) == lost
    np.testing.assert_array_equal(np.isnan(command), missing)
    np.testing.assert_array_equal(command[~missing], STEP.command(20.0)[~missing])
    # A value that lies between two counts may be rounded to either.
    assert np.abs(response[~missing] - truth[~missing]).max(initial=0.0) <= 0.015625
    return missing


@pytest.mark.parametrize("kind", [*KINDS, "any"])
def test_no_wrong_sample_is_taken_and_each_lost_one_is_counted_with(kind, board, truth):
    with BadLine(board(**PASSIVE)) as line, rig_on(line.port) as rig:
        line.to_rig = Fault(kind)
        response, command, lost = played(rig)
        line.to_rig = None
        check(response, command, lost, truth)
        assert lost == line.lost
        assert (lost > 0) == (kind != "a doubled frame")


def test_commands_that_are_damaged_are_sent_again(board, truth):
    with BadLine(board(**PASSIVE), Fault("any", 2, 0.3), Fault("any", 3, 0.3)) as line, rig_on(line.port) as rig:
        line.to_rig = None
        response, command, lost = played(rig)
        check(response, command, lost, truth)
        assert lost == 0
        assert rig.status.damaged > 0


@pytest.mark.parametrize("kind", KINDS[:6])
def test_of_one_damaged_frame_only_that_one_is_lost(kind, board, truth):
    seen = []

    def spoil(wire):
        if _rows(wire.strip(b"\0")):
            seen.append(wire)
        return Fault(kind, share=1.0)(wire) if len(seen) == 31 else wire

    with BadLine(board(**PASSIVE)) as line, rig_on(line.port) as rig:
        line.to_rig = spoil
        missing = check(*played(rig), truth)
    np.testing.assert_array_equal(np.flatnonzero(missing), np.arange(1500, 1550))


@pytest.mark.parametrize("first", [40, 0])
def test_samples_that_are_lost_at_the_end_are_counted_too(first, board, truth):
    seen = []

    def spoil(wire):
        seen.append(_rows(wire.strip(b"\0")))
        return b"" if seen[-1] and sum(map(bool, seen)) > first else wire

    with BadLine(board(**PASSIVE)) as line, rig_on(line.port) as rig:
        line.to_rig = spoil
        missing = check(*played(rig), truth)
        assert rig.output == 0.0
    np.testing.assert_array_equal(np.flatnonzero(missing), np.arange(50 * first, truth.size))


def test_samples_of_an_earlier_sweep_are_never_those_of_this_one(board, truth):
    """A line that gives old frames back, as buffers of converters do."""
    kept = []

    def keep(wire):
        if _rows(wire.strip(b"\0")):
            kept.append(wire)
        return wire

    def give_back(wire):
        return (kept.pop() if kept else b"") + wire

    with BadLine(board(**PASSIVE)) as line, rig_on(line.port) as rig:
        line.to_rig = keep
        list(rig.play(step(-200.0, onset=60.0, duration=120.0, tail=200.0)))
        line.to_rig = give_back
        missing = check(*played(rig), truth)
    assert not missing.any()


def test_what_a_line_had_no_room_for_is_counted(compiled, board, monkeypatch, tmp_path):
    """The line passes nothing from the first frame of samples until the whole sweep has been played."""
    monkeypatch.setattr(hardware.serial_rig, "_QUIET", 5.0)
    log = tmp_path / "output"
    long = step(100.0, onset=60.0, duration=2000.0, tail=60.0)

    def hold_back(wire):
        while _rows(wire.strip(b"\0")) and last_level(log) != 0:
            time.sleep(0.002)
        return wire

    with BadLine(board(compiled(blocks=4), log=log, **PASSIVE)) as line, rig_on(line.port) as rig:
        line.to_rig = hold_back
        blocks = list(rig.play(long))
        assert rig.status.dropped == sum(block.lost for block in blocks) > 0
        assert sum(block.whole.response.size for block in blocks) == long.samples(20.0)
        line.to_rig = None
        assert played(rig)[2] == 0


@pytest.mark.long
def test_a_line_that_stays_bad_for_a_hundred_sweeps_gives_no_wrong_sample(board, truth):
    with BadLine(board(**PASSIVE)) as line, rig_on(line.port) as rig:
        for seed in range(100):
            # Each sweep begins with a cell that has forgotten the one before.
            list(rig.play(step(0.0, onset=60.0, duration=200.0, tail=40.0)))
            line.lost, line.to_rig = 0, Fault("any", seed, 0.4)
            response, command, lost = played(rig)
            line.to_rig = None
            check(response, command, lost, truth)
            assert lost == line.lost


def test_a_device_that_starts_anew_in_the_middle_ends_the_sweep_and_plays_the_next(board, truth, tmp_path):
    device = board(log=tmp_path / "output", **PASSIVE)
    with rig_on(device.port) as rig:
        blocks = rig.play(STEP)
        for _ in range(5):
            next(blocks)
        device.reset()
        with pytest.raises(RigError, match="started anew"):
            list(blocks)
        assert rig.output == 0.0
        # Its cell has to forget the step.
        list(rig.play(step(0.0, onset=60.0, duration=200.0, tail=100.0)))
        missing = check(*played(rig), truth)
    assert not missing.any()


def test_a_device_that_starts_anew_between_sweeps_is_told_all_that_it_forgot(board, tmp_path):
    log = tmp_path / "output"
    device = board(log=log, **PASSIVE)
    rig = SerialRig(device.port, Channel(0, 0.015625, 4), Channel(1, 0.0625), 0.0625, rate=10.0, exit_level=-50.0)
    with rig:
        sent = [next(rig.play(STEP)).response]
        device.reset()
        sent += [np.concatenate([block.response for block in rig.play(STEP)])]
    assert sent[1].size == STEP.samples(10.0)
    assert rig.output == -50.0
    assert last_level(log) == -800
    assert abs(sent[1][-1] - sent[0][0]) < 10.0


def last_level(log):
    *lines, _ = Path(log).read_text().split("\n")
    return int(lines[-1].split()[1]) if lines else None


def test_an_unplugged_device_is_told_of_with_what_becomes_of_the_cell(board):
    device = board(**PASSIVE)
    rig = rig_on(device.port)
    with rig:
        blocks = rig.play(STEP)
        next(blocks)
        device.unplug()
        with pytest.raises(RigError, match=r"could not be told to return .* watchdog does so within 250 ms"):
            list(blocks)
    with pytest.raises(RigError, match=r"There is no port .*: plug the device in"):
        rig.open()


def test_an_unplugged_device_is_told_of_when_the_sweep_is_abandoned(board):
    device = board(**PASSIVE)
    with rig_on(device.port) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        device.unplug()
        with pytest.raises(RigError, match="could not be told to return"):
            blocks.close()
        assert rig.output is None


def test_a_device_that_falls_silent_is_told_of(board):
    device = board(**PASSIVE)
    with rig_on(device.port) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        device.freeze()
        with pytest.raises(RigError, match=r"could not be told to return to the exit level .* does not answer"):
            list(blocks)
