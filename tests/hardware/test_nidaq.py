"""The unmodified nidaqmx client on a real wire, with a simulated board and cell at its other end."""

import itertools

import numpy as np
import pytest

from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.rig import Gain, RigError
from simulators.stimulus import Epoch, Stimulus, step
from simulators.sweep import Junction

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

STEP = step(80.0, holding=-20.0, onset=100.0, duration=300.0, tail=200.0)
CELL = Input("ai0", Gain(100.0, "mV/V", "made"))
MONITOR = Input("ai1", Gain(500.0, "pA/V", "made"))
RULER = Input("ai7", Gain(2.0**20, "mV/V", "made"))
"""Its millivolts are the index of the sample."""


def joined(blocks):
    whole = [block.whole for block in blocks]
    return np.concatenate([block.response for block in whole]), np.concatenate([block.command for block in whole])


def test_gains_turn_volts_into_what_they_stand_for(serve, attached, wired):
    server = serve()
    wiring = wired(server, monitor=MONITOR, others={"ruler": RULER, "bath": Input("ai3", Gain(-3.0, "degC/V", "made"))})
    with attached(server, wiring=wiring) as rig:
        blocks = list(rig.play(STEP))
        response, command = joined(blocks)
        assert rig.provenance.command_source == "recorded channel"
        assert rig.provenance.holding_source == "measured"
        assert rig.gains["bath"] == Gain(-3.0, "degC/V", "made")
    np.testing.assert_array_equal(np.concatenate([block.others["bath"] for block in blocks]), np.full(6000, -3.0))
    np.testing.assert_array_equal(np.concatenate([block.others["ruler"] for block in blocks]), np.arange(6000.0))
    np.testing.assert_allclose(command, STEP.command(10.0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(response, -70.0 + 0.1 * STEP.command(10.0), rtol=0, atol=1e-9)


def test_what_is_put_out_is_the_stimulus_and_then_the_exit_level(serve, attached):
    server = serve()
    with attached(server, exit_level=-40.0) as rig:
        assert server.puts == [-0.1]
        list(rig.play(STEP))
        np.testing.assert_allclose(np.array(server.puts) * 400.0, [-40.0, -20.0, 60.0, -20.0, -40.0], atol=1e-9)
        assert server.output * 400.0 == pytest.approx(-40.0)
    assert rig.provenance.command_source == "header"


def test_every_input_is_read_on_the_clock_of_the_output_and_armed_before_it(serve, attached):
    server = serve()
    with attached(server) as rig:
        list(rig.play(STEP))
        started = [call for call in server.calls if call in ("StartTask", "ReadAnalogF64", "WriteAnalogF64")]
        assert started[:4] == ["WriteAnalogF64", "StartTask", "StartTask", "ReadAnalogF64"]
        (read,) = [task for task in server.tasks.values() if task.inputs]
        assert (read.source, read.base) == ("/Dev1/ao/SampleClock", 0)


def test_a_second_sweep_of_the_same_length_asks_the_board_for_no_more_than_it_must(serve, attached):
    server = serve()
    with attached(server) as rig:
        list(rig.play(STEP))
        server.calls.clear()
        list(rig.play(STEP))
        assert not {"CreateTask", "CfgSampClkTiming", "TaskControl"} & set(server.calls)


def test_a_long_stimulus_is_sent_in_pieces_that_every_server_takes(serve, attached):
    server = serve()
    long = Stimulus("current", (Epoch(10.0, 500.0), Epoch(30.0, 600.0)))
    with attached(server, RULER, rate=250.0) as rig:
        response, _ = joined(rig.play(long))
        assert server.calls.count("WriteAnalogF64") == 2
        np.testing.assert_allclose(np.array(server.puts[1:]) * 400.0, [10.0, 30.0, 0.0], atol=1e-9)
    assert response.size == 275_000


def test_a_real_pace_loses_nothing(serve, attached):
    server = serve(speed=1.0)
    with attached(server, RULER, rate=20.0) as rig:
        blocks = list(rig.play(STEP))
    np.testing.assert_array_equal(joined(blocks)[0], np.arange(12_000))
    assert not any(block.lost for block in blocks)


def test_a_command_is_held_and_the_output_returns(serve, attached):
    server = serve(speed=50.0)
    with attached(server, RULER) as rig:
        blocks = list(itertools.islice(rig.hold(60.0), 40))
        assert server.output * 400.0 == pytest.approx(0.0)
        np.testing.assert_array_equal(joined(blocks)[0], np.arange(40 * 200))
        assert all((block.command == 60.0).all() for block in blocks)
        assert 0.15 in server.puts
        assert sum(block.response.size for block in rig.play(STEP)) == 6000


def clamped(**more):
    output = Output("ao0", Gain(20.0, "mV/V", "made"))
    return Wiring("Dev1", output, Input("ai0", Gain(1000.0, "pA/V", "made")), clamp="voltage", **more)


@pytest.mark.parametrize("end", ["a stop", "an abandoned generator", "the close of the rig"])
def test_a_step_that_is_ended_in_its_middle_leaves_the_output_at_the_exit_level(serve, attached, end):
    server = serve(speed=1.0)
    with attached(server, exit_level=-8.0) as rig:
        blocks = rig.play(step(80.0, onset=50.0, duration=30_000.0))
        while server.output != 0.2:
            next(blocks)
        if end == "a stop":
            rig.stop()
            assert list(blocks) == []
        elif end == "an abandoned generator":
            blocks.close()
        else:
            rig.close()
        assert server.output == -0.02


class Noted:
    """A guardian that notes where the output was when it was told what."""

    pid = 1

    def __init__(self, server):
        self.server, self.heard = server, []

    def __getattr__(self, name):
        return lambda: self.heard.append((name, round(self.server.output * 400.0, 6)))


@pytest.mark.parametrize("ask", ["play", "hold"])
def test_the_guardian_watches_from_before_the_output_until_it_is_back(serve, attached, ask):
    server = serve(speed=1.0)
    rig = attached(server)
    rig._guardian = guardian = Noted(server)
    with rig:
        blocks = rig.play(STEP) if ask == "play" else rig.hold(60.0)
        next(blocks)
        blocks.close()
        assert guardian.heard[-1] == ("rest", 0.0)
    names = [name for name, _ in guardian.heard]
    assert names[:2] == ["start", "wait"] and names[-1] == "end"
    told = [level for name, level in guardian.heard if name == "beat"]
    assert told[0] == 0.0
    assert set(told[1:]) == {-20.0 if ask == "play" else 60.0}


def test_in_voltage_clamp_millivolts_go_out_and_nothing_is_held(serve):
    server = serve()
    with Nidaq(clamped(server=server.address), 10.0, silence=np.inf, junction=Junction("uncorrected", 12.0)) as rig:
        list(rig.play(Stimulus("voltage", (Epoch(-70.0, 50.0), Epoch(-80.0, 50.0)))))
        np.testing.assert_allclose(np.array(server.puts[-3:]) * 20.0, [-70.0, -80.0, 0.0], atol=1e-9)
        with pytest.raises(RigError, match="only a current can be held"):
            next(rig.hold(0.0))
        assert rig.provenance.junction.potential == 12.0
