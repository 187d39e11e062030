"""This file is the patched cell: what every conductance-based simulator shares, an electrode and two clamps."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulators.course import PLAIN, Course, follow
from simulators.simulator import Simulator
from simulators.stimulus import Stimulus

__all__ = ["Patched", "takes_away"]


class Patched(Simulator):
    """A cell behind an electrode, in current clamp or in voltage clamp.

    In voltage clamp the amplifier holds its command behind the series resistance, which nothing compensates, and the
    answer is the current through it: C dV/dt = (command - offset - V)/R_s - I_ion. The bridge error has no part in it.

    Args:
        corner: Corner of the amplifier's low-pass [kHz].
        white: White noise behind it in current clamp [mV rms].
        series_resistance: Between the amplifier and the membrane, in voltage clamp [MOhm].
        white_current: White noise behind the low-pass in voltage clamp [pA rms].

    Raises:
        ValueError: If the series resistance is not positive.
    """

    clamps = ("current", "voltage")

    def __init__(
        self, corner: float = 6.0, white: float = 0.05, series_resistance: float = 10.0, white_current: float = 2.0
    ) -> None:
        if not (math.isfinite(series_resistance) and series_resistance > 0):
            raise ValueError(f"Series resistance is {series_resistance} MOhm, a positive one was wanted.")
        self.corner, self.white = corner, white
        self.series_resistance, self.white_current = series_resistance, white_current

    def _follow(
        self,
        cells: npt.NDArray[np.float64],
        reversals: npt.NDArray[np.float64],
        electrode: npt.NDArray[np.float64],
        stimulus: Stimulus,
        rate: float,
        rng: np.random.Generator,
        has: int = PLAIN,
    ) -> npt.NDArray[np.float64]:
        """Answer in either clamp, with doses.

        Args:
            cells: Shape (b, e, 15), in the order of `simulators.compartments.constants`.
            reversals: E_Na, E_K, E_Ca, E_h, shape (b, 4) [mV].
            electrode: Bridge error [MOhm] and offset [mV], shape (b, 2).
            stimulus: With e epochs.
            rate: Sampling rate [kHz].
            rng: Source of randomness.
            has: Channels and compartments, of `simulators.compartments`, or PLAIN.

        Returns:
            Response, shape (b, n) [mV or pA].
        """
        b = len(cells)
        clamped = stimulus.clamp == "voltage"
        electrodes = np.zeros((b, 8))
        electrodes[:, 2], electrodes[:, 5] = self.corner, 50.0
        electrodes[:, 3] = self.white_current if clamped else self.white
        levels = np.tile([epoch.level for epoch in stimulus.epochs], (b, 1))
        if clamped:
            levels = levels - electrode[:, 1, None]
        else:
            electrodes[:, :2] = electrode
        ends = np.tile(np.cumsum([epoch.duration for epoch in stimulus.epochs]), (b, 1))
        resistance = np.full(b, 1e-3 * self.series_resistance) if clamped else None
        if has == PLAIN and takes_away(stimulus):
            has = 0
        course = Course(cells, reversals, electrodes, ends, levels, resistance, has)
        return follow(course, rate, rng).astype(np.float64)


def takes_away(stimulus: Stimulus) -> bool:
    """Tell whether a dose can leave a membrane without conductance, which only the wider kernel can integrate.

    Args:
        stimulus: With its doses.

    Returns:
        True where a dose blocks leak, or takes away of anything by a fixed amount.
    """
    doses = [dose for epoch in stimulus.epochs for dose in epoch.doses]
    return any(dose.added < 0 or (dose.conductance == "g_leak" and dose.factor < 1) for dose in doses)
