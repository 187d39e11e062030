"""This file is the patch's course: what a simulated pipette has before it, from the bath to a lost cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rig_plugin.patch_settings import PatchSettings
from rig_plugin.simulated_cell import SimulatedCell
from simulators.electrode import Electrode
from simulators.injected import Injected
from simulators.parameter import Parameter
from simulators.passive import Passive
from simulators.stimulus import Stimulus

__all__ = ["PatchCourse"]

_MINUTE = 60_000.0  # [ms]
_MORE = 0.25
"""Spread of a cell's capacitance and conductances about the first's, as a standard deviation of the logarithm."""

_SHIFT = 2.0  # [mV]
_PATCH = 1.0  # [pF]
_LEAST = 1.0  # [MOhm]
_DEAD = -20.0  # [mV]
_DOUBLINGS = 10.0
_SEAL_LEAK = 2.0  # [nS]
_VOLTAGES = ("E_leak", "V_T")
_KEPT = ("bridge", "offset", "noise", "rate_factor", "tau_max", "r_SS", "tau")
_SODIUM = ("g_Na", "g_Nat")
_CHANNELS = (*_SODIUM, "g_K", "g_Kd", "g_M", "g_Kv31", "g_L")


@dataclass(frozen=True, eq=False)
class PatchCourse:
    """A pipette's day, in its own time.

    Args:
        cell: Kind of the cells.
        first: Values of the first cell, by parameter; the next are drawn about it.
        electrode: What they are seen through.
        settings: When what happens.
        rest_drift: Shift of E_leak [mV/min].
        seed: Of the cells after the first.
    """

    cell: SimulatedCell
    first: Mapping[str, float]
    electrode: Electrode
    settings: PatchSettings
    rest_drift: float = 0.0
    seed: int = 0

    def simulate(
        self,
        elapsed: float,
        stimulus: Stimulus,
        rate: float,
        rng: np.random.Generator,
        injected: Injected | None = None,
    ) -> npt.NDArray[np.float64]:
        """Answer with what is before the pipette now.

        Args:
            elapsed: Time since the first sweep [ms].
            stimulus: What is put out.
            rate: Sampling rate [kHz].
            rng: Source of randomness of the answer; which cells there are does not depend on it.
            injected: What a dynamic clamp adds to a cell; glass takes none.

        Returns:
            Response, shape (n,) [mV or pA].
        """
        settings = self.settings
        before = settings.bath + settings.sealing + settings.seal
        number, since = divmod(elapsed, before + settings.lasts) if settings.lasts else (0.0, elapsed)
        if since < before:
            return self._glass(self._between(since), stimulus, rate, rng)
        values = self._cell(int(number))
        whole = since - before
        leak = "E_leak"
        values[leak] += self.rest_drift * elapsed / _MINUTE
        electrode = self._worsen(values, whole / _MINUTE)
        # A cell that has drifted out of the simulator's bounds stays there: it is not the rig that has failed.
        held = {bound.name: _held(bound, values[bound.name]) for bound in self.cell.parameters}
        return self.cell.simulate(held, electrode, stimulus, rate, rng, injected)

    def _between(self, since: float) -> float:
        """Give the resistance between pipette and ground before break-in [MOhm]."""
        settings = self.settings
        if since < settings.bath:
            return settings.pipette
        sealed = 1e3 * settings.sealed
        if since >= settings.bath + settings.sealing:
            return sealed
        share = (since - settings.bath) / settings.sealing
        return float(settings.pipette * (sealed / settings.pipette) ** share)

    def _glass(
        self, resistance: float, stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Answer with glass and solution alone."""
        series = self.settings.pipette / 2.0
        pipette = Passive(electrode=replace(self.electrode, series=series))
        leak = 1e3 / max(resistance - series, _LEAST)
        return np.asarray(pipette.simulate(np.array([[_PATCH, leak, 0.0]]), stimulus, rate, rng)[0])

    def _cell(self, number: int) -> dict[str, float]:
        """Draw a cell; the first is the one that was described."""
        values = dict(self.first)
        if not number:
            return values
        rng = np.random.default_rng((self.seed, number))
        for name in values:
            drawn = rng.normal()
            if name in _VOLTAGES:
                values[name] += _SHIFT * drawn
            elif name not in _KEPT:
                values[name] *= math.exp(_MORE * drawn)
        return values

    def _worsen(self, values: dict[str, float], minutes: float) -> Electrode:
        """Let a cell have its fault, in place; give the electrode that it is seen through."""
        fault, electrode = self.settings.fault, self.electrode
        if fault == "dead":
            _scale(values, _CHANNELS, 0.02)
            _leak(values, 4.0)
            values["E_leak"] = _DEAD
        elif fault == "dying":
            _leak(values, 2.0 ** min(minutes / 2.0, _DOUBLINGS))
            values["E_leak"] += 4.0 * minutes
        elif fault == "leaky":
            own = _own(values)
            _leak(values, 1.0 + _SEAL_LEAK / own)
            values["E_leak"] *= own / (own + _SEAL_LEAK)
        elif fault == "silent":
            _scale(values, _SODIUM, 0.05)
        elif fault == "clogging":
            series = min(electrode.series * 2.0 ** min(minutes, _DOUBLINGS), 200.0)
            values["bridge"] += series - electrode.series
            return replace(electrode, series=series)
        return electrode


def _own(values: Mapping[str, float]) -> float:
    """Give a cell's leak [nS]; mS/cm2 times pF are nS where a square centimetre has a microfarad."""
    return 1e3 / values["R_in"] if "R_in" in values else values["g_leak"] * values["C"]


def _leak(values: dict[str, float], factor: float) -> None:
    """Let a cell leak so many times as much, in place."""
    if "R_in" in values:
        values["R_in"] /= factor
        values["tau"] /= factor
    else:
        values["g_leak"] *= factor


def _scale(values: dict[str, float], names: Sequence[str], factor: float) -> None:
    """Change conductances that a cell has, in place."""
    for name in names:
        if name in values:
            values[name] *= factor


def _held(bound: Parameter, value: float) -> float:
    return min(max(value, bound.low), bound.high)
