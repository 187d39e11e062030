"""A conductance is clamped by the firmware as the simulators have it."""

import numpy as np
import pytest

from hardware.counts import Channel
from hardware.dialogue import Dialogue
from hardware.dynamic_clamp import ClampError, Conductance, DynamicClamp
from hardware.rig import RigClosed, RigError
from hardware.serial_rig import SerialRig
from hardware.telegram import CONDUCTANCE
from simulators.cortical import Cortical
from simulators.electrode import IDEAL
from simulators.gate_table import GateTable, pospischil_gates
from simulators.stimulus import step

CELL = {
    "C": 90.0,
    "g_leak": 0.06,
    "g_Na": 55.0,
    "g_K": 6.0,
    "g_M": 0.08,
    "tau_max": 800.0,
    "V_T": -56.0,
    "E_leak": -70.0,
    "rate_factor": 0.9,
}
PASSIVE = {"g_Na": 0.0, "g_K": 0.0, "g_M": 0.0}
STEP = step(200.0, onset=100.0, duration=500.0, tail=50.0)
GATES = pospischil_gates(CELL["V_T"], CELL["tau_max"], CELL["rate_factor"])
M = 0.08 * CELL["C"]  # [nS]: 1 mS/cm2 of 1 pF at 1 uF/cm2 is 1 nS


def m_current(maximum):
    return DynamicClamp((Conductance("g_M", (GATES["p"],), -93.0, maximum),), 500.0)


def rig_on(port, rate=20.0):
    return SerialRig(port, Channel(0, 0.00390625), Channel(1, 0.0625), 0.0625, rate=rate)


def played(rig, stimulus=STEP):
    blocks = list(rig.play(stimulus))
    return tuple(np.concatenate([getattr(block, name) for block in blocks]) for name in ("response", "command"))


def clamped(board, clamp, stimulus=STEP, rate=20.0, **cell):
    # A millivolt is 256 counts, so that a spike of 50 mV is still within 16 bits.
    with rig_on(board(mV=0.00390625, **cell).port, rate) as rig:
        rig.clamp(clamp)
        return played(rig, stimulus)


def simulated(stimulus=STEP, **changed):
    values = CELL | {"noise": 0.0, "bridge": 0.0, "offset": 0.0} | changed
    row = np.array([[values[parameter.name] for parameter in Cortical.parameters]])
    return Cortical(electrode=IDEAL).simulate(row, stimulus, 20.0, np.random.default_rng(1))[0]


def spikes(V, rate=20.0):
    """Times at which a voltage rises through 0 mV [ms]."""
    return np.flatnonzero((V[:-1] < 0) & (V[1:] >= 0)) / rate


@pytest.mark.parametrize(("own", "added"), [(0.0, M), (0.08, -M), (0.04, M / 2)], ids=["added", "removed", "doubled"])
def test_an_m_current_that_is_clamped_moves_spikes_as_one_that_is_the_cell_s_own(own, added, board):
    without, with_ = simulated(g_M=own), simulated(g_M=own + added / CELL["C"])
    ours, command = clamped(board, m_current(added), g_M=own)
    assert abs(spikes(without).size - spikes(with_).size) > 2
    assert spikes(ours).size == spikes(with_).size
    np.testing.assert_allclose(spikes(ours), spikes(with_), atol=1.0)
    assert np.ptp(command[2100:11_900]) > 20.0


def test_a_slowly_sampled_cell_is_clamped_at_20_khz_all_the_same(board):
    ours, _ = clamped(board, m_current(M), rate=5.0, g_M=0.0)
    theirs = spikes(simulated())
    assert spikes(ours, 5.0).size == theirs.size
    np.testing.assert_allclose(spikes(ours, 5.0), theirs, atol=1.0)


def test_what_the_clamp_injects_is_what_its_equations_give_in_every_sweep(board):
    """The current that came back, against the equations solved anew on the voltage that came with it."""
    with rig_on(board(mV=0.00390625).port) as rig:
        rig.clamp(m_current(-M))
        for _ in range(2):
            check_injected(*played(rig))


def check_injected(V, command):
    injected = command - STEP.command(20.0)
    p, gate = np.empty(V.size), GATES["p"]
    steady, tau = (np.interp(V, gate.voltages, trace) for trace in (gate.steady, gate.tau))
    p[0] = steady[0]
    for k in range(1, V.size):
        p[k] = p[k - 1] + (steady[k] - p[k - 1]) * -np.expm1(-0.05 / tau[k])
    np.testing.assert_allclose(injected, np.clip(M * p * (V + 93.0), -500.0, 500.0), atol=0.07)
    assert np.abs(injected).max() > 50.0


def test_a_leak_that_is_taken_away_raises_the_input_resistance(board):
    """Of 5.4 nS half are taken: 50 pA make 18.5 mV instead of 9.3."""
    stimulus = step(50.0, onset=20.0, duration=250.0, tail=20.0)
    V, _ = clamped(board, DynamicClamp((Conductance("leak", (), -70.0, -2.7),), 100.0), stimulus, **PASSIVE)
    time = np.arange(V.size) / 20.0 - 20.0
    expected = -70.0 + 50.0 / 2.7 * -np.expm1(-np.clip(time, 0.0, 250.0) * 2.7 / 90.0)
    np.testing.assert_allclose(V[:5400], expected[:5400], atol=0.05)


