"""The table of the stomatogastric gates against the published expressions."""

import numpy as np
import pytest

from simulators.stg_kinetics import GATES, HIGHEST, LOWEST, SLOTS, SPACING, kinetics, speed, table

REFERENCE_ORDER = ("m_Na", "h_Na", "m_CaT", "h_CaT", "m_CaS", "h_CaS", "m_A", "h_A", "m_KCa", "m_Kd", "m_H")
BETWEEN = np.arange(LOWEST, HIGHEST, SPACING / 7)


def interpolated(rows, V):
    grid = np.linspace(LOWEST, HIGHEST, len(rows))
    return np.stack([np.interp(V, grid, column) for column in rows.T.astype(np.float64)], axis=1)


def test_the_expressions_are_the_published_ones(stomatogastric_gates):
    V = np.arange(-150.0, 90.0, 1.7)
    goals, taus = kinetics(V)
    goal, tau = np.empty(11), np.empty(11)
    for k, u in enumerate(V):
        stomatogastric_gates(u, 1e12, goal, tau)
        for j, name in enumerate(REFERENCE_ORDER):
            assert goals[k, GATES.index(name)] == pytest.approx(goal[j], rel=1e-9)
            assert taus[k, GATES.index(name)] == pytest.approx(tau[j], rel=1e-9)


def test_a_synapse_opens_about_minus_35_mv_and_is_slowest_where_it_is_closed():
    goals, taus = kinetics(np.array([-100.0, -35.0, 60.0]))
    for name, tau in (("s_glut", 40.0), ("s_chol", 100.0)):
        k = GATES.index(name)
        np.testing.assert_allclose(goals[:, k], [0.0, 0.5, 1.0], atol=3e-6)
        np.testing.assert_allclose(taus[:, k], [tau, tau / 2, 0.0], atol=1e-3)


def test_between_its_rows_the_table_is_true_to_one_in_ten_thousand():
    ours = interpolated(table(0.025)[0], BETWEEN)
    goals, taus = kinetics(BETWEEN)
    count = len(GATES)
    np.testing.assert_allclose(ours[:, :count], goals, rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(ours[:, :count], goals, rtol=0, atol=1e-5)
    np.testing.assert_allclose(ours[:, SLOTS : SLOTS + count], -np.expm1(-0.025 / taus), rtol=1e-4)


@pytest.mark.parametrize("temperature", [273.0, 283.0, 303.0])
def test_a_gate_moves_towards_a_fraction_and_never_past_it(temperature):
    rows, part = table(0.025, temperature)
    assert rows.min() >= 0.0
    assert rows.max() <= 1.0
    assert (rows[:, SLOTS : SLOTS + len(GATES)] > 0.0).all()
    assert 0.0 < part < 1.0


def test_ten_degrees_speed_gates_up_by_their_q10():
    row = round((-50.0 - LOWEST) / SPACING)
    cold, warm = (-np.log1p(-table(0.025, T)[0][row].astype(np.float64)) for T in (283.0, 293.0))
    for name, q10 in (("m_A", 2.4), ("m_CaS", 2.0), ("m_KCa", 1.6), ("h_CaT", 2.8), ("s_glut", 1.7)):
        k = SLOTS + GATES.index(name)
        assert warm[k] / cold[k] == pytest.approx(q10, rel=1e-3)
    assert speed(1.5, 293.0) == pytest.approx(1.5)
    assert speed(1.5, 283.0) == 1.0
