"""This file is the injected conductance: what a dynamic clamp adds to a cell, or takes from it, as fixed numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.electrode import KNOBS
from simulators.gate_table import GateTable

__all__ = ["Device", "Injected"]

_FILTER = 0.33644
"""Delay of a four-pole Bessel low-pass at low frequencies, times its corner."""

_GATES = 3

Device = tuple[
    npt.NDArray[np.float32],
    npt.NDArray[np.float32],
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.int64],
]
"""What `simulators.injector` takes: steady state and share of its way that a gate goes in a cycle, both of shape
(gates, points); exponents, shape (gates,); first voltage, step [mV], reversal potential [mV], maximum [nS], clip [pA];
steps of a cycle and rows of what is remembered."""


@dataclass(frozen=True, eq=False)
class Injected:
    """One conductance with gates of its own, which looks at the amplifier's voltage and answers with a current.

    What it sees is the membrane with what the bridge leaves of all current that flows, and the offset, as late as the
    low-pass lets it through; noise and codes of the digitizer are left out, for a hundredth of a millivolt moves 10 nS
    by 0.1 pA.

    Args:
        gates: At most three, on one grid of voltages as the amplifier shows them; without any it is a leak.
        reversal: Reversal potential, as the amplifier shows it [mV].
        maximum: Maximal conductance, below zero where it takes away [nS].
        delay: From a voltage to the middle of the current that answers it, half a cycle included; the low-pass comes
            on top [ms].
        cycle: How long each current is held; rounded to whole integration steps, at least one [ms].
        clip: Largest magnitude of the current [pA].

    Raises:
        ValueError: If a number can't be a clamp's, or gates differ in their grids.
    """

    gates: tuple[GateTable, ...]
    reversal: float
    maximum: float
    delay: float = 0.1
    cycle: float = 0.05
    clip: float = 2000.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "gates", tuple(self.gates))
        if not (math.isfinite(self.reversal) and math.isfinite(self.maximum)):
            raise ValueError(
                f"The injected conductance is {self.maximum} nS and reverses at {self.reversal} mV, finite numbers "
                "were wanted."
            )
        if not (0.0 <= self.delay <= 10.0 and 0.0 < self.cycle <= 1.0 and math.isfinite(self.clip) and self.clip > 0):
            raise ValueError(
                f"The clamp's delay is {self.delay} ms, its cycle {self.cycle} ms and its clip {self.clip} pA; 0 to "
                "10 ms, more than 0 to 1 ms and a positive current were wanted."
            )
        grids = {(gate.first, gate.step, gate.steady.size) for gate in self.gates}
        if len(self.gates) > _GATES or len(grids) > 1:
            raise ValueError(
                f"The injected conductance has {len(self.gates)} gates on {len(grids)} grids; at most {_GATES} on one "
                "were wanted."
            )

    def device(self, dt: float, lags: npt.NDArray[np.float64]) -> Device:
        """Lay it out for a kernel.

        Args:
            dt: Integration step [ms].
            lags: As `lags` gives them.

        Returns:
            The numbers.
        """
        steps = self._steps(dt)
        grid = self.gates[0] if self.gates else None
        points = grid.steady.size if grid else 2
        steady, share = np.zeros((len(self.gates), points), np.float32), np.zeros((len(self.gates), points), np.float32)
        for k, gate in enumerate(self.gates):
            steady[k], share[k] = gate.steady, -np.expm1(-steps * dt / gate.tau)
        first, step = (grid.first, grid.step) if grid else (0.0, 1.0)
        numbers = np.array([first, step, self.reversal, self.maximum, self.clip])
        rows = int(np.ceil(lags.max(initial=0.0) + 0.5 * steps)) + 3
        exponents = np.array([gate.exponent for gate in self.gates], dtype=np.int64)
        return steady, share, exponents, numbers, np.array([steps, rows], dtype=np.int64)

    def lags(self, electrodes: npt.NDArray[np.float64], dt: float) -> npt.NDArray[np.float64]:
        """Tell how far back each lane's clamp looks from the beginning of a cycle.

        Args:
            electrodes: The knobs, shape (b, k), in the order of `simulators.electrode.KNOBS`.
            dt: Integration step [ms].

        Returns:
            Shape (b,) [integration steps]; below zero, by half a cycle at most, where the delay is shorter than that.
        """
        corner = electrodes[:, KNOBS.index("corner")]
        late = np.where(corner > 0.0, _FILTER / np.where(corner > 0.0, corner, 1.0), 0.0)
        return np.asarray((self.delay + late) / dt - 0.5 * self._steps(dt))

    def _steps(self, dt: float) -> int:
        return max(1, round(self.cycle / dt))
