"""A driver as another laboratory would write it: a box with a resistor and a capacitor in place of a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from hardware.pace import Pace, Speed
from hardware.rig import BLOCK, Block, Gain, Provenance, Rig, RigError
from rig_plugin.settings import Settings
from rig_plugin.toml_table import key
from simulators.limits import Limits
from simulators.stimulus import Stimulus
from simulators.sweep import Junction

_STRETCH = 100.0  # [ms]


@dataclass(frozen=True)
class PatchboxSettings:
    """Table [patchbox]: what is soldered in."""

    resistance: float = key(500.0, "resistance_MOhm", low=1.0, high=10_000.0)
    capacitance: float = key(33.0, "capacitance_pF", low=1.0, high=1000.0)
    rest: float = key(-70.0, "rest_mV", low=-100.0, high=0.0)
    exit_level: float = key(0.0, "exit_pA")


class Patchbox(Rig):
    """A resistor beside a capacitor, charged sample by sample and never reset while it is open."""

    is_alive = False

    def __init__(self, box: PatchboxSettings, rate: float, limits: Limits, speed: Speed) -> None:
        super().__init__()
        self.rate, self.limits, self.exit_level = rate, limits, box.exit_level
        self.gains = {name: Gain(1.0, "1", "soldered in") for name in ("response", "command")}
        self.output = box.exit_level
        self._box, self._pace = box, Pace(speed)
        self._decay = math.exp(-1e3 / (rate * box.resistance * box.capacitance))
        self._voltage, self._command, self._position, self._held = box.rest, np.empty(0), 0, False
        self._begun: datetime | None = None

    @property
    def provenance(self) -> Provenance:
        return Provenance(self._begun, "header", "header", Junction("corrected"), 0.0)

    def _check(self, stimulus: Stimulus) -> None:
        if stimulus.clamp != "current":
            raise RigError("A patchbox has no voltage clamp: play a stimulus for current clamp.")

    def _open(self) -> None:
        self.output = self.exit_level
        self._voltage = self._steady(self.exit_level)

    def _start(self, stimulus: Stimulus) -> None:
        self._begin(stimulus.command(self.rate), held=False)

    def _hold(self, level: float) -> None:
        self._begin(np.full(round(_STRETCH * self.rate), level), held=True)

    def _begin(self, command: np.ndarray, *, held: bool) -> None:
        self._command, self._position, self._held = command, 0, held
        self._begun = datetime.now(UTC)
        self._pace.begin()

    def _read(self) -> Block | None:
        place = self._position % self._command.size if self._held else self._position
        command = self._command[place : place + int(BLOCK * self.rate)]
        if not command.size:
            return None
        self._position += command.size
        self._pace.wait(self._position / self.rate, self._stopping)
        self.output = float(command[-1])
        return Block(np.array([self._charge(float(level)) for level in command]), command)

    def _stop(self) -> None:
        self.output = self.exit_level
        self._voltage = self._steady(self.exit_level)

    def _close(self) -> None:
        self.output = self.exit_level

    def _steady(self, level: float) -> float:
        return self._box.rest + level * self._box.resistance / 1e3

    def _charge(self, level: float) -> float:
        goal = self._steady(level)
        self._voltage = goal + (self._voltage - goal) * self._decay
        return self._voltage


def patchbox(settings: Settings) -> Patchbox:
    """Make the rig from a rig file."""
    box = settings.driver.make(PatchboxSettings)
    if not settings.limits.low <= box.exit_level <= settings.limits.high:
        raise settings.driver.refusal("exit_pA", "a current within [limits]")
    return Patchbox(box, settings.rig.rate, settings.limits.limits(), "max" if settings.rig.pace == "max" else "real")
