"""This file is the drug's table: each feature with what was predicted of it under the drug, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rig_plugin.dosing import Expected, Span
from rig_plugin.widgets.number import MISSING, fixed, places, significant
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.ribbon import LEGEND, Ribbon
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["DrugTable"]

_COLUMNS = ("feature", "", "drug", "no change", "prior", "measured")
_TIPS = (
    "Those whose predicted change is the largest, compared with how far a repeat lies off; below, the step.",
    f"{LEGEND}.",
    "What the posterior predicts under the drug: median, and 5 % to 95 %.",
    "What is expected where the drug does nothing: median, and 5 % to 95 %.",
    "What cells of the prior would do under the drug: median, and 5 % to 95 %.",
    "Under the drug: ● in the 90 % of the posterior, ▲ above, ▼ below.",
)
_PICTURE, _DRUG, _MEASURED = 1, 2, 5
_ROW, _AIR = 31, 14
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)


class DrugTable(QtWidgets.QTableWidget):
    """A row a feature and step.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._theme = DARK
        self._rows: tuple[Expected, ...] = ()
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setShowGrid(False)
        rows, head = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and head is not None:
            rows.setMinimumSectionSize(1)
            rows.hide()
            head.setMinimumSectionSize(1)
            head.setHighlightSections(False)
            head.setSectionResizeMode(_PICTURE, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for column, tip in enumerate(_TIPS):
            heading = self.horizontalHeaderItem(column)
            if heading is not None:
                heading.setToolTip(tip)
                heading.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole, _RIGHT if column > _PICTURE else _LEFT)

    def fill(self, rows: Sequence[Expected]) -> None:
        """Show predictions; what stands there already is not painted anew.

        Args:
            rows: In order.
        """
        anew = [(row.step, row.feature) for row in rows] != [(row.step, row.feature) for row in self._rows]
        self._rows = tuple(rows)
        if anew:
            self._make()
        for number, row in enumerate(self._rows):
            self._write(number, row)
        self._measure()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        heights = self.verticalHeader()
        if heights is not None:
            heights.setDefaultSectionSize(theme.pixels(_ROW))
        self._make()
        for number, row in enumerate(self._rows):
            self._write(number, row)
        self._measure()

    def cells(self, row: int) -> tuple[str, ...]:
        """Read a row as it stands on the screen.

        Args:
            row: Its number.

        Returns:
            Text of each column; that of the picture is empty.
        """
        items = (self.item(row, column) for column in range(len(_COLUMNS)))
        return tuple(item.text() if item is not None else "" for item in items)

    def _make(self) -> None:
        self.setRowCount(len(self._rows))
        for number, row in enumerate(self._rows):
            for column in range(len(_COLUMNS)):
                item = QtWidgets.QTableWidgetItem("")
                item.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole, _RIGHT if column > _PICTURE else _LEFT)
                if column > _PICTURE:
                    item.setFont(self._theme.face(11))
                self.setItem(number, column, item)
            self.setCellWidget(number, _PICTURE, Ribbon(row, self._theme))

    def _write(self, number: int, row: Expected) -> None:
        theme = self._theme
        told = _told(row)
        tones = {_MEASURED: theme.caution if row.is_inside is False else theme.text, 0: theme.text, _DRUG: theme.now}
        for column, text in enumerate(told):
            item = self.item(number, column)
            if item is not None:
                if item.text() != text:
                    item.setText(text)
                item.setForeground(QtGui.QBrush(QtGui.QColor(tones.get(column, theme.quiet))))
                item.setToolTip(_tip(row))
        ribbon = self.cellWidget(number, _PICTURE)
        if isinstance(ribbon, Ribbon):
            ribbon.setToolTip(_tip(row))
            ribbon.show_expected(row)

    def _measure(self) -> None:
        """Make each column as wide as its words, and let the picture have what is left."""
        # Before it is shown it would measure by letters that the sheet is going to change.
        self.ensurePolished()
        letters, numbers = self.fontMetrics(), QtGui.QFontMetrics(self._theme.face(11))
        texts = [self.cells(row) for row in range(self.rowCount())]
        for column, heading in enumerate(_COLUMNS):
            if column == _PICTURE:
                continue
            metrics = numbers if column > _PICTURE else letters
            lines = (line for text in texts for line in text[column].splitlines())
            widest = max(map(metrics.horizontalAdvance, lines), default=0)
            wide = max(widest, letters.horizontalAdvance(heading))
            self.setColumnWidth(column, wide + self._theme.pixels(_AIR))


def _told(row: Expected) -> tuple[str, ...]:
    """Write one row."""
    low, high = row.drug.low, row.drug.high
    decimals = places(low, high) if high > low else 0 if row.unit == "1" else 2
    mark = ""
    if row.is_inside is not None:
        mark = " ●" if row.is_inside else " ▼" if row.measured < row.drug.median else " ▲"
    measured = f"{_number(row.measured, decimals)}{mark}" if math.isfinite(row.measured) else MISSING
    unit = "" if row.unit == "1" else f", {row.unit}"
    step = f"at {'+' if row.step > 0 else ''}{significant(row.step)} pA"
    spans = (_span(each, decimals) for each in (row.drug, row.unchanged, row.prior))
    return f"{row.feature.replace('_', ' ')}{unit}\n{step}", "", *spans, measured


def _span(span: Span, decimals: int) -> str:
    """Write the median over the interval, with the digits that the interval under the drug deserves."""
    if not math.isfinite(span.median):
        return MISSING
    joint = "…" if span.low < 0 or span.high < 0 else "–"
    low, high = (_number(value, decimals) for value in (span.low, span.high))
    return f"{_number(span.median, decimals)}\n{low}{joint}{high}"


def _number(value: float, decimals: int) -> str:
    return fixed(value, max(decimals, 0) if float(value).is_integer() else decimals)


def _tip(row: Expected) -> str:
    unit = "" if row.unit == "1" else f" {row.unit}"
    control = f"{significant(row.control)}{unit}" if math.isfinite(row.control) else "missing"
    return f"{row.feature.replace('_', ' ')}: under control {control}\n{LEGEND}"
