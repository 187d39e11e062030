"""Voltage clamp and virtual drugs: closed forms, and cells that were made so in the first place."""

import numpy as np
import pytest
from scipy import signal

from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.firing_type import Bursting, FastSpiking, LowThresholdSpiking, RegularSpiking
from simulators.pospischil import DT
from simulators.published import CELLS
from simulators.stimulus import Dose, Epoch, Stimulus, step

RATE = 1 / DT


def behind(**knobs):
    """An electrode without noise."""
    return Electrode(**{"white": 0.0, "white_current": 0.0} | knobs)


def simulators(**knobs):
    electrode = behind(**knobs)
    return (
        Cortical(electrode=electrode),
        RegularSpiking(electrode=electrode),
        Bursting(sag=True, dendrite=True, electrode=electrode),
        LowThresholdSpiking(sag=True, electrode=electrode),
    )


every = pytest.mark.parametrize("simulator", simulators(), ids=lambda simulator: type(simulator).__name__)


def theta_of(simulator, **values):
    """One cell: 100 pF, regular spiking, where nothing else is said."""
    usual = {"C": 100.0, "g_leak": 0.1, "g_Na": 50.0, "g_K": 5.0, "g_M": 0.07, "tau_max": 600.0, "V_T": -55.0}
    usual |= {"E_leak": -70.0, "rate_factor": 1.0, "E_Na": 55.0, "E_K": -93.0, "dendrite_ratio": 1.0}
    usual |= {"g_L": 0.1, "g_T": 0.2, "g_h": 0.01, "coupling": 5.0}
    return np.array([[(usual | values).get(parameter.name, 0.0) for parameter in simulator.parameters]])


def passive(simulator, **values):
    names = [parameter.name for parameter in simulator.parameters if parameter.name.startswith("g_")]
    return theta_of(simulator, **dict.fromkeys(names, 0.0) | {"g_leak": 0.1, "coupling": 0.0} | values)


def answer(simulator, theta, stimulus, rate=RATE, seed=0):
    return simulator.simulate(theta, stimulus, rate, np.random.default_rng(seed))


def clamp(*levels, durations=(20.0, 60.0, 60.0)):
    return Stimulus("voltage", tuple(Epoch(*pair) for pair in zip(levels, durations, strict=False)))


def dosed(levels, durations, doses):
    return Stimulus("current", tuple(Epoch(*epoch) for epoch in zip(levels, durations, doses, strict=True)))


def spikes(trace, rate=RATE):
    return (np.flatnonzero((trace[:-1] < -20) & (trace[1:] >= -20)) + 1) / rate


def membrane_test(C, g_leak, E, resistance, command, step_at, time):
    """Closed form of the current of a passive cell [pF, nS, mV, GOhm, ms]: peak, one exponential, steady state."""
    g_s = 1.0 / resistance
    settled = [(g_s * level + g_leak * E) / (g_s + g_leak) for level in command]
    late = np.maximum(time - step_at, 0.0)
    V = settled[1] + (settled[0] - settled[1]) * np.exp(-late * (g_s + g_leak) / C)
    return np.where(time < step_at, (command[0] - settled[0]) * g_s, (command[1] - V) * g_s)


@every
@pytest.mark.parametrize("resistance", [5.0, 10.0, 25.0])
def test_a_membrane_test_is_that_of_the_closed_form(simulator, resistance):
    simulator = next(s for s in simulators(series=resistance, corner=16.0) if type(s) is type(simulator))
    current = answer(simulator, passive(simulator), clamp(-70.0, -75.0, durations=(20.0, 60.0)))[0]
    time = np.arange(len(current)) * DT
    closed = membrane_test(100.0, 10.0, -70.0, 1e-3 * resistance, (-70.0, -75.0), 20.0, time)
    # What leaves an analogue four-pole Bessel filter; the jump is resolved twenty times finer than a step.
    fine = np.arange(20 * len(current)) * DT / 20
    sharp = membrane_test(100.0, 10.0, -70.0, 1e-3 * resistance, (-70.0, -75.0), 20.0, fine)
    system = signal.bessel(4, 2 * np.pi * 16.0, norm="mag", analog=True, output="zpk")
    filtered = signal.lsim(system, sharp - sharp[0], fine)[1][::20] + sharp[0]
    peak = -5.0 / (1e-3 * resistance)
    np.testing.assert_allclose(current[: round(20.0 / DT) - 2], closed[0], rtol=0, atol=1e-3 * abs(peak))
    assert current.min() == pytest.approx(filtered.min(), rel=0.01)
    # For the time of the filter's own rise a jump that lies between two steps is a ramp from the one to the other.
    away = np.abs(time - 20.05) > 0.1
    np.testing.assert_allclose(current[away], filtered[away], rtol=0, atol=0.002 * abs(peak))
    steady = -5.0 / (1e-3 * resistance + 0.1)
    assert current[-1] - current[0] == pytest.approx(steady, rel=1e-3)