def test_several_conductances_add_up(board):
    parts = tuple(Conductance("leak", (), -70.0, g) for g in (-1.0, 4.0, -5.0, -0.7))
    ours = clamped(board, DynamicClamp(parts, 100.0), step(50.0, onset=20.0, duration=60.0, tail=20.0), **PASSIVE)[0]
    whole = DynamicClamp((Conductance("leak", (), -70.0, -2.7),), 100.0)
    theirs = clamped(board, whole, step(50.0, onset=20.0, duration=60.0, tail=20.0), **PASSIVE)[0]
    np.testing.assert_allclose(ours, theirs, atol=0.01)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_current_stays_within_its_clip(sign, board):
    _, command = clamped(board, DynamicClamp((Conductance("leak", (), 0.0, sign * 50.0),), 80.0), **PASSIVE)
    injected = sign * (command - STEP.command(20.0))
    assert injected.max() == 80.0
    assert injected.min() >= -80.0


def test_a_clamp_acts_in_every_sweep_until_it_is_ended_and_never_between(board, tmp_path):
    log = tmp_path / "output"
    stimulus = step(0.0, onset=20.0, duration=20.0, tail=20.0)
    with rig_on(board(log=log, mV=0.00390625, **PASSIVE).port) as rig:
        assert rig.added is None
        rig.clamp(DynamicClamp((Conductance("leak", (), 0.0, 1.0),), 500.0))
        assert rig.added == "leak of 1 nS"
        assert all((np.diff(played(rig, stimulus)[1]) <= 0).all() for _ in range(2))
        assert rig.output == 0.0
        assert np.loadtxt(log)[-1, 1] == 0
        rig.clamp(None)
        assert rig.added is None
        assert (played(rig, stimulus)[1] == 0.0).all()


def test_a_device_that_starts_anew_is_given_its_clamp_again(board):
    device = board(mV=0.00390625, **PASSIVE)
    stimulus = step(0.0, onset=20.0, duration=20.0, tail=20.0)
    with rig_on(device.port) as rig:
        rig.clamp(DynamicClamp((Conductance("leak", (), 0.0, 1.0),), 500.0))
        before = played(rig, stimulus)[1][0]
        device.reset()
        assert played(rig, stimulus)[1][0] == pytest.approx(before, abs=10.0)
        assert before > 60.0


def test_a_conductance_that_is_not_kept_as_it_was_sent_is_never_switched_on(board, monkeypatch):
    with rig_on(board(**PASSIVE).port) as rig:
        monkeypatch.setattr(Dialogue, "read_back", lambda self, kind, count: bytes(count))
        with pytest.raises(ClampError, match="does not keep g_M as it was sent"):
            rig.clamp(m_current(M))
        assert (played(rig)[1] == STEP.command(20.0)).all()


def test_the_device_keeps_what_the_conductance_says(board):
    clamp = m_current(M)
    with rig_on(board(**PASSIVE).port) as rig:
        rig.clamp(clamp)
        sent = clamp.conductances[0].to_bytes()
        assert rig._dialogue.read_back(CONDUCTANCE, len(sent)) == sent
    assert len(sent) == 20 + 8 * 241


def test_a_command_that_the_clamp_could_carry_beyond_the_limits_is_refused(board):
    with rig_on(board(**PASSIVE).port) as rig:
        rig.clamp(DynamicClamp(m_current(M).conductances, 900.0))
        with pytest.raises(RigError, match=r"spans \[-900, 1100\] pA with the dynamic clamp"):
            rig.play(STEP)
        with pytest.raises(RigError, match="with the dynamic clamp"):
            next(rig.hold(150.0))
        rig.clamp(None)
        assert played(rig)[0].size == STEP.samples(20.0)


def test_the_clamp_is_not_changed_while_the_rig_plays_or_is_closed(board):
    rig = rig_on(board(**PASSIVE).port)
    with pytest.raises(RigClosed):
        rig.clamp(None)
    with rig:
        blocks = rig.play(STEP)
        next(blocks)
        with pytest.raises(RigError, match="is playing"):
            rig.clamp(None)
        blocks.close()
        with pytest.raises(ClampError, match="5 conductances were given, the device clamps 4"):
            rig.clamp(DynamicClamp(m_current(M).conductances * 5, 100.0))


def gate(exponent=1, first=-120.0, points=5):
    return GateTable(exponent, first, 1.0, np.full(points, 0.5), np.ones(points))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Conductance("g", (gate(),) * 4, -93.0, 1.0), "4 gates"),
        (lambda: Conductance("g", (gate(), gate(first=-90.0)), -93.0, 1.0), "on 2 grids"),
        (lambda: Conductance("g", (gate(9),), -93.0, 1.0), r"exponents \[9\]"),
        (lambda: Conductance("g", (gate(points=257),), -93.0, 1.0), "longer than 256 points"),
        (lambda: Conductance("g", (), -93.0, float("nan")), "nan nS"),
        (lambda: Conductance("g", (), float("inf"), 1.0), "inf mV"),
        (lambda: DynamicClamp((), 0.0), "0.0 pA"),
    ],
)
def test_what_can_t_be_clamped_is_refused(make, complaint):
    with pytest.raises(ClampError, match=complaint):
        make()
