"""This file is the quality: a sweep is held against the named rules of a good recording before a network sees it.

What breaks a rule that stops is saved and measured, and not inferred from. A sweep without a living cell is among that:
cells that were driven far up are among those of training, so no distance from them tells a pipette in the bath.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hardware.amplifier import Reading
from hardware.forepulse import membrane_before
from hardware.rig import ARBITRARY, Gain
from rig_plugin.access import access_alarms, holding_alarms, seal_alarms
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rule import Alarm, stopping
from simulators.sweep import Sweep

__all__ = ["DEAD", "REST", "Quality", "no_cell", "no_scale", "no_voltage"]

_MEMBRANE = 150.0

DEAD, REST = -30.0, -50.0
"""Voltages at rest above which there is no living cell, and above which it may be dying [mV]."""

_SAME = 1.0
"""Holding currents that differ by less are one, as an amplifier's monitor has its noise [pA]."""

_DEPOLARIZING = 5.0
"""Holding from which the voltage before the step is no rest [pA]."""


class Quality:
    """The rules, and what they have to know of the sweeps before: one for each cell.

    Args:
        rules: Limits and grades.
    """

    def __init__(self, rules: QualitySettings | None = None) -> None:
        self._rules = rules or QualitySettings()
        self._rest: tuple[float, float] | None = None
        self._access = math.nan

    def judge(self, sweep: Sweep, features: Mapping[str, float], reading: Reading | None = None) -> tuple[Alarm, ...]:
        """Hold a sweep against the rules that it can answer; what is unknown breaks none.

        Args:
            sweep: The whole of it, nothing lost.
            features: NaN where missing.
            reading: How the amplifier stood before it, or None.

        Returns:
            Rules that it breaks, the graver first; what the next sweep is compared with is kept.
        """
        said = no_cell(features["rest"])
        if said is not None:
            return self._rules.alarm("cell", said)
        found = (
            *seal_alarms(self._rules.formed, self._rules),
            *self._of_access(sweep, features, reading),
            *holding_alarms(_held(sweep), self._rules),
            *self._of_rest(sweep, features),
            *self._of_noise(features),
            *self._of_spike(features),
        )
        if sweep.stimulus is not None and sweep.stimulus.is_dosed:
            # A cell under a drug may rest elsewhere, by intention, and the cell without it is not compared with that.
            return tuple(sorted(found, key=lambda alarm: alarm.grade != "stop"))
        drift = self._of_drift(sweep, features["rest"])
        # What was refused is nothing to compare with; a rest that has moved for good is.
        if sweep.stimulus is not None and math.isfinite(features["rest"]) and stopping(found) is None:
            self._rest = (sweep.stimulus.holding, features["rest"])
        found += drift
        return tuple(sorted(found, key=lambda alarm: alarm.grade != "stop"))

    def _of_access(self, sweep: Sweep, features: Mapping[str, float], reading: Reading | None) -> tuple[Alarm, ...]:
        """Take the access from the bridge that balances it; a bridge of 0 is one that is off."""
        if reading is None or not reading.bridge.value:
            return ()
        access = reading.bridge.value + (reading.residual.value or 0.0)
        pulse = membrane_before(sweep)
        resistance = features["input_resistance"] if pulse is None else pulse.resistance
        found = access_alarms(access, resistance, self._access, self._rules)
        if math.isnan(self._access):
            self._access = access
        return found

    def _of_rest(self, sweep: Sweep, features: Mapping[str, float]) -> tuple[Alarm, ...]:
        rest, rules = features["rest"], self._rules
        found: tuple[Alarm, ...] = ()
        if rest > rules.highest_rest:
            said = f"The rest is {rest:.1f} mV, above {rules.highest_rest:g} mV"
            # Who holds a cell up sees no rest of it.
            is_up = _held(sweep) > _DEPOLARIZING
            remedy = (
                f", at a holding of {_held(sweep):.0f} pA: lower that if it was not wanted."
                if is_up
                else ": the cell may be dying, patch another, or give rest_mV of its kind in [quality]."
            )
            found += rules.alarm("rest", said + remedy, is_mild=is_up)
        if features["spikes_before"] > rules.most_spikes:
            said = (
                f"The cell fired {features['spikes_before']:.0f} times before the step, {rules.most_spikes:.0f} at "
                'most was wanted: hold it lower, or give preset = "interneuron" if its kind does.'
            )
            found += rules.alarm("spikes_at_rest", said)
        return found

    def _of_drift(self, sweep: Sweep, rest: float) -> tuple[Alarm, ...]:
        """Compare the rest with that of the last good sweep, where it was held the same."""
        before = self._rest
        if before is None or sweep.stimulus is None or abs(before[0] - sweep.stimulus.holding) > _SAME:
            return ()
        if not abs(rest - before[1]) > self._rules.drift:
            return ()
        said = (
            f"The rest changed by {rest - before[1]:+.1f} mV since the last good sweep, {self._rules.drift:g} mV at "
            "most was wanted: wait until the cell is stable."
        )
        return self._rules.alarm("drift", said)

    def _of_noise(self, features: Mapping[str, float]) -> tuple[Alarm, ...]:
        rules = self._rules
        found: tuple[Alarm, ...] = ()
        if features["rest_noise_fast"] > rules.noise_fast:
            said = (
                f"The baseline noise above 1 kHz is {features['rest_noise_fast']:.3g} mV, above {rules.noise_fast:g} "
                "mV: check ground and filter."
            )
            found += rules.alarm("noise_fast", said)
        if features["rest_noise"] > rules.noise_slow:
            said = (
                f"The baseline noise is {features['rest_noise']:.2f} mV, above {rules.noise_slow:g} mV: check ground, "
                "hum and seal."
            )
            found += rules.alarm("noise_slow", said)
        return found

    def _of_spike(self, features: Mapping[str, float]) -> tuple[Alarm, ...]:
        height = features["peak"] - features["threshold"]
        if not height < self._rules.spike_height:
            return ()
        said = (
            f"The first spike is {height:.0f} mV high, less than {self._rules.spike_height:g} mV: neutralize the "
            "pipette's capacitance, hold the cell lower, or patch another."
        )
        return self._rules.alarm("spike_height", said)


