"""This file is the patched cell: what every conductance-based simulator shares, an electrode and two clamps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.course import Course, follow
from simulators.electrode import IDEAL, Electrode
from simulators.simulator import Simulator
from simulators.stimulus import Clamp, Stimulus

__all__ = ["Patched", "takes_away"]

_Array = npt.NDArray[np.float64]


class Patched(Simulator):
    """A cell behind an electrode, in current clamp or in voltage clamp.

    In voltage clamp the amplifier holds its command behind the series resistance, which nothing compensates, and the
    answer is the current through it: C dV/dt = (command - offset - junction - V)/R_s - I_ion. What the electrode's
    knobs do in either clamp is told with `simulators.electrode.Electrode`.

    Args:
        electrode: What the cell is seen through.
    """

    clamps: tuple[Clamp, ...] = ("current", "voltage")

    def __init__(self, electrode: Electrode = IDEAL) -> None:
        self.electrode = electrode

    def _wired(
        self,
        stimulus: Stimulus,
        count: int,
        rng: np.random.Generator,
        bridge: _Array | float = 0.0,
        offset: _Array | float = 0.0,
    ) -> tuple[_Array, _Array, _Array]:
        """Tell what cells are seen through, and what reaches them.

        Args:
            stimulus: With e epochs.
            count: How many cells.
            rng: Source of what the electrode draws.
            bridge: The cells' own bridge errors, shape (count,) [MOhm].
            offset: The cells' own offsets, shape (count,) [mV].

        Returns:
            Electrodes, shape (count, knobs), in the order of `simulators.electrode.KNOBS`; end of each epoch, shape
            (count, e) [ms]; command of each, shape (count, e) [pA or mV].
        """
        clamped = stimulus.clamp == "voltage"
        electrodes = self.electrode.rows(clamped, count, rng, bridge, offset)
        ends = np.tile(np.cumsum([epoch.duration for epoch in stimulus.epochs]), (count, 1))
        commands = np.array([epoch.level for epoch in stimulus.epochs])
        return electrodes, ends, self.electrode.levels(commands, clamped, count, offset)

    def _impaled(self, stimulus: Stimulus, count: int, rng: np.random.Generator) -> tuple[_Array | None, _Array, float]:
        """Tell the same where cells have no offset of their own, and so one command.

        Args:
            stimulus: With e epochs.
            count: How many cells.
            rng: Source of what the electrode draws.

        Returns:
            Electrodes, shape (count, knobs), or None where there is nothing but a voltage to be seen; command of each
            epoch, shape (e,) [pA or mV]; conductance of the series resistance in voltage clamp, else 0 [nS].
        """
        clamped = stimulus.clamp == "voltage"
        commands = np.array([epoch.level for epoch in stimulus.epochs])
        bare = not clamped and self.electrode.leaves_alone(clamped)
        electrodes = None if bare else self.electrode.rows(clamped, count, rng)
        # mV through MOhm are nA, so that 1000/MOhm is in nS.
        return electrodes, self.electrode.levels(commands, clamped, 1)[0], 1000.0 / self.electrode.series * clamped

    def _follow(
        self,
        cells: _Array,
        reversals: _Array,
        own: _Array,
        stimulus: Stimulus,
        rate: float,
        rng: np.random.Generator,
        has: int | None = None,
    ) -> _Array:
        """Answer in either clamp, with doses.

        Args:
            cells: Shape (b, e, 17), in the order of `simulators.compartments.constants`.
            reversals: E_Na, E_K, E_Ca, E_h, shape (b, 4) [mV].
            own: The cells' own bridge error [MOhm] and offset [mV], shape (b, 2).
            stimulus: With e epochs.
            rate: Sampling rate [kHz].
            rng: Source of randomness.
            has: Channels and compartments, of `simulators.beside`, or None for a plain cell.

        Returns:
            Response, shape (b, n) [mV or pA].
        """
        electrodes, ends, levels = self._wired(stimulus, len(cells), rng, *own.T)
        clamped = stimulus.clamp == "voltage"
        if has is None and (clamped or takes_away(stimulus)):
            has = 0
        course = Course(cells, reversals, electrodes, ends, levels, clamped, has)
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
