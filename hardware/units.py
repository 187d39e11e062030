"""This file is the units: the border where what a file declares becomes mV and pA."""

from __future__ import annotations

from typing import Literal

__all__ = ["Quantity", "quantity", "scale"]

Quantity = Literal["voltage", "current"]

_VOLTAGE = {"V": 1e3, "volt": 1e3, "volts": 1e3, "mV": 1.0, "millivolt": 1.0, "millivolts": 1.0, "uV": 1e-3}
_CURRENT = {"A": 1e12, "ampere": 1e12, "amperes": 1e12, "amps": 1e12, "mA": 1e9, "uA": 1e6, "nA": 1e3, "pA": 1.0}


def quantity(unit: str) -> Quantity | None:
    """Say what a declared unit measures.

    Args:
        unit: As the file writes it.

    Returns:
        "voltage", "current", or None where it is neither.

    Example:
        >>> quantity("nA"), quantity("volts"), quantity("?")
        ('current', 'voltage', None)
    """
    name = _plain(unit)
    if name in _VOLTAGE:
        return "voltage"
    return "current" if name in _CURRENT else None


def scale(unit: str) -> float:
    """Tell by how much values in a declared unit are multiplied to become mV or pA.

    Args:
        unit: As the file writes it.

    Returns:
        The factor.

    Raises:
        ValueError: If the unit is neither one of voltage nor one of current.

    Example:
        >>> scale("volts"), scale("nA")
        (1000.0, 1000.0)
    """
    name = _plain(unit)
    factor = _VOLTAGE.get(name, _CURRENT.get(name))
    if factor is None:
        raise ValueError(f"Unit is '{unit}', one of {', '.join([*_VOLTAGE, *_CURRENT])} was wanted.")
    return factor


def _plain(unit: str) -> str:
    """Strip padding, and write both code points of the micro sign as u."""
    return unit.strip("\0 ").replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
