"""This file is the networks' card: what each was trained for, how well it is calibrated, and whether it fits here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from rig_plugin.networks import Network
from rig_plugin.widgets.calibration import CalibrationPlots
from rig_plugin.widgets.number import significant, with_unit
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import Theme

__all__ = ["NetworksCard"]

_UNITS = {
    "amplitude": ("step", "pA"),
    "holding": ("holding", "pA"),
    "duration": ("step's length", "ms"),
    "baseline": ("before it", "ms"),
    "tail": ("after it", "ms"),
    "rate": ("sampling rate", "kHz"),
    "history_level": ("step before", "pA"),
}


class NetworksCard(QtWidgets.QDialog):
    """A list at the left, and at the right what stands on the chosen one; it blocks nothing.

    Args:
        networks: Those there are.
        used: The one in use.
        theme: Dark or light.
        find: Lets a file be chosen and gives it to a function.
        parent: Owner, as in Qt.
    """

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(
        self,
        networks: Sequence[Network],
        used: Path,
        theme: Theme,
        find: Callable[[Callable[[Path], object]], object],
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Networks")
        self.setModal(False)
        self.setStyleSheet(theme.sheet())
        self.setPalette(theme.palette())
        self._used, self._theme = used, theme
        self._networks: list[Network] = []
        self.list = QtWidgets.QListWidget()
        self.list.setMaximumWidth(theme.pixels(230))
        self.words = QtWidgets.QLabel("")
        self.words.setObjectName("plain")
        self.words.setWordWrap(True)
        self.words.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self.words.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plots = CalibrationPlots()
        self.plots.wear(theme)
        self.use, self.browse = QtWidgets.QPushButton("Use it"), QtWidgets.QPushButton("Open a file…")
        self._lay_out()
        self.list.currentRowChanged.connect(self._show_row)
        self.use.clicked.connect(lambda: self._choose())
        self.list.itemDoubleClicked.connect(lambda _: self._choose())
        self.browse.clicked.connect(lambda: find(self.opened.emit))
        self.fill(networks)
        self.resize(theme.pixels(900), theme.pixels(560))

    def fill(self, networks: Sequence[Network], first: Path | None = None) -> None:
        """List networks; what does not fit is there, greyed, and says why.

        Args:
            networks: Those there are.
            first: The one that is shown; without it the one in use.
        """
        self._networks = list(networks)
        self.list.clear()
        for network in self._networks:
            mark = " (in use)" if network.path == self._used else ""
            entry = QtWidgets.QListWidgetItem(f"{'▲ ' if network.refusal else ''}{network.name}{mark}")
            entry.setToolTip(network.refusal or str(network.path))
            if network.refusal:
                entry.setForeground(QtGui.QBrush(QtGui.QColor(self._theme.past)))
            self.list.addItem(entry)
        wanted = first or self._used
        row = next((k for k, network in enumerate(self._networks) if network.path == wanted), 0)
        self.list.setCurrentRow(row)

    def _lay_out(self) -> None:
        left, right = QtWidgets.QVBoxLayout(), QtWidgets.QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addWidget(self.browse)
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setWidget(self.words)
        right.addWidget(area, 3)
        right.addWidget(self.plots, 2)
        foot = QtWidgets.QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.use)
        right.addLayout(foot)
        row = QtWidgets.QHBoxLayout(self)
        row.addLayout(left)
        row.addLayout(right, 1)

    def _show_row(self, row: int) -> None:
        network = self._networks[row] if 0 <= row < len(self._networks) else None
        self.use.setEnabled(network is not None and network.refusal is None and network.path != self._used)
        self.words.setText(_told(network, self._theme) if network is not None else "")
        title = network.title if network is not None else None
        self.plots.setVisible(title is not None)
        self.plots.show_found(title.calibration if title is not None else {})

    def _choose(self) -> None:
        row = self.list.currentRow()
        if self.use.isEnabled():
            self.chosen.emit(self._networks[row].path)
            self.close()


def _told(network: Network, theme: Theme) -> str:
    """Write what a network is for."""
    refused = f"<p style='color: {theme.caution}'>▲ {escape(network.refusal)}</p>" if network.refusal else ""
    if network.title is None:
        return f"<b>{escape(network.name)}</b><p>{escape(str(network.path))}</p>{refused}"
    spec, calibration, record = network.title.spec, network.title.calibration, network.title.record
    ranges = [
        f"{words} {significant(low)} to {significant(high)} {unit}"
        for column, (low, high) in spec.designs.domain().items()
        for words, unit in [_UNITS.get(column, (column, ""))]
    ]
    parameters = ", ".join(
        f"{escape(p.name)} ({with_unit(f'{p.low:g} to {p.high:g}', p.unit)})" for p in spec.parameters
    )
    made = str(record.get("made", "")).partition("T")[0]
    rows = {
        "cell": f"{spec.process.name}, {len(spec.parameters)} parameters",
        "trained for": f"current steps: {'; '.join(ranges)}",
        "simulated cells": f"{spec.training.cells:,}{f', made {made}' if made else ''}",
        "calibration": escape(str(calibration.get("verdict", "not checked"))),
        "parameters": parameters,
        "file": escape(str(network.path)),
    }
    table = "".join(
        f"<tr><td style='color: {theme.quiet}; padding-right: 12px'>{name}</td><td>{text}</td></tr>"
        for name, text in rows.items()
    )
    return f"<b>{escape(network.name)}</b>{refused}<table>{table}</table>"
