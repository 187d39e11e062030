"""Scales that follow the amplifier: a gain that is told is never a wrong scale that looks right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiclamp_fake import IS_700B, FakeWindow

from hardware.amplified import agreed
from hardware.amplifier import AmplifierError, Reading, Setting
from hardware.amplifier_manual import ManualAmplifier
from hardware.axopatch import Axopatch200B
from hardware.export.nwb import export
from hardware.kept.session import kept_session
from hardware.multiclamp import MultiClamp
from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.recorder import Recorder
from hardware.rig import Gain, RigError
from simulators.limits import Limits
from simulators.stimulus import Epoch, Stimulus, step

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

STEP = step(80.0, holding=-20.0, onset=100.0, duration=300.0, tail=200.0)
PULSE = Stimulus("voltage", (Epoch(-70.0, 50.0), Epoch(-80.0, 50.0)))
VOLT = Gain(1.0, "V/V", "made")
TELEGRAPHS = {name: Input(f"ai{k}", VOLT) for k, name in enumerate(("mode", "gain", "filter"), 4)}


def passive(stimulus, rate, rng):
    """As the board's own cell in current clamp; in voltage clamp 10 pA/mV."""
    command = stimulus.command(rate)
    return 10.0 * command if command.min() < -60.0 else -70.0 + 0.1 * command


@pytest.fixture
def server(serve):
    running = serve(cell=passive)
    running.turn("current", 10.0)
    return running


@pytest.fixture
def axopatch(server):
    """An Axopatch behind the board; scales that are not given are the amplifier's."""

    def make(response=None, command=None, clamp="current", beta=1.0, **more):
        units = ("mV/V", "pA/V") if clamp == "current" else ("pA/V", "mV/V")
        said = [value and Gain(value, unit, "rig file") for value, unit in zip((response, command), units, strict=True)]
        output, cell = Output("ao0", said[1]), Input("ai0", said[0])
        wiring = Wiring("Dev1", output, cell, clamp=clamp, server=server.address, telegraphs=TELEGRAPHS)
        rig = Nidaq(wiring, 10.0, silence=np.inf, **more)
        rig.ask(Axopatch200B(rig.telegraphs, beta))
        return rig

    return make


def traces(rig, stimulus):
    blocks = list(rig.play(stimulus))
    return tuple(np.concatenate([getattr(block, name) for block in blocks]) for name in ("response", "command"))


@pytest.mark.parametrize(
    ("clamp", "stimulus", "answer", "units", "sensitivity"),
    [
        ("current", STEP, -70.0 + 0.1 * STEP.command(10.0), ("mV/V", "pA/V"), 2000.0),
        ("voltage", PULSE, 10.0 * PULSE.command(10.0), ("pA/V", "mV/V"), 20.0),
    ],
)
def test_the_scales_follow_the_switch_from_sweep_to_sweep(
    server, axopatch, clamp, stimulus, answer, units, sensitivity
):
    with axopatch(clamp=clamp) as rig:
        assert rig.gains == {}
        for gain in (5.0, 0.5, 200.0):
            server.turn(clamp, gain)
            response, command = traces(rig, stimulus)
            np.testing.assert_allclose(response, answer, rtol=1e-12, atol=1e-9)
            np.testing.assert_array_equal(command, stimulus.command(10.0))
            np.testing.assert_allclose(
                sorted(set(server.puts[-4:])), sorted({*(stimulus.command(10.0) / sensitivity), 0.0})
            )
            assert rig.gains["response"] == Gain(1000.0 / gain, units[0], "telegraph")
            assert (rig.gains["command"].value, rig.gains["command"].unit) == (sensitivity, units[1])
            assert rig.origin.gains == rig.gains


@pytest.mark.parametrize(
    ("said", "turned", "both"),
    [
        (
            {"response": 100.0, "command": 2000.0},
            20.0,
            ("100 mV/V for the response at ai0", "it is 50 mV/V (telegraph)"),
        ),
        ({"response": 10.0, "command": 2000.0}, 10.0, ("10 mV/V for the response", "it is 100 mV/V")),
        ({"response": -100.0, "command": 2000.0}, 10.0, ("-100 mV/V for the response", "it is 100 mV/V")),
        ({"response": 100.0, "command": 400.0}, 10.0, ("400 pA/V for the command at ao0", "it is 2000 pA/V")),
        ({"response": 100.0, "command": 2000.0, "beta": 0.1}, 10.0, ("2000 pA/V for the command", "it is 20000 pA/V")),
    ],
)
def test_a_rig_file_that_says_another_scale_is_refused_with_both_before_any_output(
    server, axopatch, said, turned, both
):
    server.turn("current", turned)
    with axopatch(**said) as rig:
        for begin in (lambda: rig.seen(STEP), lambda: next(rig.play(STEP)), lambda: next(rig.hold(20.0))):
            with pytest.raises(AmplifierError) as caught:
                begin()
            assert all(value in str(caught.value) for value in both)
        assert set(server.puts[1:]) <= {0.0}
        assert server.calls.count("CfgSampClkTiming") == 1


