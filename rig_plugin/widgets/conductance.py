"""This file is the conductance of a whole cell: a density times the capacitance of its membrane, draw by draw.

A passive dendrite has the leak and capacitance of the soma, in `dendrite_ratio` times its membrane, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.trial import Posterior
from simulators.parameter import Parameter

__all__ = ["has_dendrite", "is_density", "total_capacitance", "whole_cell"]

_RATIO = "dendrite_ratio"


def is_density(parameter: Parameter, parameters: Sequence[Parameter]) -> bool:
    """Tell whether a parameter can also be read in nS: a density, beside a capacitance in pF.

    Args:
        parameter: The one in question.
        parameters: All of the network's.

    Returns:
        Whether `whole_cell` has an answer.
    """
    return parameter.unit == "mS/cm2" and any(p.name == "C" and p.unit == "pF" for p in parameters)


def whole_cell(posterior: Posterior, name: str) -> npt.NDArray[np.float64]:
    """Multiply a conductance density by the membrane's area.

    At 1 uF/cm2 a picofarad is 1e-6 cm2 of membrane, so 1 mS/cm2 is 1 nS/pF and the product with C is in nS.
    It is taken draw by draw because the two are correlated. C is the soma's: the leak of a dendrite comes on top.

    Args:
        posterior: With a capacitance "C" [pF] among its parameters.
        name: The conductance density [mS/cm2].

    Returns:
        Draws, shape (s,) [nS].
    """
    area = total_capacitance(posterior) if name == "g_leak" else _column(posterior, "C")
    return np.asarray(_column(posterior, name) * area)


def has_dendrite(parameters: Sequence[Parameter]) -> bool:
    """Tell whether C is that of a soma only, beside which there is a dendrite.

    Args:
        parameters: All of the network's.

    Returns:
        Whether there are both.
    """
    return {"C", _RATIO} <= {parameter.name for parameter in parameters}


def total_capacitance(posterior: Posterior) -> npt.NDArray[np.float64]:
    """Add the dendrite's capacitance to the soma's, C (1 + dendrite_ratio), draw by draw.

    Args:
        posterior: With a capacitance "C" [pF] among its parameters.

    Returns:
        Draws, shape (s,) [pF]; C itself where there is no dendrite.
    """
    C = _column(posterior, "C")
    return np.asarray(C * (1.0 + _column(posterior, _RATIO))) if has_dendrite(posterior.parameters) else C


def _column(posterior: Posterior, name: str) -> npt.NDArray[np.float64]:
    """Give the draws of one parameter."""
    names = [parameter.name for parameter in posterior.parameters]
    return np.asarray(posterior.draws[:, names.index(name)])
