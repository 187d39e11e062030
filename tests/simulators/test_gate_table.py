"""Tables of gates are those of the kernels."""

import numpy as np
import pytest
from numba import njit

from simulators.gate_table import GateTable, pospischil_gates
from simulators.pospischil_rates import rates

V_T, TAU_MAX, FACTOR = -58.0, 700.0, 0.8


@njit
def _rates(u, shift, root):
    return rates(np.float32(u), np.float32(shift), np.float32(root))


def test_the_tables_of_the_cortical_cell_are_its_kernel_s_rates():
    gates = pospischil_gates(V_T, TAU_MAX, FACTOR)
    shift, root = np.exp(-(V_T + 35.0) / 10.0), np.exp(-(V_T + 35.0) / 20.0)
    V = gates["p"].voltages
    rows = np.array([_rates(v - V_T, shift, root) for v in V])
    for k, name in enumerate("mhn"):
        opening, closing = rows[:, 2 * k], rows[:, 2 * k + 1]
        np.testing.assert_allclose(gates[name].steady, opening / (opening + closing), atol=1e-5)
        np.testing.assert_allclose(gates[name].tau, 1 / (FACTOR * (opening + closing)), rtol=1e-4)
    np.testing.assert_allclose(gates["p"].steady, rows[:, 6], atol=1e-5)
    np.testing.assert_allclose(gates["p"].tau, TAU_MAX / (FACTOR * rows[:, 7]), rtol=1e-4)


def test_between_two_points_a_table_is_as_good_as_its_equations():
    p, tau_max = pospischil_gates(V_T, TAU_MAX)["p"], TAU_MAX
    V = np.linspace(-119.9, 59.9, 999)
    w = (V + 35.0) / 20.0
    steady, tau = np.interp(V, p.voltages, p.steady), np.interp(V, p.voltages, p.tau)
    np.testing.assert_allclose(steady, 1 / (1 + np.exp(-2 * w)), atol=1e-4)
    np.testing.assert_allclose(tau, tau_max / (3.3 * np.exp(w) + np.exp(-w)), rtol=3e-4)


def test_the_spike_s_gates_have_no_hole_where_a_rate_is_zero_over_zero():
    assert all(np.isfinite(gate.tau).all() for gate in pospischil_gates(-73.0, 700.0).values())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"exponent": 0}, "exponent 0"),
        ({"step": 0.0}, "by 0.0 mV"),
        ({"first": np.nan}, "begins at nan mV"),
        ({"steady": np.full(5, 1.1)}, "outside 0 to 1"),
        ({"tau": np.zeros(5)}, "not positive"),
        ({"tau": np.full(5, np.nan)}, "not positive"),
        ({"tau": np.ones(4)}, r"shape \(5,\) and \(4,\)"),
        ({"steady": np.ones(1), "tau": np.ones(1)}, "from 2 were wanted"),
    ],
)
def test_what_is_no_gate_is_refused(change, complaint):
    sound = {"exponent": 1, "first": -100.0, "step": 1.0, "steady": np.full(5, 0.5), "tau": np.ones(5)}
    with pytest.raises(ValueError, match=complaint):
        GateTable(**(sound | change))


def test_a_gate_can_t_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        pospischil_gates(V_T, TAU_MAX)["m"].tau[0] = 1.0
