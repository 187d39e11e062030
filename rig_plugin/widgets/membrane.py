"""This file is the membrane's panel: what the test pulses say of cell and pipette, as strip charts with their age."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hardware.membrane import Membrane
from rig_plugin.balance import Balance, balance
from rig_plugin.membrane_tests import Tested
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.resting import resting
from rig_plugin.rule import Alarm
from rig_plugin.trial import Trial
from rig_plugin.vital_sign import SIGNS
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtWidgets
from rig_plugin.widgets.strip import Strip
from simulators.stimulus import Clamp

__all__ = ["MembranePanel"]

_OFTEN = 500
_NOTED = 40
_RULES = QualitySettings()
_NO_PULSE = "No test pulse in this protocol: [protocol] test_pulse_pA = -20 in the rig file puts one before each step."
_NO_PULSE_THERE = "No test pulse before the step of this recording."
_SAID = {"current": "pulse before each step, current clamp", "voltage": "voltage clamp"}


class MembranePanel(Panel):
    """Strips of the newest test's clamp; those of the other clamp are kept for when it comes back.

    The age counts from the moment in which a test came here, since the clock that stamped a recording may have been
    another computer's.

    Args:
        rules: [quality] of the rig file.
        clock: Monotonic time [s]; another one for tests.
        parent: Owner, as in Qt.
    """

    def __init__(
        self,
        rules: QualitySettings = _RULES,
        clock: Callable[[], float] = time.monotonic,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__("Membrane", "Told by the test pulse before each step.", parent)
        self._clock = clock
        self._came = {"current": 0.0, "voltage": 0.0}
        self._first: tuple[datetime | None, float] | None = None
        self._clamp: Clamp | None = None
        self._stage = ""
        self._residuals: list[float] = []
        self._rules = rules
        self.strips: Mapping[Clamp, tuple[Strip, ...]] = {
            clamp: tuple(Strip(sign, sign.limits(clamp, rules)) for sign in signs) for clamp, signs in SIGNS.items()
        }
        self._rows = QtWidgets.QStackedWidget()
        self._body.addWidget(self._rows, 1)
        for strips in (*self.strips.values(), ()):
            row = QtWidgets.QWidget()
            line = QtWidgets.QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(8)
            for strip in strips:
                line.addWidget(strip, 1)
            self._rows.addWidget(row)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_OFTEN)
        self._timer.timeout.connect(self.grow_old)
        self._timer.start()
        self.wear(self.theme)

    @property
    def words(self) -> str:
        """What the strips that are shown say, or the sentence across the panel."""
        return self.notice if self._clamp is None else " | ".join(strip.words for strip in self.strips[self._clamp])

    def test(self, tested: Tested) -> None:
        """Show a membrane test that is no part of a sweep.

        Args:
            tested: Read and judged.
        """
        self._push(tested.membrane, tested.alarms, None)
        self._stage = f"test {tested.index}, {tested.stage}"
        self._draw()

    def grow_old(self) -> None:
        """Tell the ages anew; asked twice a second."""
        now = self._clock()
        for clamp, strips in self.strips.items():
            for strip in strips:
                strip.grow_old(now - self._came[clamp])

    def _take(self, trial: Trial) -> None:
        said = trial.membrane
        if said is not None:
            self._stage = f"trial {trial.index}"
            self._residuals = [*self._residuals, said.access][-_NOTED:]
            left = balance(self._residuals)
            alarms = resting(said, self._rules, left)
            self._push(said, alarms, trial.sweep.start if trial.sweep else None, left)
        elif self._clamp is None:
            self.say(_NO_PULSE if trial.file_sweep is None else _NO_PULSE_THERE)

    def _push(
        self, said: Membrane, alarms: Sequence[Alarm], start: datetime | None, left: Balance | None = None
    ) -> None:
        now = self._clock()
        self._first = self._first or (start, now)
        begun, came = self._first
        since = now - came if start is None or begun is None else (start - begun).total_seconds()
        self._clamp, self._came[said.clamp] = said.clamp, now
        for strip in self.strips[said.clamp]:
            strip.push(since, strip.sign.of(said), alarms, left if strip.sign.key == "access" else None)

    def _clear(self) -> None:
        self._clamp = self._first = None
        self._stage = ""
        self._residuals = []
        for strips in self.strips.values():
            for strip in strips:
                strip.clear()

    def _draw(self) -> None:
        # The last row is the empty one.
        self._rows.setCurrentIndex([*self.strips, None].index(self._clamp))
        self._aside.setText("" if self._clamp is None else f"{self._stage}   {_SAID[self._clamp]}")
        if self._clamp is not None:
            self.say("")
            self.grow_old()

    def _wear(self) -> None:
        for strips in self.strips.values():
            for strip in strips:
                strip.wear(self.theme)
