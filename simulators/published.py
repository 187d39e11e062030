"""This file is the published cells: those of Pospischil et al. (2008), each with the step that it was shown under."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter

__all__ = ["CELLS", "PublishedCell"]

_DEFAULTS = {"rate_factor": 1.0, "dendrite_ratio": 1.0, "E_Na": 50.0, "E_K": -100.0}


@dataclass(frozen=True)
class PublishedCell:
    """A cell of the paper: a cylinder as long as it is wide.

    Args:
        diameter: Of the cylinder, at 1 uF/cm2 [um].
        amplitude: Current step that it was shown under [pA].
        values: Parameters by name, in the units of `simulators.firing_type`; others are absent (0) or as they were.

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
        Its own code, https://modeldb.science/123623
    """

    diameter: float
    amplitude: float
    values: dict[str, float]

    @property
    def C(self) -> float:
        """Capacitance of the cylinder's mantle [pF]."""
        return math.pi * self.diameter**2 * 1e-2

    def theta(self, parameters: Sequence[Parameter]) -> npt.NDArray[np.float64]:
        """Put the cell into the order of a simulator's parameters.

        Args:
            parameters: Of the simulator, p of them.

        Returns:
            Shape (p,), without noise, bridge error or offset.

        Example:
            >>> from simulators.firing_type import FastSpiking
            >>> CELLS["FS"].theta(FastSpiking().parameters)[1:5].tolist()
            [0.15, 50.0, 10.0, 0.0]
        """
        values = _DEFAULTS | {"C": self.C} | self.values
        return np.array([values.get(parameter.name, 0.0) for parameter in parameters])


def _cell(diameter: float, amplitude: float, **values: float) -> PublishedCell:
    """Fill in what most of them have."""
    usual = {"g_Na": 50.0, "g_K": 5.0, "tau_max": 1000.0, "V_T": -55.0, "E_leak": -70.0}
    return PublishedCell(diameter, amplitude, usual | values)


def _burster(amplitude: float, **values: float) -> PublishedCell:
    """Fill in what bursting and low-threshold spiking cells have."""
    return _cell(96.0, amplitude, **{"g_M": 0.03, "g_leak": 0.01, "E_leak": -85.0} | values)


CELLS = {
    "RS": _cell(96.0, 750.0, g_M=0.07, g_leak=0.1),
    "RS figure 1c": _cell(96.0, 700.0, g_M=0.07, g_leak=0.1, V_T=-60.0),
    "RS ferret": _cell(
        61.8, 500.0, g_Na=10.0, g_K=2.1, g_M=0.098, tau_max=934.0, g_leak=0.0133, E_leak=-56.2, V_T=-56.2
    ),
    "RS rat": _cell(61.4, 500.0, g_Na=56.0, g_K=6.0, g_M=0.075, tau_max=934.0, g_leak=0.0205, E_leak=-70.3, V_T=-56.2),
    "FS": _cell(67.0, 500.0, g_K=10.0, g_leak=0.15),
    "IB": _burster(150.0, g_L=0.17),
    "IB, first template": _burster(150.0, g_L=0.1, E_leak=-70.0),
    "IB, repetitive": _burster(150.0, g_L=0.22),
    "LTS": _burster(150.0, g_T=0.4),
    "LTS, first template": _burster(150.0, g_T=1.0),
    "LTS, rebound": _burster(-100.0, g_T=0.4, E_leak=-60.0),
}
"""By the paper's abbreviation and, where there are several, their figure, animal or origin."""