def test_a_rig_file_that_says_the_same_is_confirmed_by_the_telegraph(axopatch):
    with axopatch(response=100.0, command=2000.0) as rig:
        assert rig.gains["response"].source == "rig file"
        rig.seen(STEP)
        assert rig.gains["response"] == Gain(100.0, "mV/V", "telegraph")


def test_a_scale_that_nobody_says_and_a_command_that_is_switched_off_let_nothing_out(server, axopatch):
    for reading, said in (
        (Reading(Setting("current", "rig file")), "the response at ai0 stands for is known neither from"),
        (
            Reading(Setting("current", "rig file"), Setting(10.0, "rig file"), sensitivity=Setting(0.0, "rig file")),
            "external command is switched off",
        ),
        (Reading(Setting("current", "rig file"), Setting(-1.0, "rig file")), "a gain of -1, a positive one"),
    ):
        rig = axopatch()
        rig.ask(ManualAmplifier(reading))
        with rig, pytest.raises(AmplifierError, match=said):
            next(rig.play(STEP))
        assert set(server.puts) == {0.0}
    rig.ask(None)
    with (
        rig,
        pytest.raises(RigError, match="a volt at ao0 stands for is left to the amplifier, which has not been asked"),
    ):
        next(rig.play(STEP))
    assert set(server.puts) == {0.0}


def test_an_exit_level_and_a_reach_are_not_guessed_before_the_amplifier_has_spoken(server, axopatch):
    with pytest.raises(RigError, match="left to the amplifier"):
        axopatch(exit_level=-10.0)
    with axopatch(limits=Limits(-30_000.0, 30_000.0)) as rig:
        with pytest.raises(RigError, match=r"25000 pA need 12.5 V at ao0, .* \(now 2000 pA/V\)"):
            next(rig.play(step(25_000.0, onset=100.0, duration=300.0, tail=200.0)))
        assert set(server.puts) == {0.0}


def test_a_multiclamp_tells_the_scales_of_a_board_with_a_monitor(server, attached, wired):
    server.mV_per_V, server.pA_per_V = 20.0, 400.0
    window = FakeWindow(IS_700B)
    monitor = Input("ai1", Gain(500.0, "pA/V", "rig file"))
    output = Output("ao0", None)
    wiring = Wiring("Dev1", output, Input("ai0", None), monitor, server=server.address)
    rig = attached(server, wiring=wiring)
    rig.ask(MultiClamp(window, IS_700B, None, patience=0.05))
    with rig:
        response, command = traces(rig, STEP)
        np.testing.assert_allclose(command, STEP.command(10.0), rtol=0, atol=1e-9)
        np.testing.assert_allclose(response, -70.0 + 0.1 * STEP.command(10.0), rtol=0, atol=1e-9)
        assert {name: str(gain) for name, gain in rig.gains.items()} == {
            "response": "20 mV/V", "command": "500 pA/V", "output": "400 pA/V",
        }  # fmt: skip
        assert [gain.source for gain in rig.gains.values()] == ["telegraph", "rig file", "telegraph"]
        window.turn(IS_700B, sensitivity=0.0)
        with pytest.raises(AmplifierError, match="switched off"):
            next(rig.play(STEP))


def test_each_sweep_keeps_its_gains_and_who_said_them_and_so_does_what_is_exported(server, axopatch, tmp_path):
    path, nwb = tmp_path / "cell.h5", tmp_path / "cell.nwb"
    with axopatch() as rig, Recorder(path, {}) as recorder:
        for gain in (10.0, 20.0):
            server.turn("current", gain)
            for k, block in enumerate(rig.play(STEP)):
                if not k:
                    recorder.start(STEP, rig.rate, rig.origin)
                recorder.append(block)
            recorder.finish({}, {})
    with kept_session(path) as session:
        kept = [sweep.provenance.gains for sweep in session.sweeps]
    assert [gains["response"] for gains in kept] == [Gain(100.0, "mV/V", "telegraph"), Gain(50.0, "mV/V", "telegraph")]
    assert kept[0]["command"] == Gain(2000.0, "pA/V", "rig file")
    export(path, nwb)
    import h5py

    with h5py.File(nwb) as file:
        assert [file[f"acquisition/response_{k:06d}/gain"][()] for k in range(2)] == pytest.approx([10.0, 20.0])
        sweeps = file["processing/icephys/sweeps"]
        assert sweeps["response_gain"][:].tolist() == [100.0, 50.0]
        assert {*sweeps["response_gain_source"][:], *sweeps["command_gain_unit"][:]} == {b"telegraph", b"pA/V"}


@given(said=st.floats(1e-3, 1e5), factor=st.floats(0.5, 2.0))
def test_what_is_said_and_told_agree_only_where_they_are_one_number(said, factor):
    told = Gain(said * factor, "mV/V", "telegraph")
    if math.isclose(factor, 1.0, rel_tol=9e-4):
        assert agreed("response", Gain(said, "mV/V", "rig file"), told) == told
    elif not math.isclose(factor, 1.0, rel_tol=1.1e-3):
        with pytest.raises(AmplifierError, match="The rig file says"):
            agreed("response", Gain(said, "mV/V", "rig file"), told)
