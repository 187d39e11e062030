"""This file is the conductance of a whole cell: a density times the cell's capacitance, draw by draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.trial import Posterior
from simulators.parameter import Parameter

__all__ = ["is_density", "whole_cell"]


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
    It is taken draw by draw because the two are correlated.

    Args:
        posterior: With a capacitance "C" [pF] among its parameters.
        name: The conductance density [mS/cm2].

    Returns:
        Draws, shape (s,) [nS].
    """
    names = [parameter.name for parameter in posterior.parameters]
    return np.asarray(posterior.draws[:, names.index(name)] * posterior.draws[:, names.index("C")])
