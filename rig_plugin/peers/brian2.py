"""This file is the peer brian2: the eLife cell as a group of neurons, stepped by its exponential Euler method.

In float64, on one core, without noise: the method refuses stochastic equations.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rig_plugin.peers.elife import CELL, DENSITY, DURATION, E_K, E_NA, OFFSET, ONSET
from simulators.pospischil import DT

__all__ = ["SWEEPS", "prepare"]

SWEEPS = 1024
"""Sweeps a call."""

_EQUATIONS = """
dV/dt = (g_Na*m**3*h*(E_Na - V) + (g_K*n**4 + g_M*p)*(E_K - V) + g_leak*(E_leak - V) + I)/ms : 1
dm/dt = (a_m*(1 - m) - b_m*m)/ms : 1
dh/dt = (a_h*(1 - h) - b_h*h)/ms : 1
dn/dt = (a_n*(1 - n) - b_n*n)/ms : 1
dp/dt = (p_inf - p)*(3.3*w + 1/w)/tau_max/ms : 1
u = V - V_T : 1
w = exp((V + 35)/20) : 1
a_m = 1.28/exprel((13 - u)/4) : 1
b_m = 1.4/exprel((u - 40)/5) : 1
a_h = 0.128*exp((17 - u)/18) : 1
b_h = 4/(1 + exp((40 - u)/5)) : 1
a_n = 0.16/exprel((15 - u)/5) : 1
b_n = 0.5*exp((10 - u)/40) : 1
p_inf = 1/(1 + exp(-(V + 35)/10)) : 1
I = density*int(t >= onset*ms)*int(t < offset*ms) : 1
g_Na : 1 (constant)
g_K : 1 (constant)
g_M : 1 (constant)
g_leak : 1 (constant)
tau_max : 1 (constant)
V_T : 1 (constant)
E_leak : 1 (constant)
"""
_VARIED = ("g_Na", "g_K", "g_M", "g_leak", "tau_max", "V_T", "E_leak")


def prepare(sweeps: int) -> Callable[[], npt.NDArray[np.int64]]:
    """Build a batch; its code is made at the first call.

    Args:
        sweeps: How many sweeps a call simulates.

    Returns:
        What simulates it and gives the spikes of each sweep.

    Raises:
        ImportError: If brian2 is not installed.
    """
    brian2 = importlib.import_module("brian2")
    known = {"E_Na": E_NA, "E_K": E_K, "density": DENSITY, "onset": ONSET, "offset": OFFSET}
    cells = brian2.NeuronGroup(
        sweeps,
        _EQUATIONS,
        method="exponential_euler",
        threshold="V > -10",
        refractory="V > -10",
        namespace=known,
        dt=DT * brian2.ms,
    )
    for name in _VARIED:
        setattr(cells, name, CELL[name])
    cells.V = CELL["E_leak"]
    for gate in "mhn":
        setattr(cells, gate, f"a_{gate}/(a_{gate} + b_{gate})")
    cells.p = "p_inf"
    fired = brian2.SpikeMonitor(cells, record=False)
    network = brian2.Network(cells, fired)
    network.store()

    def run() -> npt.NDArray[np.int64]:
        network.restore()
        network.run(DURATION * brian2.ms)
        return np.array(fired.count, dtype=np.int64)

    return run
