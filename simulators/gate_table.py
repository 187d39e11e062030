"""This file is the gate table: steady state and time constant of a gate against voltage, for who has no equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["GateTable", "m_time_constant", "pospischil_gates"]

_FIRST, _STEP, _POINTS = -120.0, 0.75, 241


@dataclass(frozen=True, eq=False)
class GateTable:
    """One gate: between its points straight, beyond its ends as there.

    Args:
        exponent: How many such gates have to be open at once.
        first: Voltage of the first point [mV].
        step: From one point to the next [mV].
        steady: Steady state at each, shape (n,), from 0 to 1.
        tau: Time constant at each, shape (n,) [ms].

    Raises:
        ValueError: If a number can't be a gate's.
    """

    exponent: int
    first: float
    step: float
    steady: npt.NDArray[np.float64]
    tau: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("steady", "tau"):
            points = np.array(getattr(self, name), dtype=np.float64)
            points.setflags(write=False)
            object.__setattr__(self, name, points)
        if self.steady.ndim != 1 or self.steady.size < 2 or self.tau.shape != self.steady.shape:
            raise ValueError(
                f"Gate has tables of shape {self.steady.shape} and {self.tau.shape}, equal (n,) from 2 were wanted."
            )
        if self.exponent < 1 or not (np.isfinite(self.first) and np.isfinite(self.step) and self.step > 0):
            raise ValueError(
                f"Gate has exponent {self.exponent} and begins at {self.first} mV by {self.step} mV, "
                "an exponent from 1 and a finite grid that ascends were wanted."
            )
        if not ((self.steady >= 0) & (self.steady <= 1) & (self.tau > 0) & np.isfinite(self.tau)).all():
            raise ValueError("Gate has a steady state outside 0 to 1 or a time constant that is not positive [ms].")

    @property
    def voltages(self) -> npt.NDArray[np.float64]:
        """Voltage of each point, shape (n,) [mV]."""
        return np.asarray(self.first + self.step * np.arange(self.steady.size), dtype=np.float64)


def pospischil_gates(V_T: float, tau_max: float, rate_factor: float = 1.0) -> Mapping[str, GateTable]:
    """Tabulate the gates of the cortical cell: m, h and n of the spike, p of the M current.

    Args:
        V_T: Shift of the spike's kinetics [mV].
        tau_max: Scale of the M current's time constant [ms].
        rate_factor: All rates are multiplied by it.

    Returns:
        {gate: its table from -120 to 60 mV}.

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8

    Example:
        >>> p = pospischil_gates(-56.0, 800.0)["p"]
        >>> round(float(np.interp(-35.0, p.voltages, p.steady)), 3), round(float(p.tau.max()))
        (0.5, 220)
    """
    V: npt.NDArray[np.float64] = np.linspace(_FIRST, _FIRST + _STEP * (_POINTS - 1), _POINTS)
    u, w = V - V_T, (V + 35.0) / 20.0
    speed = 1.0 / m_time_constant(V, tau_max)
    p = 1.0 / (1.0 + np.exp(-2.0 * w))
    pairs = {
        "m": (1.28 * _ratio((13.0 - u) / 4.0), 1.4 * _ratio((u - 40.0) / 5.0)),
        "h": (0.128 * np.exp((17.0 - u) / 18.0), 4.0 / (1.0 + np.exp((40.0 - u) / 5.0))),
        "n": (0.16 * _ratio((15.0 - u) / 5.0), 0.5 * np.exp((10.0 - u) / 40.0)),
        "p": (speed * p, speed * (1.0 - p)),
    }
    exponents = {"m": 3, "h": 1, "n": 4, "p": 1}
    return {
        name: GateTable(
            exponents[name], _FIRST, _STEP, opening / (opening + closing), 1 / (rate_factor * (opening + closing))
        )
        for name, (opening, closing) in pairs.items()
    }


def m_time_constant(
    V: npt.ArrayLike, tau_max: npt.ArrayLike, rate_factor: npt.ArrayLike = 1.0
) -> npt.NDArray[np.float64]:
    """Give how fast the cortical cell's M current settles.

    Args:
        V: Voltage [mV].
        tau_max: Scale of the time constant [ms].
        rate_factor: All rates are multiplied by it.

    Returns:
        Time constant of its gate, in the shape that the arguments have together [ms].

    References:
        Pospischil et al. (2008), as above.

    Example:
        >>> round(float(m_time_constant(-70.0, 800.0))), round(float(m_time_constant(-47.0, 800.0)))
        (126, 220)
    """
    w = (np.asarray(V, dtype=np.float64) + 35.0) / 20.0
    speed = np.asarray(rate_factor) * (3.3 * np.exp(w) + np.exp(-w))
    return np.asarray(np.asarray(tau_max) / speed, dtype=np.float64)


def _ratio(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give z / (exp(z) - 1) without its hole at zero."""
    near = np.abs(z) < 1e-6
    return np.where(near, 1.0 - z / 2.0, z / np.expm1(np.where(near, 1.0, z)))
