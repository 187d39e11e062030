"""The unmodified nidaqmx client on a real wire, with a simulated board and cell at its other end."""

import itertools
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware import nidaq_driver
from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.rig import Gain, RigError
from simulators.limits import Limits
from simulators.stimulus import Epoch, Stimulus, step
from simulators.sweep import Junction

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

STEP = step(80.0, holding=-20.0, onset=100.0, duration=300.0, tail=200.0)
CELL = Input("ai0", Gain(100.0, "mV/V", "made"))
MONITOR = Input("ai1", Gain(500.0, "pA/V", "made"))
RULER = Input("ai7", Gain(2.0**20, "mV/V", "made"))
"""Its millivolts are the index of the sample."""


@pytest.fixture
def serve(nidaq_server):
    """Start servers, and end them with the test."""
    running = []

    def start(**asked):
        running.append(nidaq_server.NidaqServer(**{"speed": np.inf, **asked}).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__()


def wired(server, response=CELL, device="Dev1", output="ao0", pA=400.0, **more):
    return Wiring(device, Output(output, Gain(pA, "pA/V", "made")), response, server=server.address, **more)


def board(server, response=CELL, rate=10.0, wiring=None, **asked):
    return Nidaq(wiring or wired(server, response), rate, silence=np.inf, **asked)


def joined(blocks):
    whole = [block.whole for block in blocks]
    return np.concatenate([block.response for block in whole]), np.concatenate([block.command for block in whole])


def test_gains_turn_volts_into_what_they_stand_for(serve):
    server = serve()
    wiring = wired(server, monitor=MONITOR, others=(RULER, Input("ai3", Gain(-3.0, "1/V", "made"))))
    with board(server, wiring=wiring) as rig:
        response, command = joined(rig.play(STEP))
        assert rig.provenance.command_source == "recorded channel"
        assert rig.provenance.holding_source == "measured"
        assert (rig.others["ai3"] == -3.0).all()
        assert rig.others["ai7"][-1] == 5999.0
    np.testing.assert_allclose(command, STEP.command(10.0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(response, -70.0 + 0.1 * STEP.command(10.0), rtol=0, atol=1e-9)


def test_what_is_put_out_is_the_stimulus_and_then_the_exit_level(serve):
    server = serve()
    with board(server, exit_level=-40.0) as rig:
        assert server.puts == [-0.1]
        list(rig.play(STEP))
        np.testing.assert_allclose(np.array(server.puts) * 400.0, [-40.0, -20.0, 60.0, -20.0, -40.0], atol=1e-9)
        assert server.output * 400.0 == pytest.approx(-40.0)
    assert rig.provenance.command_source == "header"


def test_every_input_is_read_on_the_clock_of_the_output_and_armed_before_it(serve):
    server = serve()
    with board(server) as rig:
        list(rig.play(STEP))
        started = [call for call in server.calls if call in ("StartTask", "ReadAnalogF64", "WriteAnalogF64")]
        assert started[:4] == ["WriteAnalogF64", "StartTask", "StartTask", "ReadAnalogF64"]
        (read,) = [task for task in server.tasks.values() if task.inputs]
        assert (read.source, read.base) == ("/Dev1/ao/SampleClock", 0)


def test_a_second_sweep_of_the_same_length_asks_the_board_for_no_more_than_it_must(serve):
    server = serve()
    with board(server) as rig:
        list(rig.play(STEP))
        server.calls.clear()
        list(rig.play(STEP))
        assert not {"CreateTask", "CfgSampClkTiming", "TaskControl"} & set(server.calls)


def test_a_long_stimulus_is_sent_in_pieces_that_every_server_takes(serve):
    server = serve()
    long = Stimulus("current", (Epoch(10.0, 500.0), Epoch(30.0, 600.0)))
    with board(server, RULER, rate=250.0) as rig:
        response, _ = joined(rig.play(long))
        assert server.calls.count("WriteAnalogF64") == 2
        np.testing.assert_allclose(np.array(server.puts[-3:]) * 400.0, [10.0, 30.0, 0.0], atol=1e-9)
    assert response.size == 275_000


def test_a_real_pace_loses_nothing(serve):
    server = serve(speed=1.0)
    with board(server, RULER, rate=20.0) as rig:
        blocks = list(rig.play(STEP))
    np.testing.assert_array_equal(joined(blocks)[0], np.arange(12_000))
    assert not any(block.lost for block in blocks)


def test_a_command_is_held_and_the_output_returns(serve):
    server = serve(speed=50.0)
    with board(server, RULER) as rig:
        blocks = list(itertools.islice(rig.hold(60.0), 40))
        assert server.output * 400.0 == pytest.approx(0.0)
        np.testing.assert_array_equal(joined(blocks)[0], np.arange(40 * 200))
        assert all((block.command == 60.0).all() for block in blocks)
        assert 0.15 in server.puts
        assert sum(block.response.size for block in rig.play(STEP)) == 6000


# What is lost.


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 5999), size=st.integers(1, 3000), code=st.sampled_from([-200279, -200361, -200222]))
def test_what_was_lost_is_told_to_the_sample(shared, first, size, code):
    shared.faults = {first: (code, min(6000, first + size))}
    with board(shared, RULER) as rig:
        blocks = list(rig.play(STEP))
    response, command = joined(blocks)
    assert response.size == 6000
    known = np.isfinite(response)
    np.testing.assert_array_equal(response[known], np.flatnonzero(known))
    np.testing.assert_array_equal(command[known], STEP.command(10.0)[known])
    lost = np.flatnonzero(~known)
    assert lost.size
    # It is one gap, and what came before the trouble is all there but for one block.
    np.testing.assert_array_equal(np.diff(lost), 1)
    assert first - 200 < lost[0] <= first
    assert sum(block.lost for block in blocks) == lost.size


@pytest.fixture
def shared(serve):
    return serve()


def test_after_an_overflow_in_the_middle_of_a_sweep_the_rest_of_it_comes(serve):
    server = serve(speed=2.0)
    server.faults = {2500: (-200361, 2501)}
    with board(server, RULER) as rig:
        response, _ = joined(rig.play(STEP))
        known = np.isfinite(response)
        np.testing.assert_array_equal(response[known], np.flatnonzero(known))
        assert known[:2400].all() and known[-1000:].all() and not known[2500]
        server.faults = {}
        assert np.isfinite(joined(rig.play(STEP))[0]).all()


def test_a_sweep_that_is_lost_twice_is_lost_to_its_end(serve):
    server = serve(speed=4.0)
    server.faults, server.later = {2500: (-200361, 2501)}, {100: (-200361, 101)}
    with board(server, RULER) as rig:
        *blocks, last = rig.play(STEP)
    assert [block.lost for block in blocks] == [0] * 12
    assert (last.lost, last.response.size) == (3600, 0)


def test_a_stop_is_heard_while_the_rest_of_a_sweep_is_looked_for(serve):
    server = serve(speed=0.01)
    server.faults = {15: (-200361, 16)}
    with board(server, RULER, rate=1.0, timeout=30_000.0) as rig:
        user = threading.Thread(target=lambda: (server.wait_for(lambda: not server.faults), rig.stop()))
        user.start()
        assert list(rig.play(STEP)) == []
        user.join()
        assert server.output == 0.0


def test_a_program_that_fell_behind_goes_on_with_a_gap_of_the_right_length(serve):
    server = serve(speed=20.0)
    with board(server, RULER) as rig:
        blocks = rig.hold(0.0)
        seen = [next(blocks) for _ in range(3)]
        # The buffer is of eight seconds.
        server.leap = 200_000
        seen += [next(blocks) for _ in range(3)]
        blocks.close()
    response, _ = joined(seen)
    known = np.isfinite(response)
    np.testing.assert_array_equal(response[known], np.flatnonzero(known))
    assert [bool(block.lost) for block in seen] == [False, False, False, True, False, False]
    assert seen[3].lost > 200_000 - 80_000


def test_an_overflow_while_a_command_is_held_says_where(serve):
    server = serve(speed=5.0)
    server.faults = {500: (-200361, 501)}
    with board(server, RULER) as rig, pytest.raises(RigError, match=r"ran over at sample 400 \(0\.040 s\)"):
        list(rig.hold(30.0))
    assert server.output == 0.0


# What is refused, and where the output is left.


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"device": "Dev9"}, "Dev9 on .* is not known: use the name that NI MAX shows"),
        ({"output": "ao7"}, "has no such channel"),
        ({"response": Input("ai30", CELL.gain)}, "has no such channel"),
    ],
    ids=["device", "output", "input"],
)
def test_a_wrong_name_is_refused_before_anything_is_put_out(serve, wrong, said):
    server = serve()
    with pytest.raises(RigError, match=said), board(server, wiring=wired(server, **wrong)):
        pass
    assert not {"StartTask", "WriteAnalogF64"} & set(server.calls)


