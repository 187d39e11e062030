"""The closed form against what it must be."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulators.passive import Passive
from simulators.stimulus import Epoch, Stimulus, step

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
