"""This file is the networks' card: what each was trained for, how well it is calibrated, and whether it fits here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from estimators.title import Title
from rig_plugin.networks import Network, own
from rig_plugin.scorecard import scores
from rig_plugin.widgets.calibration import CalibrationPlots
from rig_plugin.widgets.number import significant
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.score_table import ScoreTable
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

    A title takes some milliseconds to be read and a folder may be on another computer, so that `search` does it in a
    thread of its own.

    Args:
        networks: Those that are known already.
        used: The one in use.
        theme: Dark or light.
        find: Lets a file be chosen and gives it to a function.
        parent: Owner, as in Qt.
    """

    chosen = Signal(object)
    opened = Signal(object)
    _found = Signal(int, object, object)

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
        self._searches: list[threading.Thread] = []
        self.list = QtWidgets.QListWidget()
        self.list.setFixedWidth(theme.pixels(210))
        self.list.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setToolTip(f"Those that ship, and your own in {own()}.")
        self.words = QtWidgets.QLabel("")
        self.words.setObjectName("plain")
        self.words.setWordWrap(True)
        self.words.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self.words.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = ScoreTable(theme)
        self.plots = CalibrationPlots()
        self.plots.wear(theme)
        self.use, self.browse = QtWidgets.QPushButton("Use it"), QtWidgets.QPushButton("Open a file…")
        self._lay_out()
        self.list.currentRowChanged.connect(self._show_row)
        self.use.clicked.connect(lambda: self._choose())
        self.list.itemDoubleClicked.connect(lambda _: self._choose())
        self.browse.clicked.connect(lambda: find(self.opened.emit))
        self.table.marked.connect(self.plots.mark)
        self._found.connect(self._take)
        self.fill(networks)
        self.resize(theme.pixels(900), theme.pixels(560))

    def search(self, look: Callable[[], Sequence[Network]], first: Path | None = None) -> None:
        """List what is found, as soon as it is; of several searches the last one counts.

        Args:
            look: Finds networks; it is called in a thread of its own.
            first: As `fill`.
        """
        if not self._networks:
            self.words.setText("Reading what stands on the networks …")
        number = len(self._searches)
        work = threading.Thread(target=lambda: self._found.emit(number, look(), first), name="networks")
        self._searches.append(work)
        work.start()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Leave no search behind."""
        for search in self._searches:
            search.join()
        super().closeEvent(event)

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
            entry = QtWidgets.QListWidgetItem(f"{'▲ ' if network.refusal else ''}{network.label}{mark}")
            entry.setToolTip("\n".join(filter(None, (network.label, str(network.path), network.refusal))))
            if network.refusal:
                entry.setForeground(QtGui.QBrush(QtGui.QColor(self._theme.past)))
            self.list.addItem(entry)
        wanted = first or self._used
        row = next((k for k, network in enumerate(self._networks) if network.path == wanted), 0)
        self.list.setCurrentRow(row)

    def _take(self, number: int, networks: Sequence[Network], first: Path | None) -> None:
        if number == len(self._searches) - 1:
            self.fill(networks, first)

    def _lay_out(self) -> None:
        left, right = QtWidgets.QVBoxLayout(), QtWidgets.QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addWidget(self.browse)
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setWidget(self.words)
        right.addWidget(area, 5)
        right.addWidget(self.table, 7)
        right.addWidget(self.plots, 6)
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
        found = scores(title.calibration) if title is not None else ()
        self.table.setVisible(title is not None)
        self.table.fill(title.spec.parameters if title is not None else (), found)
        # Of one that was never checked there is nothing to draw.
        self.plots.setVisible(bool(found))
        self.plots.show_scores(found)

    def _choose(self) -> None:
        row = self.list.currentRow()
        if self.use.isEnabled():
            self.chosen.emit(self._networks[row].path)
            self.close()


def _told(network: Network, theme: Theme) -> str:
    """Write what a network is for."""
    refused = f"<p style='color: {theme.caution}'>▲ {escape(network.refusal)}</p>" if network.refusal else ""
    head = f"<b>{escape(network.label)}</b>"
    if network.title is None:
        return f"{head}<p>{escape(str(network.path))}</p>{refused}"
    spec, record = network.title.spec, network.title.record
    ranges = [
        f"{words} {significant(low)} to {significant(high)} {unit}"
        for column, (low, high) in spec.designs.domain().items()
        for words, unit in [_UNITS.get(column, (column, ""))]
    ]
    few, many = spec.designs.sweeps
    made = str(record.get("made", "")).partition("T")[0] if isinstance(record, Mapping) else ""
    rows = {
        "cell": f"{spec.process.name}, {len(spec.parameters)} parameters",
        "trained&nbsp;for": f"current clamp, {few} to {many} sweeps; {'; '.join(ranges)}",
        "simulated&nbsp;cells": f"{spec.training.cells:,}{f', made {escape(made)}' if made else ''}",
        "calibration": escape(_verdict(network.title)),
        "file": escape(str(network.path)),
    }
    table = "".join(
        f"<tr><td style='color: {theme.quiet}; padding-right: 12px'>{name}</td><td>{text}</td></tr>"
        for name, text in rows.items()
    )
    return f"{head}{refused}<table>{table}</table>"


def _verdict(title: Title) -> str:
    """Say what its check said."""
    found = title.calibration
    said = found.get("verdict") if isinstance(found, Mapping) else None
    return said if isinstance(said, str) and said else "It was not checked: try rig-plugin check."