def test_a_server_that_is_not_there_is_named(serve):
    server = serve()
    server.die()
    with pytest.raises(RigError, match=rf"at {server.address} can't be reached: check that it runs"):
        board(server).open()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda rig: rig.play(step(900.0)), r"900 pA need 18 V at ao0, which puts out at most 10 V"),
        (lambda rig: next(rig.hold(-900.0)), r"-900 pA need -18 V at ao0"),
        (lambda rig: rig.play(step(2000.0)), "outside the limits"),
        (lambda rig: rig.play(Stimulus("voltage", STEP.epochs)), "wired for current clamp"),
    ],
    ids=["sweep", "hold", "limits", "clamp"],
)
def test_what_the_board_cannot_or_must_not_put_out_is_refused_before_it_is(serve, ask, said):
    server = serve()
    with board(server, wiring=wired(server, pA=50.0)) as rig:
        before = list(server.puts)
        with pytest.raises(ValueError, match=said):
            ask(rig)
        assert set(server.puts[len(before) :]) <= {0.0}


def test_a_rate_that_the_board_does_not_have_is_answered_with_the_nearest(serve):
    server = serve()
    with board(server, rate=30.0) as rig:
        with pytest.raises(RigError, match=r"can't sample at 30 kHz, its nearest rate is 30\.0030003 kHz"):
            next(rig.play(STEP))
        rig.rate = 400.0
        with pytest.raises(RigError, match="lower rate_kHz or read fewer channels"):
            next(rig.play(STEP))
        rig.rate = 30.0030003
        assert sum(block.response.size for block in rig.play(STEP)) == 18_002
    assert server.output == 0.0


