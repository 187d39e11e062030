"""This file is the faults: what goes wrong at a rig, planted in simulated traces before they are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from estimators.cell import CELL
from estimators.generation import features_of, simulate
from estimators.nuisances import Nuisances

__all__ = ["FAULTS", "LARGE_STEP", "Fault", "planted"]

Array = npt.NDArray[np.float64]
Columns = dict[str, Array]

LARGE_STEP = 50.0
"""From this on, a step tells of a wrong sign [pA]."""

_SHIFT = 20.0
_LOST = 0.3
_LARGEST = 1e6


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Args:
        spoil: What it does to a sweep: its samples [mV], its columns of context, each a number, and randomness;
            returns other samples.
        words: What it is called.
        must: Whether it has to be caught, or is only compared with a classifier that knows it.
        smallest: Magnitude of the smallest step that it is planted in [pA].
        alarming: It always is.
    """

    spoil: Callable[[Array, dict[str, float], np.random.Generator], Array]
    words: str
    must: bool
    smallest: float = 0.0
    alarming: bool = True


def _bridge(v: Array, column: dict[str, float], rng: np.random.Generator) -> Array:
    begin = round(column["baseline"] * column["rate"])
    end = round((column["baseline"] + column["duration"]) * column["rate"])
    off = np.full(len(v), column["holding"])
    off[begin:end] += column["amplitude"]
    return np.asarray(v + 20e-3 * off)


def _hum(v: Array, column: dict[str, float], rng: np.random.Generator) -> Array:
    time = np.arange(len(v)) / column["rate"]
    hertz = rng.choice([50.0, 60.0])
    return np.asarray(v + 0.5 * np.sin(2e-3 * np.pi * hertz * time + rng.uniform(0.0, 2.0 * np.pi)))


def _late(v: Array, column: dict[str, float], rng: np.random.Generator) -> Array:
    shift = round(_SHIFT * column["rate"])
    return np.concatenate([v[shift:], v[-1:].repeat(shift)])


def _dying(v: Array, column: dict[str, float], rng: np.random.Generator) -> Array:
    # What opens to 0 mV beside the membrane takes its share of every voltage, of spikes and of the rest alike.
    return np.asarray(v * (1.0 - np.linspace(0.0, _LOST, len(v))))


def _noise(v: Array, column: dict[str, float], rng: np.random.Generator) -> Array:
    return rng.normal(0.0, np.exp(rng.uniform(np.log(0.02), np.log(5.0))), len(v))


def _constant(v: Array, column: dict[str, float], rng: np.random.Generator) -> Array:
    return rng.uniform(-100.0, 20.0) + rng.normal(0.0, 0.02, len(v))


FAULTS = MappingProxyType(
    {
        "gain_10": Fault(lambda v, column, rng: 10.0 * v, "ten times the gain", True),
        "gain_20": Fault(lambda v, column, rng: 20.0 * v, "twenty times the gain", True),
        "gain_1000": Fault(lambda v, column, rng: 1000.0 * v, "a thousand times the gain", True),
        "gain_thousandth": Fault(lambda v, column, rng: 1e-3 * v, "volts that were taken for millivolts", True),
        "sign": Fault(lambda v, column, rng: -v, "the wrong sign", True, LARGE_STEP),
        "no_cell_noise": Fault(_noise, "no cell at all", True),
        "no_cell_constant": Fault(_constant, "an amplifier without a cell", True),
        "offset_14_mV": Fault(lambda v, column, rng: v + 14.0, "an offset of some 14 mV", False),
        "bridge_20_MOhm": Fault(_bridge, "a bridge that is some 20 MOhm off", False),
        "hum_half_mV": Fault(_hum, "hum of some 0.5 mV", False),
        "dying": Fault(_dying, "a cell that is dying, a third of its voltage lost within the sweep", False),
        "onset_20_ms": Fault(_late, "a step that began some 20 ms earlier than told", False),
    }
)
"""What is planted in traces, by its name."""


def planted(
    faults: dict[str, Fault],
    theta: Array,
    context: Array,
    nuisances: Nuisances,
    rng: np.random.Generator,
    names: Sequence[str] = CELL,
) -> dict[str, Array]:
    """Simulate sweeps once, and measure them as they are and with each fault.

    Args:
        faults: By their names.
        theta: Shape (s, p).
        context: Shape (s, c), with the true holding.
        nuisances: Of the process.
        rng: Source of randomness.
        names: Of the parameters.

    Returns:
        Features by the fault's name, "none" without one, shape (s, f), NaN where missing.
    """
    found: dict[str, Array] = {}
    seed = int(rng.integers(2**62))

    def spoil(samples: npt.NDArray[np.float32], sizes: npt.NDArray[np.int64], column: Columns) -> None:
        for name, fault in faults.items():
            other = np.zeros_like(samples)
            of_fault = np.random.default_rng([seed, len(found)])
            for k, size in enumerate(sizes):
                told = {key: float(values[k]) for key, values in column.items()}
                spoiled = fault.spoil(samples[k, :size].astype(np.float64), told, of_fault)
                other[k, :size] = np.clip(spoiled, -_LARGEST, _LARGEST)
            found[name] = features_of(other, sizes, column)

    clean = simulate(theta, context, nuisances, rng, names=names, spoil=spoil)
    return {"none": clean} | found
