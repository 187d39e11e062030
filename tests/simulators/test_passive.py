"""The closed form against what it must be."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulators.electrode import IDEAL
from simulators.passive import Passive
from simulators.stimulus import Dose, Epoch, Stimulus, step

RNG = np.random.default_rng(0)


def test_the_membrane_is_63_percent_charged_after_one_time_constant():
    response = Passive().simulate(np.array([[100.0, 10.0, -70.0]]), step(50.0, onset=20.0, tail=100.0), 10.0, RNG)[0]
    assert response[:201] == pytest.approx(-70.0)
    assert response[300] == pytest.approx(-70.0 + 5.0 * -math.expm1(-1.0))
    assert response[5199] == pytest.approx(-65.0)


def test_it_solves_its_differential_equation():
    epochs = (Epoch(-20.0, 13.72), Epoch(50.0, 30.0), Epoch(-80.0, 7.04), Epoch(5.0, 40.0))
    stimulus = Stimulus("current", epochs)
    C, g, E = 80.0, 6.0, -61.0
    ours = Passive().simulate(np.array([[C, g, E]]), stimulus, 25.0, RNG)[0]
    V, begin, exact = E - 20.0 / g, 0.0, []
    for epoch in epochs:
        end = begin + epoch.duration
        time = np.arange(round(begin * 25.0), round(end * 25.0)) / 25.0
        solved = solve_ivp(
            lambda _, v, level=epoch.level: (g * (E - v) + level) / C,
            (begin, end),
            [V],
            t_eval=np.append(time, end),
            rtol=1e-9,
            atol=1e-9,
        )
        exact.extend(solved.y[0, :-1])
        V, begin = solved.y[0, -1], end
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-5)


def test_a_change_of_current_between_two_samples_keeps_the_voltage_between_its_levels():
    stimulus = Stimulus("current", (Epoch(0.0, 13.7), Epoch(50.0, 30.02), Epoch(0.0, 40.0)))
    response = Passive().simulate(np.array([[15.0, 50.0, -61.0], [1.0, 1000.0, -61.0]]), stimulus, 25.0, RNG)
    assert response.min() >= -61.0
    assert response.max() <= -60.0


CLAMPED = Stimulus("voltage", (Epoch(-70.0, 5.0), Epoch(-80.0, 30.0), Epoch(-70.0, 5.0)))


def clamped(cell, stimulus=CLAMPED, series=10.0, rate=50.0):
    return Passive(replace(IDEAL, series=series)).simulate(np.array([cell]), stimulus, rate, RNG)[0]


def test_a_membrane_test_shows_series_and_membrane_resistance_and_capacitance():
    C, g, series = 100.0, 5.0, 12.0
    current = clamped((C, g, -65.0), series=series) - clamped((C, g, -65.0), series=series)[0]
    access, membrane = series * 1e-3, 1.0 / g
    # At once the capacitor is a short, so that only the series resistance is in the way; in the end both are.
    assert current[250] == pytest.approx(-10.0 / access)
    assert current[1749] == pytest.approx(-10.0 / (access + membrane))
    # Between them lies the capacitor, charged through both in parallel.
    tau = C * access * membrane / (access + membrane)
    decay = (current[251:300] - current[1749]) / (current[250] - current[1749])
    np.testing.assert_allclose(decay, np.exp(-np.arange(1, 50) / 50.0 / tau), rtol=1e-6, atol=1e-6)


def test_before_a_voltage_step_the_holding_current_is_that_of_a_divider():
    assert clamped((100.0, 5.0, -65.0))[0] == pytest.approx((-70.0 + 65.0) / (0.01 + 0.2))


def test_a_transient_ends_with_the_charge_that_it_moved():
    # Seen above its final value: C times the change of the membrane's voltage, times the divider once more.
    C, g, series = 60.0, 8.0, 15.0
    current = clamped((C, g, -70.0), series=series, rate=1000.0)[5000:35000]
    divider = 1.0 / (1.0 + g * series * 1e-3)
    charge = (current - current[-1]).sum() / 1000.0 - 0.5 * (current[0] - current[-1]) / 1000.0
    assert charge == pytest.approx(-10.0 * C * divider**2, rel=1e-4)


def solved(cell, epochs, factors, rate, series=None):
    """Voltage by a solver, with the leak scaled and shifted in each epoch."""
    C, g, E = cell
    clamp = 0.0 if series is None else 1000.0 / series
    first, out = epochs[0].level, []
    V = (g * E + clamp * first + (0.0 if clamp else first)) / (g + clamp)
    for epoch, (factor, added) in zip(epochs, factors, strict=True):
        time = np.arange(round(epoch.duration * rate)) / rate
        leak = g * factor + added

        def slope(_, v, level=epoch.level, leak=leak):
            return (leak * (E - v) + (clamp * (level - v) if clamp else level)) / C

        course = solve_ivp(slope, (0, epoch.duration), [V], t_eval=[*time, epoch.duration], rtol=1e-10, atol=1e-10)
        out.append(course.y[0, :-1])
        V = course.y[0, -1]
    return np.concatenate(out)


DOSED = (
    Epoch(-20.0, 10.0),
    Epoch(-20.0, 30.0, (Dose("g_leak", 0.5),)),
    Epoch(30.0, 20.0, (Dose("g_leak", 1.0, 7.0),)),
    Epoch(30.0, 10.0, (Dose("g_leak", 0.0),)),
    Epoch(5.0, 10.0, (Dose("g_leak", 1.0, -9.0),)),
    Epoch(0.0, 40.0),
)
FACTORS = ((1.0, 0.0), (0.5, 0.0), (1.0, 7.0), (0.0, 0.0), (1.0, -9.0), (1.0, 0.0))


def test_doses_on_the_leak_solve_the_equation_without_and_below_a_leak_too():
    cell = (80.0, 6.0, -61.0)
    ours = Passive().simulate(np.array([cell]), Stimulus("current", DOSED), 25.0, RNG)[0]
    np.testing.assert_allclose(ours, solved(cell, DOSED, FACTORS, 25.0), rtol=0, atol=1e-6)


def test_doses_act_under_voltage_clamp():
    cell = (80.0, 6.0, -61.0)
    ours = Passive(replace(IDEAL, series=20.0)).simulate(np.array([cell]), Stimulus("voltage", DOSED), 25.0, RNG)[0]
    levels = np.repeat([epoch.level for epoch in DOSED], [round(epoch.duration * 25.0) for epoch in DOSED])
    exact = (levels - solved(cell, DOSED, FACTORS, 25.0, series=20.0)) / 0.02
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-4)


def test_a_blocked_leak_turns_a_current_into_a_ramp():
    stimulus = Stimulus("current", (Epoch(0.0, 10.0), Epoch(40.0, 10.0, (Dose("g_leak", 0.0),))))
    V = Passive().simulate(np.array([[80.0, 6.0, -61.0]]), stimulus, 10.0, RNG)[0]
    np.testing.assert_allclose(V[100:], -61.0 + 40.0 / 80.0 * np.arange(100) / 10.0, rtol=0, atol=1e-9)


def test_a_cell_without_a_leak_has_no_rest_and_leaves_its_neighbours_alone():
    stimulus = Stimulus("current", (Epoch(0.0, 10.0, (Dose("g_leak", 1.0, -6.0),)), Epoch(0.0, 10.0)))
    V = Passive().simulate(np.array([[80.0, 6.0, -61.0], [80.0, 4.0, -61.0], [80.0, 10.0, -61.0]]), stimulus, 10.0, RNG)
    assert np.isnan(V[:2]).all()
    np.testing.assert_allclose(V[2], -61.0)


def test_a_cell_that_a_dose_lets_run_away_is_nan_from_there_on():
    stimulus = Stimulus("current", (Epoch(0.0, 10.0), Epoch(10.0, 50_000.0, (Dose("g_leak", 0.0, -100.0),))))
    V = Passive().simulate(np.array([[10.0, 6.0, -61.0]]), stimulus, 1.0, RNG)[0]
    gone = np.flatnonzero(np.isnan(V))
    assert gone.size
    assert np.isfinite(V[: gone[0]]).all()
    assert np.isnan(V[gone[0] :]).all()
