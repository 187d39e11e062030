"""What a board refuses, where the output is left then, and what the user reads of it."""

import sys
import warnings

import numpy as np
import pytest

from hardware import nidaq_driver
from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.rig import Gain, RigError
from simulators.limits import Limits
from simulators.stimulus import Stimulus, step

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

STEP = step(80.0, holding=-20.0, onset=100.0, duration=300.0, tail=200.0)
CELL = Input("ai0", Gain(100.0, "mV/V", "made"))
MONITOR = Input("ai1", Gain(500.0, "pA/V", "made"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"device": "Dev9"}, "Dev9 on .* is not known: use the name that NI MAX shows"),
        ({"output": "ao7"}, "has no such channel"),
        ({"response": Input("ai30", CELL.gain)}, "has no such channel"),
    ],
    ids=["device", "output", "input"],
)
def test_a_wrong_name_is_refused_before_anything_is_put_out(serve, wrong, said, attached, wired):
    server = serve()
    with pytest.raises(RigError, match=said), attached(server, wiring=wired(server, **wrong)):
        pass
    assert not {"StartTask", "WriteAnalogF64"} & set(server.calls)


def test_a_server_that_is_not_there_is_named(serve, attached):
    server = serve()
    server.die()
    with pytest.raises(RigError, match=rf"at {server.address} can't be reached: check that it runs"):
        attached(server).open()


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
def test_what_the_board_cannot_or_must_not_put_out_is_refused_before_it_is(serve, ask, said, attached, wired):
    server = serve()
    with attached(server, wiring=wired(server, pA=50.0)) as rig:
        before = list(server.puts)
        with pytest.raises(ValueError, match=said):
            ask(rig)
        assert set(server.puts[len(before) :]) <= {0.0}


def test_a_rate_that_the_board_does_not_have_is_answered_with_the_nearest(serve, attached):
    server = serve()
    with attached(server, rate=30.0) as rig:
        with pytest.raises(RigError, match=r"can't sample at 30 kHz, its nearest rate is 30\.0030003 kHz"):
            next(rig.play(STEP))
        rig.rate = 400.0
        with pytest.raises(RigError, match="lower rate_kHz or read fewer channels"):
            next(rig.play(STEP))
        rig.rate = 30.0030003
        assert sum(block.response.size for block in rig.play(STEP)) == 18_002
    assert server.output == 0.0


def test_a_sweep_that_could_not_begin_after_one_that_ended_well_is_not_waited_for(serve, attached):
    server = serve()
    with attached(server) as rig:
        list(rig.play(STEP))
        server.calls.clear()
        rig.rate = 400.0
        with pytest.raises(RigError, match="lower rate_kHz"):
            next(rig.play(STEP))
        assert "WaitUntilTaskDone" not in server.calls
        assert server.puts[-1] == 0.0


def test_a_board_that_somebody_else_holds_is_said_to_be_in_use(serve, attached):
    server = serve()
    with attached(server) as first, pytest.raises(RigError, match="is in use by another program"):
        list(first.play(STEP))
        attached(server).open()


def test_samples_that_do_not_come_in_time_end_the_sweep_at_the_exit_level(serve, attached):
    server = serve()
    server.is_mute = True
    with attached(server, timeout=40.0) as rig:
        with pytest.raises(RigError, match=r"gave no samples in time.*-200284"):
            list(rig.play(STEP))
        assert server.output == 0.0
        server.is_mute = False
        assert sum(block.response.size for block in rig.play(STEP)) == 6000


def test_a_board_that_is_unplugged_says_so_and_that_the_output_could_not_be_returned(serve, attached):
    server = serve(speed=1.0)
    with attached(server) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        server.is_plugged = False
        with pytest.raises(RigError) as caught:
            list(blocks)
    said = str(caught.value)
    assert "plug the board in again" in said
    assert "could not be returned to 0 pA: take the amplifier's external command away by hand" in said


def test_a_board_that_was_unplugged_while_nothing_played_is_told_at_the_end(serve, attached):
    server = serve()
    rig = attached(server)
    rig.open()
    server.is_plugged = False
    with pytest.raises(RigError, match="could not be returned"):
        rig.close()
    rig.close()


@pytest.mark.parametrize("begin", ["play", "hold"])
def test_a_server_that_dies_in_the_middle_is_told_with_where_the_output_is(serve, begin, attached):
    server = serve(speed=1.0)
    with attached(server) as rig:
        blocks = rig.play(STEP) if begin == "play" else rig.hold(60.0)
        next(blocks)
        server.die()
        with pytest.raises(RigError, match=r"can't be reached.* could not be returned to 0 pA"):
            list(blocks)


def test_a_server_that_hangs_is_not_waited_for_for_ever(serve, monkeypatch, attached):
    monkeypatch.setattr(nidaq_driver, "_READING", 0.2)
    monkeypatch.setattr(nidaq_driver, "_ANSWER", 0.2)
    server = serve(speed=1.0)
    with attached(server, timeout=100.0) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        server.is_hung.set()
        with pytest.raises(RigError, match=r"does not answer: restart it.* could not be returned"):
            list(blocks)


def test_an_output_that_fails_at_the_end_of_a_sweep_is_returned_all_the_same(serve, monkeypatch, caplog, attached):
    server = serve()
    with attached(server) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        (sweep,) = [task for task in server.tasks.values() if task.output and task.timed]
        sweep.count += 10**9
        monkeypatch.setattr(server, "_ticks", lambda task: 6000)
        list(blocks)
        assert server.puts[-1] == 0.0
    assert "did not come to its end by itself" in caplog.text


def test_without_the_library_the_extra_is_named(serve, monkeypatch, attached):
    rig = attached(serve())
    monkeypatch.setitem(sys.modules, "nidaqmx", None)
    with pytest.raises(RigError, match=r"NI-DAQmx needs nidaqmx, .*pip install 'rig-plugin\[nidaq\]'"):
        rig.open()


def test_a_stimulus_that_was_stopped_early_is_no_reason_for_a_warning(serve, attached):
    from nidaqmx.errors import DaqWarning

    with warnings.catch_warnings(record=True) as told, attached(serve()):
        warnings.filterwarnings("always", "(?s).*Warning 200019 ", DaqWarning)
        warnings.warn(DaqWarning("Stopped.", 200010), stacklevel=1)
        warnings.warn(DaqWarning("Rounded.", 200019), stacklevel=1)
    assert [warning.message.error_code for warning in told] == [200019]


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
        (lambda: wiring_of(others={"cell": CELL}), "ai0 of Dev1 is wired twice"),
        (lambda: wiring_of(others={"command": Input("ai3", CELL.gain)}), "called 'command', which is taken"),
        (lambda: wiring_of(others={"a/b": Input("ai3", CELL.gain)}), "called 'a/b', which is taken or can't be kept"),
        (lambda: wiring_of(others={"bath": Input("ai3", None)}), "a volt at ai3 stands for is left to the amplifier"),
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
