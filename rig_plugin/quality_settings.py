"""This file is the quality's settings: the table [quality] of a rig file, where a recording stops being a good one.

The limits are those of the Allen Institute's quality control, and of what is common: an access that changes by a fifth
is another one, a spike is no spike below 40 mV. There the fast noise is the standard deviation within 1.5 ms, which is
above 0.7 kHz, and the slow one that within 0.5 s. Here they are read off the 50 ms before the step as two features:
`rest_noise_fast` is the root mean square of changes over 0.2 ms, over sqrt 2, so that it has half of the power at 0.8
kHz and all of it at 1.2; `rest_noise` is the standard deviation about a straight line, above some 20 Hz.

References:
    Allen Institute for Brain Science, ipfx: default criteria and epochs of its quality control.
        https://github.com/AllenInstitute/ipfx
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from rig_plugin.rule import GRADES, RULES, Alarm, Grade
from rig_plugin.toml_table import SettingsError, key

__all__ = ["QualitySettings"]

_RESTS: Mapping[str, float] = MappingProxyType({"pyramidal": -50.0, "interneuron": -45.0})
_SPIKES: Mapping[str, float] = MappingProxyType({"pyramidal": 0.0, "interneuron": math.inf})
_MILD = ("drift", "noise_fast", "noise_slow", "spike_height")
_PLACES: Mapping[Grade | None, str] = MappingProxyType({"stop": "stop", "warn": "warn", None: "off"})


@dataclass(frozen=True)
class QualitySettings:
    """Table [quality]: the limits of the named rules, and which of them stop, warn, or are off.

    Args:
        preset: What kind of cell the limits are for; an "interneuron" may rest at -45 mV and fire without a step.
        seal: Least seal before break-in [GOhm].
        formed: Seal that was reached, as a membrane test told it; None where nobody says [GOhm].
        access_warn: Access resistance from which there is a warning [MOhm].
        access_stop: Access resistance from which a cell is not to be used [MOhm].
        access_share: Largest share of the input resistance that the access may have.
        access_change: Largest change since the first test, as a share of it.
        holding: Largest current, either way, that may be needed to hold the cell [pA].
        rest: Highest rest [mV]; None takes the preset's.
        spikes_at_rest: Most spikes before the step; None takes the preset's.
        drift: Largest change of the rest from one sweep to the next [mV].
        noise_fast: Largest noise of the baseline above 1 kHz, rms [mV].
        noise_slow: Largest noise of the baseline above 20 Hz, rms [mV].
        spike_height: Least height of the first spike, from threshold to peak [mV].
        stop: Rules that stop, whatever they do by default.
        warn: Rules that warn.
        off: Rules that are not applied.
    """

    preset: str = key("pyramidal", "preset", one_of=tuple(_RESTS))
    seal: float = key(1.0, "seal_GOhm", low=0.01, high=100.0)
    formed: float | None = key(None, "formed_seal_GOhm", low=0.0, high=1000.0)
    access_warn: float = key(20.0, "access_warn_MOhm", low=1.0, high=200.0)
    access_stop: float = key(30.0, "access_stop_MOhm", low=1.0, high=200.0)
    access_share: float = key(0.15, "access_share", low=0.01, high=1.0)
    access_change: float = key(0.2, "access_change", low=0.01, high=10.0)
    holding: float = key(100.0, "holding_pA", low=1.0, high=10_000.0)
    rest: float | None = key(None, "rest_mV", low=-100.0, high=-30.0)
    spikes_at_rest: int | None = key(None, "spikes_at_rest", low=0, high=100_000)
    drift: float = key(1.0, "drift_mV", low=0.01, high=100.0)
    noise_fast: float = key(0.07, "noise_fast_mV", low=0.001, high=100.0)
    noise_slow: float = key(0.5, "noise_slow_mV", low=0.001, high=100.0)
    spike_height: float = key(40.0, "spike_height_mV", low=0.0, high=150.0)
    stop: tuple[str, ...] = key((), "stop", one_of=GRADES)
    warn: tuple[str, ...] = key((), "warn", one_of=GRADES)
    off: tuple[str, ...] = key((), "off", one_of=GRADES)

    @property
    def highest_rest(self) -> float:
        """Highest rest that is given or the preset's [mV]."""
        return _RESTS[self.preset] if self.rest is None else self.rest

    @property
    def most_spikes(self) -> float:
        """Most spikes before the step that are given or the preset's."""
        return _SPIKES[self.preset] if self.spikes_at_rest is None else float(self.spikes_at_rest)

    def grade(self, rule: str) -> Grade | None:
        """Tell what a broken rule does.

        Args:
            rule: Its name.

        Returns:
            "stop", "warn", or None where the rule is off.
        """
        for grade, place in _PLACES.items():
            if rule in getattr(self, place):
                return grade
        return RULES[rule]

    def alarm(self, rule: str, said: str, *, is_mild: bool = False) -> tuple[Alarm, ...]:
        """Grade a rule that was broken.

        Args:
            rule: Its name.
            said: A sentence with value, limit and remedy.
            is_mild: Whether it can't be told for certain, so that it warns at most.

        Returns:
            The alarm; nothing where the rule is off.
        """
        grade = self.grade(rule)
        return () if grade is None else (Alarm(rule, "warn" if is_mild else grade, said),)

    def recorded(self) -> QualitySettings:
        """Give the rules for what is recorded already, and can't be recorded better.

        Returns:
            The same, but noise, drift and small spikes warn where they are not said to stop or to be off.
        """
        told = (*self.stop, *self.warn, *self.off)
        return replace(self, warn=(*self.warn, *(rule for rule in _MILD if rule not in told)))

    def check(self) -> None:
        """Refuse grades and limits that contradict each other.

        Raises:
            SettingsError: If a rule has two grades, or the access warns only where it stops already.
        """
        told = [*self.stop, *self.warn, *self.off]
        twice = next((rule for rule in told if told.count(rule) > 1), None)
        if twice is not None:
            raise SettingsError(f"[quality] names '{twice}' twice in stop, warn and off: once was wanted.")
        if self.access_warn > self.access_stop:
            raise SettingsError(
                f"[quality] access_warn_MOhm is {self.access_warn:g} and access_stop_MOhm {self.access_stop:g}: "
                "a warning that comes before the stop was wanted."
            )
