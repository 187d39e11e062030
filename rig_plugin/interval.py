"""This file is the interval: from the start of one sweep to the start of the next."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from rig_plugin.toml_table import SettingsError
from rig_plugin.trial import Posterior
from simulators.gate_table import m_time_constant
from simulators.stimulus import Stimulus

__all__ = ["LEAST", "Interval", "check_interval"]

LEAST = 2000.0
"""Shortest interval where there is a cell [ms]."""

_FORGOTTEN = 3.0


class Interval:
    """Keeps the pace of a session.

    Args:
        duration: From the start of one sweep to the start of the next [ms]; 0 waits for nothing.
        rate_factor: By which the model multiplies the rate of its M current, on top of a parameter of that name.
    """

    def __init__(self, duration: float = 0.0, rate_factor: float = 1.0) -> None:
        self._duration, self._rate_factor = duration, rate_factor
        # Before the first there is nothing to wait for.
        self._begun = -math.inf
        self._is_told = False

    @property
    def duration(self) -> float:
        """From the start of one sweep to that of the next; 0 where nothing is waited for [ms]."""
        return self._duration

    def begin(self) -> None:
        """Note that a sweep begins."""
        self._begun = time.monotonic()

    @property
    def left(self) -> float:
        """Time until the next sweep may begin, 0 where it may [s]."""
        return max(0.0, self._begun + self._duration / 1e3 - time.monotonic()) if self._duration else 0.0

    def remark(self, posterior: Posterior | None, rest: float) -> str | None:
        """Say once that the M current has not forgotten one sweep when the next begins.

        Args:
            posterior: Given all sweeps so far, or None.
            rest: Where the cell waits [mV].

        Returns:
            A sentence, where three time constants of the M current at rest, by the posterior's median, are longer than
            the interval; None else, and after it was said.
        """
        tau = np.nan if posterior is None else _slowest(posterior, rest) / self._rate_factor
        if self._is_told or not 0.0 < self._duration < _FORGOTTEN * tau:
            return None
        self._is_told = True
        return (
            f"The M current takes about {tau / 1e3:.2g} s to settle at rest, and sweeps begin every "
            f"{self._duration / 1e3:g} s, less than three times that: what one sweep leaves is still there in the "
            f"next; set interval_s to {np.ceil(_FORGOTTEN * tau / 1e3):.0f}."
        )


def check_interval(duration: float, stimuli: Sequence[Stimulus], *, is_alive: bool) -> None:
    """Refuse an interval that can't be kept, or that leaves a cell no rest.

    Args:
        duration: From the start of one sweep to the start of the next [ms].
        stimuli: All that are to be played.
        is_alive: Whether there is a cell.

    Raises:
        SettingsError: If it is shorter than 2 s before a cell, or than a stimulus; of a simulated cell, 0 is none.
    """
    if is_alive and duration < LEAST:
        raise SettingsError(
            f"[protocol] interval_s is {duration / 1e3:g}, {LEAST / 1e3:g} s at least from the start of one sweep to "
            "the start of the next were wanted: a cell needs rest."
        )
    longest = max((stimulus.duration for stimulus in stimuli), default=0.0)
    if duration < longest and (duration or is_alive):
        raise SettingsError(
            f"[protocol] interval_s is {duration / 1e3:g} and the longest sweep lasts {longest / 1e3:g} s: it is the "
            f"time from the start of one sweep to the start of the next, so set it to more than {longest / 1e3:g}."
        )


def _slowest(posterior: Posterior, rest: float) -> float:
    """Give the posterior's median of the M current's time constant at rest, NaN where the model has none [ms]."""
    columns = {parameter.name: posterior.draws[:, k] for k, parameter in enumerate(posterior.parameters)}
    if "tau_max" not in columns:
        return float("nan")
    return float(np.median(m_time_constant(rest, columns["tau_max"], columns.get("rate_factor", 1.0))))
