"""The contract of a rig: each sentence holds for every rig."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foreign_drivers import declared
from hypothesis import given
from hypothesis import strategies as st

from hardware.counts import Channel
from hardware.model_cell import ModelCell
from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.replay import Replay
from hardware.rig import BLOCK, Block, Gain, Provenance, Rig, RigClosed, RigError, RigLost, _split
from hardware.serial_rig import SerialRig
from rig_plugin.plugins import entry, load, names
from rig_plugin.settings import read
from simulators.limits import Limits
from simulators.stimulus import Epoch, Stimulus, step

OURS = ("model-cell", "nidaq", "serial")
LISTENING = ("spikerbox",)  # which plays nothing, and has a contract of its own
DECLARED = declared()
STEP = step(50.0, onset=100.0, duration=300.0, tail=200.0)
SHORT = step(50.0, onset=20.0, duration=30.0, tail=20.0)  # for rigs that can't be hurried


def passive(stimulus, rate, rng):
    command = stimulus.command(rate)
    return -70 + 0.1 * command + rng.normal(0, 0.1, command.size)


class Driver(Rig):
    """Counts what is asked of it; answers 35 ms at a time, longer than a block may be."""

    def __init__(self, fails_after=None):
        super().__init__()
        self.rate, self.limits, self.exit_level = 10.0, Limits(), -20.0
        self.calls, self.output, self.fails_after = [], None, fails_after

    @property
    def provenance(self):
        return Provenance()

    def _open(self):
        self.calls.append("open")
        self.output = self.exit_level

    def _start(self, stimulus):
        self.calls.append("start")
        self.command, self.position = stimulus.command(self.rate), 0

    def _read(self):
        k, self.position = self.position, self.position + 350
        if self.fails_after is not None and k >= self.fails_after:
            raise RigLost(12)
        part = self.command[k : k + 350]
        self.output = part[-1] if part.size else self.output
        return Block(part - 70, part) if part.size else None

    def _stop(self):
        self.calls.append("stop")
        self.output = self.exit_level

    def _close(self):
        self.calls.append("close")


class Board(Nidaq):
    """Tells where the server's output stands."""

    def __init__(self, server):
        wiring = Wiring(
            "Dev1",
            Output("ao0", Gain(400.0, "pA/V", "made")),
            Input("ai0", Gain(100.0, "mV/V", "made")),
            server=server.address,
        )
        super().__init__(wiring, rate=10.0, silence=np.inf)
        self.server = server

    @property
    def output(self):
        return self.server.output * 400.0


@pytest.fixture
def server(request):
    with request.getfixturevalue("nidaq_server").NidaqServer(speed=np.inf) as running:
        yield running


def pytest_generate_tests(metafunc):
    """All rigs that are registered, and two that are not; or the one of --rig-file."""
    if "rig" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--rig-file")
        others = sorted({*names("rigs"), *DECLARED} - {*OURS, *LISTENING})
        metafunc.parametrize("rig", [asked] if asked else ["replay", "driver", *OURS, *others], indirect=True, ids=str)


def foreign(request, name):
    """The driver of somebody else, as its rig file has it."""
    if name not in DECLARED:
        assert entry("rigs", name).dist.name != "rig-plugin", f"{name} ships and is not under the contract"
        pytest.skip(f"{name} is somebody else's: --rig-file RIG.toml puts it under the contract.")
    request.getfixturevalue("others")
    path = request.getfixturevalue("tmp_path") / "RIG.toml"
    path.write_text(DECLARED[name], encoding="utf-8")
    return load("rigs", name)(read(path))


@pytest.fixture
def rig(request, recording):
    if isinstance(request.param, Path):
        return load("rigs", read(request.param).rig.kind)(read(request.param))
    if request.param == "nidaq":
        return Board(request.getfixturevalue("server"))
    if request.param == "serial":
        port = request.getfixturevalue("board")().port
        return SerialRig(port, Channel(0, 0.015625), Channel(1, 0.0625), 0.0625)
    if request.param == "replay":
        return Replay(recording, speed="max")
    if request.param == "model-cell":
        return ModelCell(passive, rate=10.0, pace="max")
    return Driver() if request.param == "driver" else foreign(request, request.param)


@pytest.fixture
def stimulus(rig):
    if isinstance(rig, SerialRig):
        return SHORT
    return rig.stimuli[2].stimulus if isinstance(rig, Replay) else STEP


def test_a_rig_answers_each_sample_of_the_command(rig, stimulus):
    with rig:
        blocks = list(rig.play(stimulus))
    np.testing.assert_array_equal(np.concatenate([b.command for b in blocks]), stimulus.command(rig.rate))
    answer = np.concatenate([b.response for b in blocks])
    assert answer.dtype == np.float64
    assert np.isfinite(answer).all()


