"""This file is the protocol's settings: the family of current steps that a rig file asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hardware.forepulse import with_forepulse
from hardware.pulse import PulseError
from rig_plugin.toml_table import SettingsError, key
from simulators.limits import Limits
from simulators.stimulus import Stimulus
from simulators.stimulus import step as current_step

__all__ = ["CHOOSERS", "LONGEST_FAMILY", "ProtocolSettings"]

CHOOSERS = ("family", "suggest", "accept", "automatic")
"""Who chooses the steps."""

LONGEST_FAMILY = 1000
"""Sweeps of a family that is given by start, stop and step."""


@dataclass(frozen=True)
class ProtocolSettings:
    """Table [protocol]: the family of current steps that is played.

    Args:
        amplitudes: Heights above the holding [pA]; empty where start, stop and step say it.
        start: First amplitude [pA].
        stop: Last amplitude [pA].
        step: From one amplitude to the next [pA].
        onset: Start of the step [ms].
        duration: Length of the step [ms].
        tail: Time kept after the step [ms].
        interval: From the start of one sweep to the start of the next, 2 s at least before a cell [ms].
        holding: Current before and after the step [pA].
        gap_free: Where it is not 0, no step is played, and the holding is recorded without gaps for so long [ms].
        test_pulse: Size of the pulse that each sweep begins with, 0 for none [pA].
        test_duration: Length of that pulse [ms].
        recovery: Time from that pulse to the step, where onset is shorter [ms].
        chosen_by: Who chooses the steps. "family": it is played as it stands. "suggest": so it is, and what would teach
            the most is told beside it. "accept": what would teach the most waits for a word. "automatic": it is
            played, until a sweep is not trusted.
    """

    amplitudes: tuple[float, ...] = key((), "amplitudes_pA")
    start: float = key(-100.0, "start_pA")
    stop: float = key(350.0, "stop_pA")
    step: float = key(50.0, "step_pA")
    onset: float = key(200.0, "onset_ms", low=50.0, high=10_000.0)
    duration: float = key(500.0, "duration_ms", low=1.0, high=60_000.0)
    tail: float = key(300.0, "tail_ms", low=1.0, high=60_000.0)
    interval: float = key(5000.0, "interval_s", low=0.0, high=3600.0, factor=1000.0)
    holding: float = key(0.0, "holding_pA")
    gap_free: float = key(0.0, "gap_free_s", low=0.0, high=86_400.0, factor=1000.0)
    test_pulse: float = key(0.0, "test_pulse_pA", low=-100.0, high=100.0)
    test_duration: float = key(100.0, "test_pulse_ms", low=20.0, high=1000.0)
    recovery: float = key(150.0, "recovery_ms", low=20.0, high=10_000.0)
    chosen_by: str = key("family", "chosen_by", one_of=CHOOSERS)

    @property
    def has_no_end(self) -> bool:
        """Whether its steps never arrive, or after too many sweeps."""
        if self.amplitudes:
            return False
        return not (self.step and 0 <= (self.stop - self.start) / self.step <= LONGEST_FAMILY)

    def steps(self) -> tuple[float, ...]:
        """List the heights of its steps above the holding.

        Returns:
            In the order of play [pA]; of one that has no end, there is nothing to list.
        """
        count = math.floor((self.stop - self.start) / self.step + 1e-9) + 1 if self.step else 0
        return self.amplitudes or tuple(self.start + k * self.step for k in range(count))

    def stimuli(self) -> tuple[Stimulus, ...]:
        """Lay out the family in the order of play.

        Returns:
            One current step an amplitude, given one by one or from start to stop, each behind the test pulse.
        """
        return tuple(self.around(amplitude) for amplitude in self.steps())

    def around(self, amplitude: float, *, holding: float | None = None, duration: float | None = None) -> Stimulus:
        """Lay out one sweep, as those of the family are.

        Args:
            amplitude: Of its step, above the holding [pA].
            holding: Current before and after it, or None for the family's [pA].
            duration: Of the step, or None for the family's [ms].

        Returns:
            The step behind the test pulse, where there is one.

        Raises:
            PulseError: If that is no pulse for a membrane test.
        """
        held, lasts = self.holding if holding is None else holding, self.duration if duration is None else duration
        step = current_step(amplitude, holding=held, onset=self.onset, duration=lasts, tail=self.tail)
        if not self.test_pulse:
            return step
        return with_forepulse(step, self.test_pulse, self.test_duration, self.recovery)

    def faults(self, limits: Limits) -> dict[str, str]:
        """Say what of it can't be played, field by field.

        Args:
            limits: What may be put into the cell.

        Returns:
            {name of the field: a sentence with the remedy}; empty where all of it can.
        """
        if self.has_no_end:
            return {
                "step": f"The family goes from {self.start:g} to {self.stop:g} pA by {self.step:g} pA, a step_pA that "
                f"arrives in at most {LONGEST_FAMILY} sweeps was wanted."
            }
        try:
            stimuli = self.stimuli()
        except PulseError as error:
            return {"test_pulse": str(error)}
        for stimulus in stimuli:
            try:
                limits.check(stimulus)
            except ValueError as error:
                return {self._blamed(stimulus, limits): str(error)}
        return {}

    def check(self, limits: Limits) -> None:
        """Refuse what can't be played.

        Args:
            limits: What may be put into the cell.

        Raises:
            SettingsError: With the first of the faults.
        """
        for fault in self.faults(limits).values():
            raise SettingsError(f"[protocol] {fault}")

    def _blamed(self, stimulus: Stimulus, limits: Limits) -> str:
        """Tell which field takes a stimulus out of the limits."""
        if not limits.low <= self.holding <= limits.high:
            return "holding"
        if not limits.low <= self.holding + self.test_pulse <= limits.high:
            return "test_pulse"
        if stimulus.duration > limits.duration:
            return "duration"
        if self.amplitudes:
            return "amplitudes"
        return "stop" if limits.low <= self.holding + self.start <= limits.high else "start"