@every
@pytest.mark.parametrize("resistance", [0.001, 0.1])
def test_a_clamp_through_hardly_any_resistance_has_charged_the_membrane_after_some_steps(simulator, resistance):
    simulator = next(s for s in simulators(series=resistance, corner=16.0) if type(s) is type(simulator))
    current = answer(simulator, passive(simulator), clamp(-70.0, -75.0, durations=(20.0, 5.0)))[0]
    # A float32 resolves the voltage to 4e-6 mV.
    late = current[round(20.5 / DT) :]
    np.testing.assert_allclose(late - current[round(19.0 / DT)], -50.0, rtol=0, atol=1.0 + 0.01 / resistance)


@every
def test_both_clamps_start_settled_at_their_first_level(simulator):
    theta = theta_of(simulator)
    current = answer(simulator, theta, clamp(-65.0, -65.0))[0]
    assert np.ptp(current) < 0.05
    # The current that holds the cell there in voltage clamp holds it there in current clamp, less the drop over R_s.
    V = answer(simulator, theta, dosed([current[0]] * 2, [20.0, 60.0], [(), ()]))[0]
    assert np.ptp(V) < 0.05
    assert V[0] == pytest.approx(-65.0 - 0.01 * current[0], abs=0.01)


@every
def test_an_offset_of_the_electrode_shifts_what_a_clamp_commands(simulator):
    shifted = answer(simulator, theta_of(simulator, offset=5.0), clamp(-65.0, -40.0))
    np.testing.assert_allclose(shifted, answer(simulator, theta_of(simulator), clamp(-70.0, -45.0)), rtol=0, atol=0.02)


def test_a_depolarized_clamp_shows_inward_sodium_then_outward_potassium_current():
    simulator = Cortical(electrode=behind(series=1.0))
    current = answer(simulator, theta_of(simulator), clamp(-90.0, 0.0))[0, round(20.4 / DT) : round(79.0 / DT)]
    early = current[: round(3.0 / DT)]
    assert early.min() < -1000.0
    # Goal of the steady state: g_K n^4 + g_M p at 0 mV, and the leak.
    assert 1e4 < current[-1] < 100.0 * (5.0 + 0.07) * 93.0


def test_noise_of_the_voltage_clamp_is_white_current():
    simulator = Cortical(electrode=Electrode(white_current=3.0, corner=6.0))
    current = answer(simulator, theta_of(simulator), clamp(-70.0, -70.0, durations=(20.0, 2000.0)))[0]
    assert current.std() == pytest.approx(3.0, rel=0.05)


@every
def test_a_dose_that_changes_nothing_changes_no_bit(simulator):
    theta = theta_of(simulator, noise=0.1)
    plain = step(120.0, onset=30.0, duration=100.0, tail=30.0)
    nothing = dosed([0.0, 120.0, 0.0], [30.0, 100.0, 30.0], [(), (Dose("g_M", 1.0),), ()])
    np.testing.assert_array_equal(answer(simulator, theta, plain), answer(simulator, theta, nothing))


@every
@pytest.mark.parametrize("name", ["g_leak", "g_Na", "g_K", "g_M"])
def test_an_added_conductance_is_a_cell_with_more_of_it(simulator, name):
    theta = theta_of(simulator)
    column = [parameter.name for parameter in simulator.parameters].index(name)
    more = theta.copy()
    more[0, column] = 1.25 * theta[0, column] + 0.03
    levels, durations = [0.0, 250.0, 0.0], [30.0, 100.0, 30.0]
    dose = (Dose(name, 1.25, 0.03),)
    given = answer(simulator, theta, dosed(levels, durations, [dose] * 3))
    np.testing.assert_array_equal(given, answer(simulator, more, dosed(levels, durations, [()] * 3)))
    assert not np.array_equal(given, answer(simulator, theta, dosed(levels, durations, [()] * 3)))


