"""This file is the rest of a stomatogastric neuron: the voltage at which all of its currents, settled, cancel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.stg import AREA
from simulators.stg_kinetics import GATES, HIGHEST, LOWEST, SLOTS, kinetics

__all__ = ["at_rest", "held", "nernst"]

_INFLUX = 14961.0 * AREA
_LEAST = 1e-3
Floats = npt.NDArray[np.float64]


def nernst(temperature: float) -> float:
    """Give RT/2F, by which the reversal potential of calcium grows with the logarithm of its gradient.

    Args:
        temperature: [K].

    Returns:
        RT/2F [mV].
    """
    return 8.31451e3 * temperature / (2.0 * 96485.3415)


def at_rest(cells: Floats, current: float, scale: float, clamp: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Find the lowest fixed point of neurons under a constant current; a bursting one has no stable other.

    Args:
        cells: Conductances Na, CaT, CaS, A, KCa, Kd, H, leak, shape (b, 8) [mS/cm2].
        current: [pA].
        scale: RT/2F [mV].
        clamp: Conductance of a voltage clamp's series resistance, whose command then makes the current [nS].

    Returns:
        Voltage, shape (b,) [mV], calcium, shape (b,) [uM], and gates, shape (b, SLOTS). Where nothing balances the
        current the voltage is the end of the kinetics' range that it drives to.
    """
    injected, leak = current * 1e-6 / AREA, clamp * 1e-6 / AREA
    grid = np.arange(LOWEST, HIGHEST + 0.5)
    outward = np.stack([_outward(cells, np.full(len(cells), V), scale) + leak * V for V in grid], axis=1) > injected
    above = np.where(outward.any(axis=1), outward.argmax(axis=1), len(grid) - 1)
    low, high = grid[np.maximum(above - 1, 0)], grid[above]
    for _ in range(30):
        V = 0.5 * (low + high)
        rising = _outward(cells, V, scale) + leak * V > injected
        low, high = np.where(rising, low, V), np.where(rising, V, high)
    return high, *held(cells, high, scale)


def held(cells: Floats, V: Floats, scale: float) -> tuple[Floats, Floats]:
    """Settle neurons at a voltage.

    Args:
        cells: Shape (b, 8) [mS/cm2].
        V: Shape (b,) [mV].
        scale: RT/2F [mV].

    Returns:
        Calcium, shape (b,) [uM], and gates, shape (b, SLOTS).
    """
    gates = np.zeros((len(cells), SLOTS))
    gates[:, : len(GATES)] = kinetics(np.clip(V, LOWEST, HIGHEST))[0]
    Ca = _calcium(_g_Ca(cells, gates), V, scale)
    gates[:, 4] *= Ca / (Ca + 3.0)
    return Ca, gates


def _outward(cells: Floats, V: Floats, scale: float) -> Floats:
    """Give the settled current at a voltage [uA/cm2]."""
    Ca, x = held(cells, V, scale)
    g_Ca = _g_Ca(cells, x)
    g_K = cells[:, 3] * x[:, 3] ** 3 * x[:, 10] + cells[:, 4] * x[:, 4] ** 4 + cells[:, 5] * x[:, 5] ** 4
    return np.asarray(
        cells[:, 0] * x[:, 0] ** 3 * x[:, 7] * (V - 50.0)
        + g_Ca * (V - scale * np.log(3000.0 / Ca))
        + g_K * (V + 80.0)
        + cells[:, 6] * x[:, 6] * (V + 20.0)
        + cells[:, 7] * (V + 50.0)
    )


def _g_Ca(cells: Floats, x: Floats) -> Floats:
    """Sum the calcium conductances."""
    return np.asarray(cells[:, 1] * x[:, 1] ** 3 * x[:, 8] + cells[:, 2] * x[:, 2] ** 3 * x[:, 9])


def _calcium(g_Ca: Floats, V: Floats, scale: float) -> Floats:
    """Solve Ca = 0.05 - influx * I_Ca(Ca) by Newton's method on ln Ca, from above, where it can't overshoot."""
    x = np.full(len(V), np.log(3000.0))
    influx = _INFLUX * g_Ca
    for _ in range(40):
        Ca = np.exp(x)
        x = x - (Ca - 0.05 - influx * (scale * (np.log(3000.0) - x) - V)) / (Ca + influx * scale)
    return np.asarray(np.maximum(np.exp(x), _LEAST))
