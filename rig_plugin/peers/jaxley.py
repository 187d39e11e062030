"""This file is the peer jaxley: the eLife cell in its own Pospischil channels, batched by vmap and compiled by jit.

In float32, without noise, for it has no stochastic solver. The M current's gate is started by hand, for jaxley 0.14
starts it at p_inf / (p_inf + tau).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rig_plugin.peers.elife import CELL, DENSITY, DURATION, E_K, E_NA, OFFSET, ONSET
from simulators.pospischil import DT

__all__ = ["SWEEPS", "prepare"]

SWEEPS = 256
"""Sweeps a call."""

_VARIED = {
    "Na_gNa": 1e-3 * CELL["g_Na"],
    "K_gK": 1e-3 * CELL["g_K"],
    "Km_gKm": 1e-3 * CELL["g_M"],
    "Km_taumax": CELL["tau_max"],
    "Leak_gLeak": 1e-3 * CELL["g_leak"],
    "Leak_eLeak": CELL["E_leak"],
    "vt": CELL["V_T"],
}
"""What differs between cells in training, so that nothing of it is folded into the compiled code [S/cm2, ms, mV]."""


def prepare(sweeps: int) -> Callable[[], npt.NDArray[np.int64]]:
    """Compile a batch.

    Args:
        sweeps: How many sweeps a call simulates.

    Returns:
        What simulates it and gives the spikes of each sweep.

    Raises:
        ImportError: If jaxley is not installed.
    """
    jax = importlib.import_module("jax")
    jx = importlib.import_module("jaxley")
    cell = _cell(jx)

    def spikes(parameters: Any) -> Any:  # noqa: ANN401 - a tree of arrays of jax
        V = jx.integrate(cell, params=parameters, delta_t=DT)[0]
        return ((V[:-1] < -10.0) & (V[1:] >= -10.0)).sum()

    batch = [{name: jax.numpy.full((sweeps, 1), value)} for name, value in _VARIED.items()]
    compiled = jax.jit(jax.vmap(spikes))
    return lambda: np.asarray(compiled(batch).block_until_ready(), dtype=np.int64)


def _cell(jx: Any) -> Any:  # noqa: ANN401 - jaxley's module and compartment
    """Build the compartment, its current in nA for its area in um2."""
    channels = importlib.import_module("jaxley.channels.pospischil")
    cell = jx.Compartment()
    for channel in (channels.Na, channels.K, channels.Km, channels.Leak):
        cell.insert(channel())
    radius = length = 10.0
    named = {"radius": radius, "length": length, "capacitance": 1.0, "eNa": E_NA, "eK": E_K, "v": CELL["E_leak"]}
    for name, value in (named | _VARIED).items():
        cell.set(name, value)
    cell.init_states(DT)
    cell.set("Km_p", 1.0 / (1.0 + np.exp(-(CELL["E_leak"] + 35.0) / 10.0)))
    nA = 1e-5 * DENSITY * 2.0 * np.pi * radius * length
    cell.stimulate(jx.step_current(ONSET, OFFSET - ONSET, nA, DT, DURATION), verbose=False)
    cell.record("v", verbose=False)
    for name in _VARIED:
        cell.make_trainable(name, verbose=False)
    return cell