def test_a_board_that_somebody_else_holds_is_said_to_be_in_use(serve):
    server = serve()
    with board(server) as first, pytest.raises(RigError, match="is in use by another program"):
        list(first.play(STEP))
        board(server).open()


def test_samples_that_do_not_come_in_time_end_the_sweep_at_the_exit_level(serve):
    server = serve()
    server.is_mute = True
    with board(server, timeout=40.0) as rig:
        with pytest.raises(RigError, match=r"gave no samples in time.*-200284"):
            list(rig.play(STEP))
        assert server.output == 0.0
        server.is_mute = False
        assert sum(block.response.size for block in rig.play(STEP)) == 6000


def test_a_board_that_is_unplugged_says_so_and_that_the_output_could_not_be_returned(serve):
    server = serve(speed=1.0)
    with board(server) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        server.is_plugged = False
        with pytest.raises(RigError) as caught:
            list(blocks)
    said = str(caught.value)
    assert "plug the board in again" in said
    assert "could not be returned to 0 pA: take the amplifier's external command away by hand" in said


def test_a_board_that_was_unplugged_while_nothing_played_is_told_at_the_end(serve):
    server = serve()
    rig = board(server)
    rig.open()
    server.is_plugged = False
    with pytest.raises(RigError, match="could not be returned"):
        rig.close()
    rig.close()


@pytest.mark.parametrize("begin", ["play", "hold"])
def test_a_server_that_dies_in_the_middle_is_told_with_where_the_output_is(serve, begin):
    server = serve(speed=1.0)
    with board(server) as rig:
        blocks = rig.play(STEP) if begin == "play" else rig.hold(60.0)
        next(blocks)
        server.die()
        with pytest.raises(RigError, match=r"can't be reached.* could not be returned to 0 pA"):
            list(blocks)