def test_a_block_is_at_most_20_ms(rig, stimulus):
    with rig:
        assert max(b.response.size for b in rig.play(stimulus)) <= BLOCK * rig.rate


def test_each_further_channel_has_a_gain_that_tells_its_unit(rig, stimulus):
    with rig:
        block = next(rig.play(stimulus))
        assert block.others.keys() <= rig.gains.keys()


def test_a_block_is_read_only(rig, stimulus):
    with rig, pytest.raises(ValueError, match="read-only"):
        next(rig.play(stimulus)).response[0] = 0.0


def test_a_command_beyond_the_limits_is_refused_before_any_output(rig):
    with rig, pytest.raises(ValueError, match="outside the limits"):
        rig.play(step(30_000.0))
    assert "start" not in getattr(rig, "calls", [])


@pytest.mark.parametrize("end", ["the last sample", "a stop", "an abandoned generator", "the close of the rig"])
def test_the_cell_is_back_in_its_exit_state_after(end, rig, stimulus):
    with rig:
        blocks = rig.play(stimulus)
        # In the midst of the step.
        assert any(abs(block.command[-1] - rig.exit_level) > 1.0 for block in blocks)
        if end == "the last sample":
            list(blocks)
        elif end == "a stop":
            rig.stop()
            list(blocks)
        elif end == "an abandoned generator":
            blocks.close()
        else:
            rig.close()
        assert getattr(rig, "output", rig.exit_level) == rig.exit_level


def test_the_cell_is_back_in_its_exit_state_after_an_error():
    rig = Driver(fails_after=700)
    with rig:
        with pytest.raises(RigLost, match="12 samples") as caught:
            list(rig.play(STEP))
        assert caught.value.samples == 12
        assert rig.output == rig.exit_level
    assert rig.calls == ["open", "start", "stop", "close"]


def test_a_stop_ends_the_sweep_within_one_block(rig, stimulus):
    with rig:
        blocks = rig.play(stimulus)
        next(blocks)
        rig.stop()
        assert sum(b.response.size for b in blocks) <= BLOCK * rig.rate


def test_open_and_close_twice_are_harmless(rig, stimulus):
    rig.open()
    rig.open()
    list(rig.play(stimulus))
    rig.close()
    rig.close()
    assert getattr(rig, "calls", []).count("close") <= 1


def test_a_closed_rig_says_so(rig, stimulus):
    with pytest.raises(RigClosed, match="open it first"):
        rig.play(stimulus)


def test_a_rig_that_is_closed_while_it_plays_says_so(rig, stimulus):
    rig.open()
    blocks = rig.play(stimulus)
    next(blocks)
    rig.close()
    assert len(list(_until_closed(blocks))) <= 1


def _until_closed(blocks):
    try:
        yield from blocks
    except RigClosed:
        return


def test_a_rig_plays_one_stimulus_at_a_time(rig, stimulus):
    with rig:
        first, second = rig.play(stimulus), rig.play(stimulus)
        next(first)
        with pytest.raises(RigError, match="still playing"):
            next(second)
        first.close()


def test_a_rig_plays_again_after_a_stop(rig, stimulus):
    with rig:
        blocks = rig.play(stimulus)
        next(blocks)
        rig.stop()
        list(blocks)
        assert sum(b.response.size for b in rig.play(stimulus)) == stimulus.command(rig.rate).size


def test_a_block_whose_traces_differ_in_length_is_refused():
    with pytest.raises(ValueError, match="equal"):
        Block(np.zeros(3), np.zeros(4))


def test_the_same_seed_gives_the_same_numbers():
    runs = []
    for _ in range(2):
        with ModelCell(passive, rate=10.0, seed=3, pace="max") as cell:
            sweeps, starts = [], []
            for _ in range(3):
                sweeps.append(np.concatenate([b.response for b in cell.play(STEP)]))
                starts.append(cell.provenance.start)
        runs.append((sweeps, [b - a for a, b in itertools.pairwise(starts)]))
    np.testing.assert_array_equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not np.array_equal(runs[0][0][0], runs[0][0][1])


def test_a_model_cell_refuses_a_voltage_command():
    stimulus = replace(STEP, clamp="voltage")
    with ModelCell(passive, pace="max") as cell, pytest.raises(RigError, match="is in current clamp, a stimulus for"):
        next(cell.play(stimulus))


def test_a_model_cell_refuses_an_answer_of_another_length():
    with ModelCell(lambda *_: np.zeros(7), pace="max") as cell, pytest.raises(RigError, match=r"shape \(7,\)"):
        next(cell.play(Stimulus("current", (Epoch(0, 100), Epoch(10, 100)))))