@every
def test_a_dose_acts_in_its_epoch_and_not_before(simulator):
    levels, durations = [0.0, 600.0, 600.0], [30.0, 100.0, 100.0]
    bare = answer(simulator, theta_of(simulator), dosed(levels, durations, [()] * 3))
    blocked = answer(simulator, theta_of(simulator), dosed(levels, durations, [(), (), (Dose("g_Na", 0.0),)]))
    border = round(130.0 / DT)
    np.testing.assert_array_equal(bare[:, :border], blocked[:, :border])
    assert len(spikes(bare[0, border:])) >= 2
    assert len(spikes(blocked[0, border + round(2.0 / DT) :])) == 0


@every
def test_a_full_block_of_sodium_silences(simulator):
    drug = (Dose("g_Na", 0.0),)
    assert len(spikes(answer(simulator, theta_of(simulator), step(600.0, onset=30.0, tail=30.0))[0])) >= 5
    blocked = answer(simulator, theta_of(simulator), dosed([0.0, 600.0], [30.0, 500.0], [drug, drug]))[0]
    assert blocked.max() < 0.0


@every
def test_a_full_block_of_the_m_current_removes_adaptation(simulator):
    theta = theta_of(simulator, g_h=0.0, g_L=0.0, g_T=0.0, coupling=0.0)
    drug = (Dose("g_M", 0.0),)
    control = np.diff(spikes(answer(simulator, theta, step(250.0, onset=30.0, duration=500.0, tail=30.0))[0]))
    blocked = np.diff(spikes(answer(simulator, theta, dosed([0.0, 250.0], [30.0, 500.0], [drug, drug]))[0]))
    assert control[-1] > 1.5 * control[0]
    assert len(blocked) > 2 * len(control)
    assert blocked[-1] == pytest.approx(blocked[1], rel=0.01)


@every
def test_a_block_of_all_leaves_a_capacitor(simulator):
    theta = theta_of(simulator, coupling=0.0)
    drugs = tuple(Dose(name, 0.0) for name in simulator.conductances)
    V = answer(simulator, theta, dosed([0.0, 0.0, 20.0], [30.0, 50.0, 50.0], [(), drugs, drugs]))[0]
    charging = V[round(81.0 / DT) : round(129.0 / DT)]
    np.testing.assert_allclose(np.diff(charging), 20.0 / 100.0 * DT, rtol=0, atol=2e-4)


def test_a_dynamic_clamp_may_take_away_more_than_there_is():
    simulator = Cortical(electrode=behind())
    theta = passive(simulator)
    V = answer(simulator, theta, dosed([0.0, 1.0, 1.0], [30.0, 20.0, 50.0], [(), (), (Dose("g_leak", 1.0, -0.15),)]))[0]
    # 15 nS less than 10 leave -5: away from E_leak with the time constant of C / 5 nS = 20 ms, not towards it.
    inside = V[round(51.0 / DT) : round(99.0 / DT)] + 70.0 + 1.0 / 5.0 * -1.0 + 0.4
    growth = np.log((inside[-1]) / inside[0]) / (48.0 / 20.0)
    assert growth == pytest.approx(1.0, abs=0.05)


def test_a_cell_that_blows_up_is_missing_from_there_and_its_neighbours_are_not_touched():
    simulator = Cortical(electrode=behind())
    theta = np.repeat(passive(simulator, g_leak=3.0), 3, axis=0)
    theta[1, 1] = 1e-4
    run = dosed([0.0, 10.0, 10.0], [30.0, 20.0, 400.0], [(), (), (Dose("g_leak", 1.0, -0.5),)])
    V = answer(simulator, theta, run)
    alone = answer(simulator, theta[[0, 2]], run)
    assert np.isnan(V[1, -1])
    first = np.flatnonzero(np.isnan(V[1]))[0]
    assert np.isnan(V[1, first:]).all()
    assert np.isfinite(V[1, : round(50.0 / DT)]).all()
    np.testing.assert_array_equal(V[[0, 2]], alone)


@pytest.mark.parametrize("name", CELLS)
def test_published_cells_are_within_the_bounds(name):
    kinds = {"RS": RegularSpiking, "FS": FastSpiking, "IB": Bursting, "LT": LowThresholdSpiking}
    for options in ({}, {"sag": True, "dendrite": True}):
        simulator = kinds[name[:2]](**options)
        theta = CELLS[name].theta(simulator.parameters)
        assert all(p.low <= x <= p.high for p, x in zip(simulator.parameters, theta, strict=True))
