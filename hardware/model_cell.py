"""This file is the model cell: a rig whose cell is made of equations."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hardware.pace import Pace, Speed
from hardware.rig import BLOCK, Block, Gain, Provenance, Rig, RigError
from simulators.limits import Limits
from simulators.stimulus import Clamp, Epoch, Stimulus
from simulators.sweep import Junction

if TYPE_CHECKING:
    # Whoever clamps nothing needs no serial line.
    from hardware.dynamic_clamp import DynamicClamp

__all__ = ["ModelCell", "Simulate"]

_STRETCH = 10_000.0  # [ms]

Simulate = Callable[[Stimulus, float, np.random.Generator], npt.NDArray[np.float64]]
"""Answers a stimulus at a rate [kHz] with a response, shape (n,) [mV, or pA in voltage clamp]."""


class ModelCell(Rig):
    """A simulated cell behind a simulated amplifier, paced like a real one.

    Its clock is its own: a sweep starts an interval after the start of the one before it, or at its end where that is
    later, however fast it was computed, so the same seed gives the same intervals and with them the same posterior. A
    command that is held is computed ten seconds at a time, in each of which the cell begins at rest.

    Args:
        simulate: What answers; electrode and noise are in it.
        rate: Sampling rate [kHz].
        limits: What may be put out.
        seed: Of the noise; sweep k of a seed is always the same.
        pace: "real" like a rig, "max" as fast as it is computed.
        interval: Time from the start of a sweep to the start of the next [ms].
        exit_level: Command at which the cell is left [pA].
        junction: Junction potential in what `simulate` answers, told with every sweep [mV].
        clamps: What it can be asked in; its amplifier is in current clamp before and after each sweep.
        room: How many conductances of `clamped` what answers can add to its cell.

    Raises:
        ValueError: If the rate is not positive, the interval is negative or the junction potential is not finite.
    """

    is_alive = False

    def __init__(
        self,
        simulate: Simulate,
        rate: float = 20.0,
        limits: Limits | None = None,
        seed: int = 0,
        pace: Speed = "real",
        interval: float = 5000.0,
        exit_level: float = 0.0,
        junction: float = 0.0,
        clamps: tuple[Clamp, ...] = ("current",),
        room: int = 0,
    ) -> None:
        super().__init__()
        if not (rate > 0 and interval >= 0):
            raise ValueError(f"Rate is {rate} kHz and interval {interval} ms; a positive and no negative were wanted.")
        if not math.isfinite(junction):
            raise ValueError(f"Junction potential is {junction} mV, a finite one was wanted.")
        self._junction = Junction("uncorrected", junction) if junction else Junction("corrected")
        self.rate, self.limits, self.exit_level = rate, limits or Limits(), exit_level
        self.gains = {name: Gain(1.0, "1", "simulated") for name in ("response", "command")}
        self._clamps, self._room = clamps, room
        self.takes_conductances = room > 0
        self.clamped: DynamicClamp | None = None
        """What a simulated dynamic clamp adds to the cell whenever something is played."""
        self.output = exit_level
        """Command at which the simulated amplifier stands now [pA]."""
        self._simulate, self._interval = simulate, interval
        self._rng = np.random.default_rng(seed)
        self._pace = Pace(pace)
        self._clock = self._begun = self._made = datetime.now(UTC)
        self._response = self._command = np.empty(0)
        self._position = self._passed = 0
        self._held: Stimulus | None = None

    @property
    def provenance(self) -> Provenance:
        """Where the sweep being played, or last played, comes from."""
        return Provenance(self._begun, "recorded channel", "measured", self._junction, 0.0)

    @property
    def elapsed(self) -> float:
        """Time from the start of the first sweep to that of the one being played, or last played [ms]."""
        return (self._begun - self._made) / timedelta(milliseconds=1)

    def clamp(self, clamp: DynamicClamp | None) -> None:
        """Add conductances to the cell, or take them away, whenever something is played from now on.

        Args:
            clamp: What is clamped; None ends it.

        Raises:
            RigClosed: If the rig is not open.
            RigError: If it is playing, or there are more conductances than it has room for.
        """
        self._check_open()
        if self._is_playing:
            raise RigError("The rig is playing: stop it, then change the dynamic clamp.")
        count = len(clamp.conductances) if clamp is not None else 0
        if count > self._room:
            raise RigError(f"{count} conductances were given, this model cell clamps {self._room} at once.")
        self.clamped = clamp if count else None

    @property
    def added(self) -> str | None:
        """Conductances that its clamp or a device beside it adds to the cell, as a list with units, or None."""
        own = self.clamped.conductances if self.clamped is not None else ()
        said = [f"{one.name} of {one.maximum:g} nS" for one in own if one.maximum]
        return ", ".join([*said, *filter(None, [super().added])]) or None

    def _open(self) -> None:
        self.output, self.clamped = self.exit_level, None

    def _start(self, stimulus: Stimulus) -> None:
        self._check_clamp(stimulus.clamp)
        self._held, self._passed = None, 0
        self._begun = self._clock
        self._clock += timedelta(milliseconds=max(stimulus.duration, self._interval))
        self._answer(stimulus)
        self._pace.begin()

    def _hold(self, level: float) -> None:
        self._check_clamp("current")
        half = Epoch(level, _STRETCH / 2)
        self._held, self._passed = Stimulus("current", (half, half)), 0
        self._begun = self._clock
        self._answer(self._held)
        self._pace.begin()

    def _check_clamp(self, clamp: Clamp) -> None:
        if clamp not in self._clamps:
            raise RigError(f"The model cell is in {' or '.join(self._clamps)} clamp, a stimulus for that was wanted.")

    def _answer(self, stimulus: Stimulus) -> None:
        self._command = stimulus.command(self.rate)
        got = stimulus.raised(self._watch.injected)
        self._response = np.asarray(self._simulate(got, self.rate, self._rng), dtype=np.float64)
        if self._response.shape != self._command.shape:
            raise RigError(
                f"The simulator answered with shape {self._response.shape}, {self._command.shape} was wanted: "
                "it must give one sample for each of the command."
            )
        self._position = 0

    def _read(self) -> Block | None:
        if self._held is not None and self._position >= self._response.size:
            self._passed += self._response.size
            self._answer(self._held)
        start = self._position
        stop = min(start + max(1, int(BLOCK * self.rate)), self._response.size)
        if start >= stop:
            return None
        self._pace.wait((self._passed + stop) / self.rate, self._stopping)
        if self._stopping.is_set():
            return None
        self._position = stop
        self.output = float(self._command[stop - 1])
        return Block(self._response[start:stop], self._command[start:stop])

    def _stop(self) -> None:
        self.output = self.exit_level
        if self._held is not None:
            held = (self._passed + self._position) / self.rate
            self._held, self._clock = None, self._begun + timedelta(milliseconds=max(held, self._interval))

    def _close(self) -> None:
        self.output, self.clamped = self.exit_level, None