def test_a_block_says_with_nan_what_was_lost_before_it():
    whole = Block(np.arange(3.0), np.ones(3), lost=2).whole
    np.testing.assert_array_equal(whole.response, [np.nan, np.nan, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(whole.command, [np.nan, np.nan, 1.0, 1.0, 1.0])
    assert whole.lost == 0
    assert Block(np.arange(3.0), lost=2).whole.command is None


@given(
    size=st.integers(0, 60), lost=st.integers(0, 9), cuts=st.lists(st.integers(0, 60), max_size=4),
    with_command=st.booleans(),
)  # fmt: skip
def test_a_block_is_cut_and_filled_with_all_its_channels(size, lost, cuts, with_command):
    n = np.arange(float(size))
    block = Block(n, -n if with_command else None, lost, {"bath": 10.0 * n, "pressure": n + 0.5}).raised(2.0)
    edges = sorted({0, *(cut for cut in cuts if cut < size)})
    parts = [block.part(start, stop) for start, stop in itertools.pairwise([*edges, None])]
    assert [part.lost for part in parts] == [lost] + [0] * (len(parts) - 1)
    whole = {name: np.concatenate([part.whole.traces[name] for part in parts]) for name in block.traces}
    missing = np.full(lost, np.nan)
    np.testing.assert_array_equal(whole["response"], [*missing, *n])
    np.testing.assert_array_equal(whole["bath"], [*missing, *(10.0 * n)])
    np.testing.assert_array_equal(whole["pressure"], [*missing, *(n + 0.5)])
    assert ("command" in whole) == with_command
    if with_command:
        np.testing.assert_array_equal(whole["command"], [*missing, *(2.0 - n)])


def test_a_further_channel_of_another_length_is_refused_and_none_can_be_changed():
    with pytest.raises(ValueError, match="equal"):
        Block(np.zeros(3), None, 0, {"bath": np.zeros(4)})
    block = Block(np.zeros(3), None, 0, {"bath": np.zeros(3)})
    with pytest.raises(ValueError, match="read-only"):
        block.others["bath"][0] = 1.0


def test_a_block_that_lost_less_than_nothing_is_refused():
    with pytest.raises(ValueError, match="-1 samples lost"):
        Block(np.arange(3.0), lost=-1)


def test_a_long_block_is_cut_with_its_loss_at_its_beginning():
    pieces = list(_split(Block(np.arange(500.0), lost=7), 10.0))
    assert [(piece.response.size, piece.lost) for piece in pieces] == [(200, 7), (200, 0), (100, 0)]


class Holder(Driver):
    """Holds as well as it plays."""

    def _hold(self, level):
        self.calls.append("hold")
        self.command, self.position = np.full(10_000_000, level), 0


@pytest.mark.parametrize("make", [Holder, lambda: ModelCell(passive, rate=10.0, pace="max", exit_level=-20.0)])
def test_a_command_is_held_without_a_gap_until_it_is_stopped(make):
    rig = make()
    with rig:
        blocks = []
        for block in rig.hold(30.0):
            blocks.append(block)
            assert rig.output == 30.0
            if len(blocks) == 1200:
                rig.stop()
        assert rig.output == -20.0
    command = np.concatenate([block.command for block in blocks])
    assert (command == 30.0).all()
    assert command.size >= 1200 * 50
    assert not any(block.lost for block in blocks)


def test_an_abandoned_hold_returns_to_the_exit_level_and_the_rig_plays_on():
    with Holder() as rig:
        blocks = rig.hold(30.0)
        next(blocks)
        with pytest.raises(RigError, match="still playing"):
            next(rig.play(STEP))
        blocks.close()
        assert rig.output == -20.0
        assert sum(block.response.size for block in rig.play(STEP)) == 6000


def test_a_rig_that_plays_sweeps_only_says_so_and_what_leaves_the_limits_is_not_held():
    with Driver() as rig:
        with pytest.raises(RigError, match="sweeps only"):
            next(rig.hold(0.0))
        with pytest.raises(ValueError, match="outside the limits"):
            rig.hold(1500.0)
        assert rig.output == -20.0
    with pytest.raises(RigClosed):
        rig.hold(0.0)


def test_the_model_cell_s_clock_goes_on_while_it_is_held():
    with ModelCell(passive, rate=10.0, pace="max", interval=500.0) as rig:
        count = 0
        for block in rig.hold(0.0):
            count += block.response.size
            if count >= 250_000:
                rig.stop()
        list(rig.play(STEP))
        assert rig.elapsed == pytest.approx(count / 10.0)