def test_a_server_that_hangs_is_not_waited_for_for_ever(serve, monkeypatch):
    monkeypatch.setattr(nidaq_driver, "_READING", 0.2)
    monkeypatch.setattr(nidaq_driver, "_ANSWER", 0.2)
    server = serve(speed=1.0)
    with board(server, timeout=100.0) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        server.is_hung.set()
        with pytest.raises(RigError, match=r"does not answer: restart it.* could not be returned"):
            list(blocks)


def test_an_output_that_fails_at_the_end_of_a_sweep_is_returned_all_the_same(serve, monkeypatch):
    server = serve()
    with board(server) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        (sweep,) = [task for task in server.tasks.values() if task.output and task.timed]
        sweep.count += 10**9
        monkeypatch.setattr(server, "_ticks", lambda task: 6000)
        list(blocks)
        assert server.puts[-1] == 0.0


def test_without_the_library_the_extra_is_named(serve, monkeypatch):
    rig = board(serve())
    monkeypatch.setitem(sys.modules, "nidaqmx", None)
    with pytest.raises(RigError, match=r"NI-DAQmx needs nidaqmx, .*pip install 'rig-plugin\[nidaq\]'"):
        rig.open()


def test_without_the_driver_the_remedy_is_named(monkeypatch):
    import nidaqmx
    from nidaqmx.errors import DaqNotFoundError

    def absent(**_):
        raise DaqNotFoundError("Could not find an installation of NI-DAQmx.")

    monkeypatch.setattr(nidaqmx, "Task", absent)
    wiring = Wiring("Dev1", Output("ao0", Gain(400.0, "pA/V", "made")), CELL)
    with pytest.raises(RigError, match="not installed on this computer: install NI's driver, or name an NI gRPC"):
        Nidaq(wiring, silence=np.inf).open()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Input("ai0", Gain(0.0, "mV/V", "made")), "gain of ai0 is 0.0"),
        (lambda: Output("ao0", Gain(400.0, "pA/V", "made"), 24.0), "range of ao0 is 24.0 V"),
        (lambda: wiring_of(response=MONITOR), "response at ai1 has a gain in pA/V; in current clamp one in mV/V"),
        (lambda: wiring_of(clamp="voltage"), "response at ai0 has a gain in mV/V; in voltage clamp one in pA/V"),
        (lambda: wiring_of(others=(CELL,)), "ai0 of Dev1 is wired twice"),
        (lambda: Nidaq(wiring_of(), rate=0.0), "Rate is 0.0 kHz"),
        (lambda: Nidaq(wiring_of(), exit_level=-2000.0), "exit level is -2000 pA, -1000 to 1000 pA was wanted"),
        (lambda: Nidaq(wiring_of(), limits=Limits(-9e3, 9e3), exit_level=5000.0), "5000 pA need 12.5 V"),
        (lambda: Nidaq(wiring_of(), timeout=2000.0), "late by 2000 ms and the program silent for 1000 ms"),
        (lambda: Nidaq(clamped(), exit_level=5.0), "exit level is 5 pA in voltage clamp"),
    ],
)
def test_what_cannot_be_wired_is_refused(made, said):
    with pytest.raises(RigError, match=said):
        made()


def wiring_of(response=CELL, **more):
    return Wiring("Dev1", Output("ao0", Gain(400.0, "pA/V", "made")), response, **more)


def clamped(**more):
    output = Output("ao0", Gain(20.0, "mV/V", "made"))
    return Wiring("Dev1", output, Input("ai0", Gain(1000.0, "pA/V", "made")), clamp="voltage", **more)


def test_in_voltage_clamp_millivolts_go_out_and_nothing_is_held(serve):
    server = serve()
    with Nidaq(clamped(server=server.address), 10.0, silence=np.inf, junction=Junction("uncorrected", 12.0)) as rig:
        list(rig.play(Stimulus("voltage", (Epoch(-70.0, 50.0), Epoch(-80.0, 50.0)))))
        np.testing.assert_allclose(np.array(server.puts[-3:]) * 20.0, [-70.0, -80.0, 0.0], atol=1e-9)
        with pytest.raises(RigError, match="only a current can be held"):
            next(rig.hold(0.0))
        assert rig.provenance.junction.potential == 12.0
