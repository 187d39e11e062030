"""This file is the stomatogastric kinetics: what every gate of these neurons tends to and how fast, as a table over V.

Each step moves a gate by (1 - exp(-dt/tau)) of its way to the steady state. Both numbers depend on the voltage only,
so they are tabulated for all gates side by side and interpolated: thirty exponentials become a few vector loads, no
rate has a singularity left, and temperature costs nothing. Against the published expressions a steady state is off by
less than 1e-5, and either number by less than 1e-4 of itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "CONDUCTANCE_Q10",
    "GATES",
    "HIGHEST",
    "LOWEST",
    "SLOTS",
    "SPACING",
    "SYNAPSE_Q10",
    "kinetics",
    "speed",
    "table",
]

GATES = (
    "m_Na", "m_CaT", "m_CaS", "m_A", "m_KCa", "m_Kd", "m_H", "h_Na", "h_CaT", "h_CaS", "h_A", "s_glut", "s_chol",
)  # fmt: skip
"""Order of the gates; the last two are the transmitter that a cell sends, which depends on its own voltage only."""

SLOTS = 16
"""Places a gate may take in a row: one vector of float32; those behind the last gate stay 0."""

LOWEST, HIGHEST, SPACING = -160.0, 100.0, 0.125
"""Range and step of the table [mV]; beyond it the rates keep their last value."""

_REFERENCE = 283.0
_FASTER = (2.4, 2.4, 2.0, 2.4, 1.6, 2.4, 2.4, 2.8, 2.8, 2.8, 2.8, 1.7, 1.7)
CONDUCTANCE_Q10 = 1.5
SYNAPSE_Q10 = 1.5
_CALCIUM_Q10 = 2.0


def kinetics(V: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Evaluate the published expressions at 283 K.

    The steady state of m_KCa is given without its factor Ca/(Ca + 3 uM).

    Args:
        V: Voltage, shape (n,) [mV].

    Returns:
        Steady states and time constants [ms], both shape (n, len(GATES)).

    References:
        Liu et al. (1998), J. Neurosci. 18, 2309-2320. https://doi.org/10.1523/JNEUROSCI.18-07-02309.1998
        Prinz et al. (2004), Nat. Neurosci. 7, 1345-1352. https://doi.org/10.1038/nn1352
    """
    V = np.asarray(V, dtype=np.float64)

    def falling(half: float, width: float) -> npt.NDArray[np.float64]:
        return 1.0 / (1.0 + np.exp((V + half) / width))

    def bell(a: float, b: float, c: float, d: float) -> npt.NDArray[np.float64]:
        return 1.0 / (np.exp((V + a) / b) + np.exp((V + c) / d))

    sent = falling(35.0, -5.0)
    # 1 - sent, written so that nothing cancels where a synapse is fully active.
    left = falling(35.0, 5.0)
    pairs = (
        (falling(25.5, -5.29), 2.64 - 2.52 * falling(120.0, -25.0)),
        (falling(27.1, -7.2), 43.4 - 42.6 * falling(68.1, -20.5)),
        (falling(33.0, -8.1), 2.8 + 14.0 * bell(27.0, 10.0, 70.0, -13.0)),
        (falling(27.2, -8.7), 23.2 - 20.8 * falling(32.9, -15.2)),
        (falling(28.3, -12.6), 180.6 - 150.2 * falling(46.0, -22.7)),
        (falling(12.3, -11.8), 14.4 - 12.8 * falling(28.3, -19.2)),
        (falling(75.0, 5.5), 2.0 / (np.exp(-14.59 - 0.086 * V) + np.exp(-1.87 + 0.0701 * V))),
        (falling(48.9, 5.18), 1.34 * falling(62.9, -10.0) * (1.5 + falling(34.9, 3.6))),
        (falling(32.1, 5.5), 210.0 - 179.6 * falling(55.0, -16.9)),
        (falling(60.0, 6.2), 120.0 + 300.0 * bell(55.0, 9.0, 65.0, -16.0)),
        (falling(56.9, 4.9), 77.2 - 58.4 * falling(38.9, -26.5)),
        (sent, 40.0 * left),
        (sent, 100.0 * left),
    )
    goals, taus = zip(*pairs, strict=True)
    return np.stack(goals, axis=1), np.stack(taus, axis=1)


def speed(q10: float, temperature: float) -> float:
    """Give the factor by which something grows from 283 K to another temperature.

    Args:
        q10: Its growth over ten degrees.
        temperature: [K].

    Returns:
        The factor.
    """
    return float(q10 ** ((temperature - _REFERENCE) / 10.0))


def table(dt: float, temperature: float = _REFERENCE) -> tuple[npt.NDArray[np.float32], float]:
    """Tabulate how gates move in one step, and how calcium does.

    Args:
        dt: Time step [ms].
        temperature: [K]; the Q10 are those that the published network was heated with.

    Returns:
        Steady states in the first `SLOTS` columns and 1 - exp(-dt/tau) in the others, shape (n, 2 SLOTS), a row every
        `SPACING` from `LOWEST`; and 1 - exp(-dt/tau) of calcium, whose tau is 200 ms.

    References:
        Caplan et al. (2014), J. Neurosci. 34, 4963-4975. https://doi.org/10.1523/JNEUROSCI.0280-14.2014
        Deistler et al. (2022), PNAS 119, e2207632119. https://doi.org/10.1073/pnas.2207632119
    """
    V = np.linspace(LOWEST, HIGHEST, round((HIGHEST - LOWEST) / SPACING) + 1)
    goals, taus = kinetics(V)
    faster = np.array([speed(q10, temperature) for q10 in _FASTER])
    rows = np.zeros((len(V), 2 * SLOTS))
    rows[:, : len(GATES)] = goals
    rows[:, SLOTS : SLOTS + len(GATES)] = -np.expm1(-dt * faster / taus)
    return rows.astype(np.float32), float(-np.expm1(-dt * speed(_CALCIUM_Q10, temperature) / 200.0))
