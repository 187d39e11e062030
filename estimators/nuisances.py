"""This file is the nuisances: what every sweep is made with beside theta and its command, and nobody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.cell import CELL
from estimators.changes import NONE, Changes
from estimators.process import process_of
from simulators.electrode import KNOBS
from simulators.parameter import Scale

__all__ = ["OFF", "Nuisances", "Rigs", "rigs"]

OFF = (0.0, 0.0)
"""Range of a nuisance that is not there."""


@dataclass(frozen=True)
class Nuisances:
    """Ranges of what is drawn and not asked for.

    From the pipette's capacitance to the digitizer's step they are off at (0, 0), as they are by default, and then draw
    no random number: what a spec without them makes stays what it was. The three before the changes are drawn by a
    process whose bath has them; their defaults are what Bernaerts et al. (2025) have.

    Args:
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        corner: Corner of the amplifier's low-pass, log-uniform [kHz].
        white: White noise behind it, log-uniform [mV rms].
        hum: Amplitude of the mains hum [mV].
        drift: Standard deviation of a sweep's drift [mV/s].
        walk: Time in which theta forgets itself, log-uniform [s].
        series: Series resistance before compensation [MOhm]; drawn where there is a capacitance, for it shows by it.
        capacitance: Of the pipette, less what is neutralized [pF].
        flicker: 1/f noise between 1 Hz and 1 kHz [mV rms].
        junction: Junction potential that nobody has subtracted [mV].
        adc_range: Largest magnitude that the digitizer takes [mV].
        adc_step: From one of its codes to the next [mV].
        E_Ca: Calcium reversal potential [mV].
        temperature: Of the bath [degrees C].
        membrane_noise: Current noise of the membrane, log-uniform [pA ms^0.5].
        changes: What becomes of theta within minutes; by default nothing, and then nothing is drawn for it.

    References:
        Bernaerts et al. (2025), Patterns 6, 101323. https://doi.org/10.1016/j.patter.2025.101323
    """

    E_Na: tuple[float, float] = (45.0, 70.0)
    E_K: tuple[float, float] = (-107.0, -80.0)
    corner: tuple[float, float] = (2.0, 10.0)
    white: tuple[float, float] = (0.02, 0.5)
    hum: tuple[float, float] = (0.0, 0.2)
    drift: float = 0.3
    walk: tuple[float, float] = (3e4, 3e7)
    series: tuple[float, float] = (5.0, 25.0)
    capacitance: tuple[float, float] = OFF
    flicker: tuple[float, float] = OFF
    junction: tuple[float, float] = OFF
    adc_range: tuple[float, float] = OFF
    adc_step: tuple[float, float] = OFF
    E_Ca: tuple[float, float] = (127.2, 127.2)
    temperature: tuple[float, float] = (25.0, 25.0)
    membrane_noise: tuple[float, float] = (2.0, 2.0)
    changes: Changes = NONE


@dataclass(frozen=True, eq=False)
class Rigs:
    """What sweeps are made with beside theta and the command: drawn without a look at either.

    Args:
        electrodes: The knobs of `simulators.electrode`, one row a sweep, shape (s, k).
        bath: What else surrounds the cells, as `estimators.process.Process.recorded` takes it, shape (s, j).
    """

    electrodes: npt.NDArray[np.float64]
    bath: npt.NDArray[np.float64]

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> Rigs:
        return Rigs(self.electrodes[rows], self.bath[rows])


def rigs(
    theta: npt.NDArray[np.float64],
    nuisances: Nuisances,
    rng: np.random.Generator,
    of_cell: npt.NDArray[np.int64] | None = None,
    names: Sequence[str] = CELL,
) -> Rigs:
    """Draw what else each sweep is made with, before any current is chosen.

    Args:
        theta: As `simulate`.
        nuisances: As `simulate`.
        rng: Source of randomness.
        of_cell: As `simulate`.
        names: As `simulate`.

    Returns:
        One row a sweep.

    Raises:
        ProcessError: If the names are those of no process.
        ValueError: If theta has another number of parameters than there are names.
    """
    if theta.shape[1] != len(names):
        raise ValueError(f"Theta has {theta.shape[1]} parameters; {len(names)} were named: {', '.join(names)}.")
    process = process_of(names)
    s = len(theta)
    of_cell = np.arange(s) if of_cell is None else of_cell
    cells = int(of_cell[-1]) + 1
    electrodes = np.zeros((s, len(KNOBS)))
    electrodes[:, 0] = theta[:, process.bridge]
    electrodes[:, 1] = theta[:, process.offset]
    electrodes[:, 2] = _log_uniform(rng, nuisances.corner, cells)[of_cell]
    electrodes[:, 3] = _log_uniform(rng, nuisances.white, cells)[of_cell]
    electrodes[:, 4] = (rng.uniform(*nuisances.hum, cells)[of_cell] * rng.uniform(0.5, 1.0, s)) * (rng.random(s) < 0.8)
    electrodes[:, 5] = np.where(rng.random(cells) < 0.5, 50.0, 60.0)[of_cell]
    electrodes[:, 6] = rng.uniform(0.0, 2 * np.pi, s)
    electrodes[:, 7] = rng.normal(0.0, nuisances.drift, s)
    drawn = {name: _drawn(rng, scale, getattr(nuisances, name), cells) for name, scale in process.bath.items()}
    bath = process.immersed({name: values[of_cell] for name, values in drawn.items()})
    for name in ("series", "capacitance", "flicker", "junction", "adc_range", "adc_step"):
        low, high = getattr(nuisances, name)
        # Without a capacitance, nothing shows of the series resistance.
        if getattr(nuisances, "capacitance" if name == "series" else name) != OFF:
            electrodes[:, KNOBS.index(name)] = rng.uniform(low, high, cells)[of_cell]
    return Rigs(electrodes, bath)


def _drawn(rng: np.random.Generator, scale: Scale, bounds: tuple[float, float], count: int) -> npt.NDArray[np.float64]:
    return _log_uniform(rng, bounds, count) if scale == "log" else rng.uniform(*bounds, count)


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float], count: int) -> npt.NDArray[np.float64]:
    low, high = np.log(bounds)
    return np.exp(rng.uniform(low, high, count))
