"""This file is the series: one trace of an NWB file, with its unit, rate and time."""

from __future__ import annotations

import math
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.hdf5 import scalar, text, trace
from hardware.recording import RecordingError
from hardware.units import quantity, scale

__all__ = ["electrode", "kind", "label", "number", "order", "rate", "starting_time", "title", "unit", "values"]


def kind(series: h5py.Group) -> str:
    """Name the NWB type, for instance "CurrentClampSeries"."""
    return text(series.attrs.get("neurodata_type"))


def title(series: h5py.Group) -> str:
    """Name the series as its file does, without the path."""
    return str(series.name).rsplit("/", 1)[-1]


def electrode(series: h5py.Group) -> str:
    """Name the electrode: the end of the link by which the series points to it."""
    link = series.get("electrode", getlink=True)
    return str(link.path).rsplit("/", 1)[-1] if isinstance(link, h5py.SoftLink) else ""


def label(series: h5py.Group) -> str:
    """Name the channel: electrode and type, so that a hundred sweeps make one channel."""
    return f"{electrode(series)} {kind(series)}".strip()


def unit(series: h5py.Group) -> str:
    """Give the unit as declared."""
    return text(series["data"].attrs.get("unit"))


def number(series: h5py.Group, name: str) -> float:
    """Read an optional number, 0 where it is missing or NaN."""
    value = series.get(name)
    found = float(np.asarray(scalar(value)).item()) if value is not None else 0.0
    return found if math.isfinite(found) else 0.0


def starting_time(series: h5py.Group) -> float:
    """Tell when a series starts [s after the session]."""
    return float(series["timestamps"][0]) if "timestamps" in series else number(series, "starting_time")


def order(series: h5py.Group) -> tuple[float, int, str]:
    """Give the key that sorts series as they were recorded."""
    return starting_time(series), int(series.attrs.get("sweep_number", 0)), str(series.name)


def rate(series: h5py.Group) -> float:
    """Tell the sampling rate.

    Args:
        series: The series.

    Returns:
        The rate [kHz].

    Raises:
        RecordingError: If it is not a positive number.
    """
    if "starting_time" in series:
        found = float(series["starting_time"].attrs["rate"]) / 1e3
    else:
        interval = float(np.median(np.diff(series["timestamps"][:1000])))
        found = 1e-3 / interval if interval > 0 else math.nan
    if not (math.isfinite(found) and found > 0):
        raise RecordingError(f"'{series.name}' has a sampling rate of {found} kHz: correct it in the file.")
    return found


def values(series: h5py.Group, path: Path, lift: float = 0.0) -> npt.NDArray[np.float64]:
    """Read the data: stored number x conversion + offset, in the declared unit, taken to mV or pA.

    Args:
        series: The series.
        path: The file, for the message.
        lift: What comes on top of the offset, in the declared unit.

    Returns:
        Shape (n,) [mV or pA]; as declared where the unit is neither of voltage nor of current.

    Raises:
        RecordingError: If there are no such data.
    """
    data = series["data"]
    factor = scale(unit(series)) if quantity(unit(series)) else 1.0
    # The factors are joined first: 1e-12 x 1e12 is exactly 1, so a stored 130 pA stays 130 pA.
    conversion = float(data.attrs.get("conversion", 1.0)) * factor
    return trace(data, path) * conversion + (float(data.attrs.get("offset", 0.0)) + lift) * factor
