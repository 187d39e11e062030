"""This file is the score table: each parameter that a network infers, its prior, and how it was calibrated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rig_plugin.scorecard import Score
from rig_plugin.widgets.number import MISSING, fixed, with_unit
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import Theme
from simulators.parameter import Parameter

__all__ = ["ScoreTable"]

_LEVELS = (50.0, 80.0, 90.0, 95.0)
_COLUMNS = ("parameter", "prior", *(f"{level:g} %" for level in _LEVELS), "ranks", "contr.", "z-score")
_TIPS = (
    "▲ where a coverage or the ranks are farther off than the aim. Click a row to see its lines below.",
    "Range before any sweep.",
    *(f"How often the central {level:g} % interval held the truth of fresh cells [%]." for level in _LEVELS),
    "Largest deviation of the ranks from uniform [%].",
    "Contraction: 1 less posterior over prior variance; 0 learns nothing, 1 all.",
    "Of the truth in its posterior: mean ± standard deviation; 0 ± 1 is right.",
)
_ROW = 19
_AIR = 19
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)


class ScoreTable(QtWidgets.QTableWidget):
    """A row a parameter; the row that is clicked is told, and clicked again none is.

    Args:
        theme: Dark or light.
        parent: Owner, as in Qt.
    """

    marked = Signal(str)

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._theme, self._marked = theme, ""
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.setWordWrap(False)
        self.setShowGrid(False)
        rows, head = self.verticalHeader(), self.horizontalHeader()
        if rows is not None:
            rows.setMinimumSectionSize(1)
            rows.setDefaultSectionSize(theme.pixels(_ROW))
            rows.hide()
        if head is not None:
            head.setMinimumSectionSize(1)
            head.setHighlightSections(False)
        for column, tip in enumerate(_TIPS):
            heading = self.horizontalHeaderItem(column)
            if heading is not None:
                heading.setToolTip(tip)
                heading.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole, _LEFT if column < 2 else _RIGHT)
        self.cellClicked.connect(lambda row, _: self._click(row))

    def fill(self, parameters: Sequence[Parameter], scores: Sequence[Score]) -> None:
        """Show a network's.

        Args:
            parameters: What it infers.
            scores: How each was calibrated; one that was not checked has dashes.
        """
        by_name: Mapping[str, Score] = {score.name: score for score in scores}
        self.clearSelection()
        self._marked = ""
        self.setRowCount(len(parameters))
        for row, parameter in enumerate(parameters):
            score = by_name.get(parameter.name, Score(parameter.name, {}))
            for column, text in enumerate(_row(parameter, score)):
                item = QtWidgets.QTableWidgetItem(text)
                item.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole, _LEFT if column < 2 else _RIGHT)
                item.setToolTip(parameter.meaning)
                if text.startswith("▲"):
                    item.setForeground(QtGui.QBrush(QtGui.QColor(self._theme.caution)))
                self.setItem(row, column, item)
        self._measure()

    def cells(self, row: int) -> tuple[str, ...]:
        """Read a row as it stands on the screen.

        Args:
            row: Its number.

        Returns:
            Text of each column.
        """
        items = (self.item(row, column) for column in range(len(_COLUMNS)))
        return tuple(item.text() if item is not None else "" for item in items)

    def _click(self, row: int) -> None:
        item = self.item(row, 0)
        name = "" if item is None else item.text().removeprefix("▲ ")
        self._marked = "" if name == self._marked else name
        if not self._marked:
            self.clearSelection()
        self.marked.emit(self._marked)

    def _measure(self) -> None:
        """Make each column as wide as its words, and let the prior have what is left."""
        # Before it is shown it would measure by letters that the sheet is going to change.
        self.ensurePolished()
        letters, head = self.fontMetrics(), self.horizontalHeader()
        for column, heading in enumerate(_COLUMNS):
            words = [heading, *(self.cells(row)[column] for row in range(self.rowCount()))]
            widest = max(letters.horizontalAdvance(text) for text in words)
            self.setColumnWidth(column, widest + self._theme.pixels(_AIR))
        if head is not None:
            head.setSectionResizeMode(1, QtWidgets.QHeaderView.ResizeMode.Stretch)


def _row(parameter: Parameter, score: Score) -> tuple[str, ...]:
    """Write one row."""
    low, high = (f"{bound:g}".replace("-", "−") for bound in (parameter.low, parameter.high))
    prior = with_unit(f"{low} to {high}", parameter.unit)
    coverage = (
        f"{'▲ ' if score.is_off(level) else ''}{fixed(score.coverage[level], 1)}"
        if level in score.coverage
        else MISSING
        for level in _LEVELS
    )
    is_scored = math.isfinite(score.z_mean) and math.isfinite(score.z_sd)
    z = f"{fixed(score.z_mean, 2)} ± {fixed(score.z_sd, 2)}" if is_scored else MISSING
    mark = "▲ " if score.misses else ""
    return f"{mark}{parameter.name}", prior, *coverage, fixed(score.deviation, 1), fixed(score.contraction, 2), z
