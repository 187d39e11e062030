"""This file is the feature table: what was measured on the sweep, beside what the sweeps before led one to expect."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rig_plugin.trial import Trial
from rig_plugin.widgets.feature_history import Feature, FeatureHistory
from rig_plugin.widgets.number import MISSING, significant, with_unit
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal

__all__ = ["Feature", "FeatureTable", "surprise"]

_COLUMNS = ("feature", "value", "unit", "", "predicted")
_TIPS = (
    "Point at a name for its definition; click a row for its history over the trials, once more to close it.",
    "As measured on this sweep; – where the sweep does not have it.",
    "",
    "▲ higher, ▼ lower than what was predicted.",
    "What the posterior of the sweeps before this one predicted: 5 % to 95 %.",
)


_ROW = 19
_WIDE = 640
_AIR = 16
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)


def surprise(value: float, predicted: tuple[float, float, float] | None) -> str:
    """Say whether a feature lies outside what was predicted.

    Args:
        value: As measured; NaN is missing.
        predicted: 5, 50 and 95 %, or None where nothing was.

    Returns:
        "▲ high", "▼ low" or nothing.
    """
    if predicted is None or not math.isfinite(value):
        return ""
    low, _, high = predicted
    return "▼ low" if value < low else "▲ high" if value > high else ""


class FeatureTable(Panel):
    """Name, value, unit and the range that was predicted; what lies outside it is marked by a word and a shape.

    A click on a row shows that feature's history, under the table or, in a wide panel, beside it.

    Args:
        features: One for each row, in order.
        parent: Owner, as in Qt.
    """

    chosen = Signal(str)

    def __init__(self, features: Sequence[Feature], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Features", "", parent)
        self._features = tuple(features)
        self._trial: Trial | None = None
        self._table = QtWidgets.QTableWidget(len(self._features), len(_COLUMNS))
        self._table.setToolTip("What was measured on this sweep.")
        self._prepare()
        self.history = FeatureHistory()
        self.history.hide()
        self._split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        self._split.setChildrenCollapsible(False)
        for widget in (self._table, self.history):
            self._split.addWidget(widget)
        self._body.addWidget(self._split, 1)
        self._table.cellClicked.connect(lambda row, _: self._click(row))
        self.say("")
        self.wear(self.theme)

    def cells(self, name: str) -> tuple[str, ...]:
        """Read a row as it stands on the screen.

        Args:
            name: Of the feature.

        Returns:
            Text of each column.

        Raises:
            KeyError: If there is no such row.
        """
        for row, feature in enumerate(self._features):
            if feature.name == name:
                items = (self._table.item(row, column) for column in range(len(_COLUMNS)))
                return tuple(item.text() if item is not None else "" for item in items)
        raise KeyError(f"No row shows '{name}'; the table has {', '.join(f.name for f in self._features)}.")

    def choose(self, name: str) -> None:
        """Show a feature's history, or none.

        Args:
            name: Of the feature; an unknown or empty one closes the history.
        """
        feature = {each.name: each for each in self._features}.get(name)
        was_open = not self.history.isHidden()
        self.history.choose(feature)
        self.history.setVisible(feature is not None)
        if feature is None:
            self._table.clearSelection()
        else:
            row = self._features.index(feature)
            self._table.selectRow(row)
            if not was_open:
                self._turn(anew=True)
            self._table.scrollToItem(self._table.item(row, 0))
        self.chosen.emit(feature.name if feature is not None else "")

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Put the history where there is more room."""
        super().resizeEvent(event)
        self._turn()

    def _turn(self, anew: bool = False) -> None:
        way = QtCore.Qt.Orientation
        wanted = way.Horizontal if self.width() > self.theme.pixels(_WIDE) else way.Vertical
        if anew or self._split.orientation() != wanted:
            self._split.setOrientation(wanted)
            self._split.setSizes([1, 1] if wanted == way.Vertical else [self.theme.pixels(_WIDE) // 2, self.width()])

    def _click(self, row: int) -> None:
        name = self._features[row].name
        self.choose("" if name == self.history.followed else name)

    def _prepare(self) -> None:
        table = self._table
        table.setHorizontalHeaderLabels(list(_COLUMNS))
        table.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows, columns = table.verticalHeader(), table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setMinimumSectionSize(16)
            rows.setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.Fixed)
            columns.setHighlightSections(False)
            # Widths are set once: a table that fits them to each cell that changes takes 70 ms a trial for it.
            columns.setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.Fixed)
            columns.setStretchLastSection(True)
        for column, tip in enumerate(_TIPS):
            head = table.horizontalHeaderItem(column)
            if head is not None:
                head.setToolTip(tip)
                head.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole, _RIGHT if column == 1 else _LEFT)
        for row, feature in enumerate(self._features):
            for column in range(len(_COLUMNS)):
                item = QtWidgets.QTableWidgetItem("")
                item.setToolTip(f"{feature.name}: {feature.meaning}")
                if column in (1, 4):
                    item.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole, _RIGHT if column == 1 else _LEFT)
                table.setItem(row, column, item)

    def _take(self, trial: Trial) -> None:
        self._trial = trial
        self.history.push(trial)

    def _clear(self) -> None:
        self._trial = None
        self.history.clear()

    def _draw(self) -> None:
        trial = self._trial
        self.history.draw()
        off = 0
        for row, feature in enumerate(self._features):
            value = trial.features.get(feature.name, math.nan) if trial else math.nan
            predicted = trial.predictive.get(feature.name) if trial else None
            mark = surprise(value, predicted)
            off += bool(mark)
            expected = f"{significant(predicted[0])}…{significant(predicted[2])}" if predicted else ""
            words = (
                feature.name.replace("_", " "),
                significant(value),
                with_unit("", feature.unit).strip(),
                mark,
                expected,
            )
            for column, text in enumerate(words):
                self._write(row, column, text, bool(mark) and column in (1, 3), value)
        if trial is None:
            self._aside.setText("filled after each sweep")
            return
        predicted_count = len(trial.predictive)
        self._aside.setText(
            f"trial {trial.index}" + (f"   {off} of {predicted_count} not as predicted" if predicted_count else "")
        )

    def _write(self, row: int, column: int, text: str, marked: bool, value: float) -> None:
        item = self._table.item(row, column)
        if item is None:
            return
        if item.text() != text:
            item.setText(text)
        theme = self.theme
        is_quiet = column in (2, 4) or text == MISSING or not math.isfinite(value)
        colour = theme.caution if marked else theme.quiet if is_quiet else theme.text
        item.setForeground(QtGui.QBrush(QtGui.QColor(colour)))

    def _wear(self) -> None:
        """Set widths, and the height of the rows again, which a new style sheet takes back."""
        self.history.wear(self.theme)
        table = self._table
        units = [with_unit("", feature.unit).strip() for feature in self._features]
        names = [feature.name.replace("_", " ") for feature in self._features]
        letters = QtGui.QFont(table.font())
        letters.setPixelSize(self.theme.pixels(12))
        words, numbers = QtGui.QFontMetrics(letters), QtGui.QFontMetrics(self.theme.face(12))
        for column, (texts, metrics) in enumerate(
            ((names, words), (["−0.00000"], numbers), ([*units, "unit"], words), (["▼ high"], words))
        ):
            widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
            table.setColumnWidth(column, widest + _AIR)
        for row in range(len(self._features)):
            for column, size in ((1, 12), (4, 11)):
                item = table.item(row, column)
                if item is not None:
                    item.setFont(self.theme.face(size))
        rows = table.verticalHeader()
        if rows is not None:
            rows.setDefaultSectionSize(self.theme.pixels(_ROW))