def no_voltage(response: npt.NDArray[np.float64]) -> str | None:
    """Say why a response can't be a membrane's voltage.

    Args:
        response: The whole sweep, corrected, shape (n,) [mV].

    Returns:
        A sentence, or None where it can.
    """
    if not np.isfinite(response).all():
        return "The voltage is not finite: samples are missing, record the sweep again."
    extreme = float(response[np.argmax(np.abs(response))])
    if abs(extreme) > _MEMBRANE:
        return f"The voltage reaches {extreme:.0f} mV, which no membrane does: check gain and units."
    return None


def no_scale(gains: Mapping[str, Gain]) -> str | None:
    """Say why a response has no scale, without which nothing can be inferred from it.

    Args:
        gains: Of the rig.

    Returns:
        A sentence, or None where the scale is known.
    """
    if "response" in gains and gains["response"].source == ARBITRARY:
        return (
            "The scale of the response is arbitrary, so it is no voltage: calibrate the rig and enter what one code of "
            "its converter is."
        )
    return None


def no_cell(rest: float) -> str | None:
    """Say why there is no living cell.

    Args:
        rest: Voltage before the step [mV].

    Returns:
        A sentence, or None where nothing speaks against a cell.
    """
    if rest > DEAD:
        return f"The rest is {rest:.1f} mV, above {DEAD:g} mV: there is no cell, or a dead one; patch another."
    return None


def _held(sweep: Sweep) -> float:
    """Give the current that holds the cell, NaN where the amplifier may add its own unseen [pA]."""
    if sweep.stimulus is None or sweep.holding_source == "unknown":
        return math.nan
    return sweep.stimulus.holding
