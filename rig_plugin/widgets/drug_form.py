"""This file is the drug's form: what a virtual drug on its own is to be, judged as it is typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from estimators.virtual_drug import LARGEST
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.stages import DrugStage
from rig_plugin.widgets.qt import QtCore, QtWidgets, Signal
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["DrugForm"]

_LEAST = -1.0
_STEPS = 3
_USUAL = "g_M"


class DrugForm(QtWidgets.QWidget):
    """Conductance, factor and number of sweeps in a line, with a button, and under it why that can't be pressed.

    The sweeps are steps of the family that is played, from its lowest to its highest.

    Args:
        conductances: Those of the network.
        parent: Owner, as in Qt.
    """

    asked = Signal(object)

    def __init__(self, conductances: Sequence[str], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._protocol: ProtocolSettings | None = None
        self._reason = "There is no rig here that a drug could be given on."
        self._is_running = False
        self.conductance = QtWidgets.QComboBox()
        self.conductance.addItems(list(conductances))
        self.conductance.setCurrentText(_USUAL)
        self.factor, self.sweeps = QtWidgets.QLineEdit("-0.8"), QtWidgets.QLineEdit(str(_STEPS))
        self.button = QtWidgets.QPushButton("Give a virtual drug")
        self._words = QtWidgets.QLabel("")
        self._lay_out()
        self._look()

    @property
    def words(self) -> str:
        """Why the button can't be pressed; empty where it can."""
        return self._words.text()

    def allow(self, protocol: ProtocolSettings | None, reason: str = "") -> None:
        """Be told what can be given.

        Args:
            protocol: Of which the steps are taken, or None.
            reason: Why nothing can be given, as a sentence; empty where something can.
        """
        self._protocol, self._reason = protocol, reason
        self._look()

    def follow(self, protocol: ProtocolSettings) -> None:
        """Be told that the steps of another family are to be taken.

        Args:
            protocol: Which.
        """
        self._protocol = protocol
        self._look()

    def enter(self, running: bool) -> None:
        """Be told whether a session runs.

        Args:
            running: Whether it does.
        """
        self._is_running = running
        self._look()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        for box in (self.factor, self.sweeps):
            box.setFont(theme.face(12))
            box.setFixedWidth(theme.pixels(58))
        self._look()

    def _lay_out(self) -> None:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(6)
        fields = (("on", self.conductance), ("factor", self.factor), ("sweeps a phase", self.sweeps))
        for text, field in fields:
            label = QtWidgets.QLabel(text)
            label.setObjectName("quiet")
            row.addWidget(label)
            row.addWidget(field)
        row.addStretch(1)
        row.addWidget(self.button)
        self.conductance.setToolTip("The conductance that the drug acts on, one of the network's.")
        self.factor.setToolTip("What is added, in multiples of the cell's own: -0.8 takes four fifths away.")
        self.sweeps.setToolTip("Steps of the family, under control, under the drug and again under control.")
        self.button.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self._words.setObjectName("plain")
        self._words.setWordWrap(True)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self._words)
        for box in (self.factor, self.sweeps):
            box.textChanged.connect(lambda _: self._look())
            box.returnPressed.connect(box.clearFocus)
        self.button.clicked.connect(lambda: self._ask())

    def _look(self) -> None:
        """Judge what stands there."""
        reason = self._reason
        if not reason and self._protocol is not None and self._protocol.gap_free:
            reason = "No sweeps are played here that a posterior could rest on: apply a family."
        faults = {self.factor: self._of_factor(), self.sweeps: self._of_sweeps()}
        wrong = next((fault for fault in faults.values() if fault), "")
        waiting = "" if self._is_running else "No session runs: Space starts one, and a drug rests on its posterior."
        can = not reason
        for widget in (self.conductance, self.factor, self.sweeps):
            widget.setEnabled(can)
        for box, fault in faults.items():
            tone = self._theme.caution if fault and can else self._theme.line
            box.setStyleSheet(f"QLineEdit {{ border: 1px solid {tone}; padding: 1px 4px; }}")
        said = reason or wrong or waiting
        self.button.setEnabled(not said)
        self.button.setToolTip(said or "Control, drug and control, when the sweep that is played is over.")
        is_fault = can and bool(wrong)
        self._words.setText(f"▲ {said}" if is_fault else said)
        self._words.setVisible(bool(said))
        self._words.setStyleSheet(f"color: {self._theme.caution if is_fault else self._theme.quiet};")

    def _of_factor(self) -> str:
        try:
            factor = float(self.factor.text().replace("−", "-"))
        except ValueError:
            factor = math.nan
        if factor != 0.0 and _LEAST <= factor <= LARGEST:
            return ""
        return (
            f"factor: '{self.factor.text()}' was given; {_LEAST:g} (all of it taken away) to {LARGEST:g} (so many "
            "times its own added), and not 0, was wanted."
        )

    def _of_sweeps(self) -> str:
        most = len(self._heights())
        text = self.sweeps.text().strip()
        if text.isdecimal() and 1 <= int(text) <= most:
            return ""
        return f"sweeps: '{self.sweeps.text()}' was given; 1 to {most} was wanted, as many steps as the family has."

    def _heights(self) -> list[float]:
        """Give the family's steps but a step of nothing, in order of size [pA]."""
        stimuli = self._protocol.stimuli() if self._protocol is not None else ()
        return sorted({stimulus.amplitude for stimulus in stimuli} - {0.0})

    def _ask(self) -> None:
        if self._protocol is None or not self.button.isEnabled():
            return
        heights, count = self._heights(), int(self.sweeps.text())
        last = len(heights) - 1
        places = [last] if count == 1 else [round(k * last / (count - 1)) for k in range(count)]
        protocol = replace(self._protocol, amplitudes=tuple(heights[place] for place in places), chosen_by="family")
        factor = float(self.factor.text().replace("−", "-"))
        self.asked.emit(DrugStage(self.conductance.currentText(), factor, protocol))
