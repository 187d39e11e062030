"""This file is the injection's line: what a device beside the rig puts into the cell, and that nobody watches it."""

from __future__ import annotations

import time
from collections.abc import Callable

from hardware.injection import Injection
from rig_plugin.widgets.number import age, fixed, significant
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtWidgets
from rig_plugin.widgets.theme import lettered
from rig_plugin.widgets.verdict import SIGNS

__all__ = ["InjectionLine"]

_OFTEN = 500


class InjectionLine(Panel):
    """A line that is there once a device has told how it stands; no start takes it away.

    Args:
        clock: Monotonic time [s]; another one for tests.
        parent: Owner, as in Qt.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._clock = clock
        self._state: Injection | None = None
        self._heard = 0.0
        self._label = QtWidgets.QLabel("")
        lettered(self._label, 12)
        self._label.setWordWrap(True)
        self._warning = QtWidgets.QLabel("")
        self._warning.setToolTip("It goes on injecting when this program, the cable or the computer fails.")
        self._body.setContentsMargins(10, 4, 10, 4)
        self._top.addWidget(self._label, 1)
        self._top.addWidget(self._warning)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_OFTEN)
        self._timer.timeout.connect(self._draw)
        self._timer.start()
        self.hide()
        self.wear(self.theme)

    @property
    def words(self) -> str:
        """What stands there; empty where there is nothing."""
        return "" if self.isHidden() else f"{self._label.text()} | {self._warning.text()}".removesuffix(" | ")

    def tell(self, state: Injection) -> None:
        """Show how the device stands.

        Args:
            state: The newest that is known.
        """
        self._state, self._heard = state, self._clock()
        self._draw()

    def _draw(self) -> None:
        state = self._state
        self.setVisible(state is not None)
        if state is None:
            return
        told = self._told(state)
        if told != self._label.text():
            self._label.setText(told)
        self._label.setStyleSheet(f"color: {self.theme.danger if state.fault else self.theme.text};")
        alone = state.injects and not state.watchdog
        self._warning.setText(f"{SIGNS['caution']} SUPERVISED ONLY: no watchdog" if alone else "")
        self._warning.setStyleSheet(
            f"color: {self.theme.caution}; font-size: {self.theme.pixels(13)}px; font-weight: 600;"
        )

    def _told(self, state: Injection) -> str:
        since = age(self._clock() - self._heard)
        if state.fault is not None:
            return f"{SIGNS['withheld']} {state.place}: {state.fault}   {since}"
        named = "  ".join(f"{name} {significant(value)} {_unit(name)}" for name, value in state.conductances.items())
        parts = [state.place, named or "injects nothing"]
        if named and state.voltage is not None and state.current is not None and state.cycle is not None:
            numbers = f"V {fixed(state.voltage, 1)} mV  I {fixed(state.current, 0)} pA"
            parts.append(f"{numbers}  cycle {fixed(state.cycle, 0)} us")
        return "   ".join([*parts, since])


def _unit(name: str) -> str:
    """Name the unit of a conductance; that of a diffusion is another."""
    return "nS2/ms" if name.endswith("_D") else "nS"
