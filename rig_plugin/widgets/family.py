"""This file is the family's form: the fields of a family of steps, each with its unit and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from rig_plugin.protocol_settings import CHOOSERS, ProtocolSettings
from rig_plugin.widgets.number import significant
from rig_plugin.widgets.qt import QtWidgets, Signal
from rig_plugin.widgets.quantity import Quantity
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["FamilyForm", "amplitudes_of"]

WAYS = ("from start to stop", "list of steps", "no steps, held")
_LISTED, _HELD = 1, 2
_CHOOSERS = (
    "played as it stands",
    "played, the best suggested beside it",
    "steps chosen, each waits for G",
    "steps chosen and played",
)
_HELD_FOR = 60_000.0
_BESIDE = 2
_NARROWEST = 70
_ROWS = (
    ("start", "start", "First step, above the holding.", 0),
    ("stop", "stop", "Last step, above the holding.", 0),
    ("step", "by", "From one step to the next.", 0),
    ("gap_free", "for", "How long the holding is recorded without gaps.", _HELD),
    ("holding", "holding", "Current before and after the step.", None),
    ("onset", "onset", "Start of the step; 50 ms at least are kept before it.", None),
    ("duration", "duration", "Length of the step.", None),
    ("tail", "tail", "Time kept after the step.", None),
    ("interval", "every", "From the start of one sweep to the start of the next; 2 s at least before a cell.", None),
    (
        "test_pulse",
        "test pulse",
        "Size of the pulse before each step, which tests every sweep; 0 for none.",
        None,
    ),
    ("test_duration", "its length", "Length of the test pulse.", None),
    ("recovery", "recovery", "Time from the test pulse to the step, where the onset is shorter.", None),
)
_ORDER = (
    "start", "stop", "step", "gap_free", "holding", "interval", "onset", "duration", "tail", "test_pulse",
    "test_duration", "recovery",
)  # fmt: skip


class FamilyForm(QtWidgets.QWidget):
    """Fields over one family; `edited` tells the whole of it whenever one was changed by hand.

    Args:
        settings: What is shown at first.
        parent: Owner, as in Qt.
    """

    edited = Signal(object)
    misread = Signal(str)

    def __init__(self, settings: ProtocolSettings, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self._settings, self._theme = settings, DARK
        self._worn: Theme | None = None
        self._faults: Mapping[str, str] = {}
        self.way = QtWidgets.QComboBox()
        self.way.addItems(WAYS)
        self.way.setToolTip("How the steps are given, or that there are none.")
        self.chooser = QtWidgets.QComboBox()
        self.chooser.addItems(_CHOOSERS)
        self.chooser.setToolTip("By how much each sweep is expected to tell of the cell; [adaptive] says about what.")
        self.amplitudes = QtWidgets.QLineEdit()
        declared = {each.name: each for each in fields(ProtocolSettings)}
        self.boxes = {name: Quantity(declared[name]) for name, *_ in _ROWS}
        self._labels = {name: QtWidgets.QLabel(text) for name, text, *_ in _ROWS}
        self._lay_out()
        self.way.currentIndexChanged.connect(self._change_way)
        self.chooser.currentIndexChanged.connect(self._change_chooser)
        self.amplitudes.editingFinished.connect(self._read_list)
        self.amplitudes.returnPressed.connect(lambda: self.amplitudes.clearFocus())
        for name, box in self.boxes.items():
            box.valueChanged.connect(lambda _, name=name: self._edit(name))
        self.show_settings(settings)

    def show_settings(self, settings: ProtocolSettings) -> None:
        """Show another family, as if nobody had typed it.

        Args:
            settings: Which.
        """
        self._settings = settings
        way = _way(settings)
        was = self.way.blockSignals(True)
        self.way.setCurrentIndex(way)
        self.way.blockSignals(was)
        was = self.chooser.blockSignals(True)
        self.chooser.setCurrentIndex(CHOOSERS.index(settings.chosen_by))
        self.chooser.blockSignals(was)
        self.chooser.setVisible(way != _HELD)
        self.amplitudes.setText(", ".join(significant(each, 6) for each in settings.amplitudes))
        self.amplitudes.setVisible(way == _LISTED)
        for name, _, _, only in _ROWS:
            self.boxes[name].show_amount(getattr(settings, name))
            seen = only == way or (only is None and (way != _HELD or name == "holding"))
            self.boxes[name].setVisible(seen)
            self._labels[name].setVisible(seen)
        for name in ("test_duration", "recovery"):
            self.boxes[name].setEnabled(bool(settings.test_pulse))

    def blame(self, faults: Mapping[str, str]) -> None:
        """Mark the fields with which something is wrong.

        Args:
            faults: {name of the field: a sentence}.
        """
        if (self._worn, self._faults) == (self._theme, faults):
            return
        self._worn, self._faults = self._theme, dict(faults)
        for name, text, tip, _ in _ROWS:
            self._mark(name, self._labels[name], text, tip)
        self._outline(self.amplitudes, "amplitudes")

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        for box in (self.way, self.chooser, *self.boxes.values()):
            box.setPalette(theme.palette())
            box.setMinimumWidth(theme.pixels(_NARROWEST))
        self.blame(self._faults)

    def _lay_out(self) -> None:
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(0, 0, 4, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.addWidget(self.way, 0, 0, 1, 2 * _BESIDE)
        grid.addWidget(self.amplitudes, 1, 0, 1, 2 * _BESIDE)
        self.amplitudes.setToolTip("Steps above the holding in pA, with commas between them, in the order of play.")
        # What belongs to one way of giving steps has a row of its own, and what is always there stands below.
        places = ((2, 0), (2, 1), (3, 0), (2, 0), (4, 0), (4, 1), (5, 0), (5, 1), (6, 0), (6, 1), (7, 0), (7, 1))
        order = dict(zip(_ORDER, places, strict=True))
        for name, _, tip, _ in _ROWS:
            row, column = order[name]
            self._labels[name].setObjectName("quiet")
            self._labels[name].setToolTip(tip)
            self.boxes[name].setToolTip(tip)
            grid.addWidget(self._labels[name], row, 2 * column)
            grid.addWidget(self.boxes[name], row, 2 * column + 1)
        for column in range(_BESIDE):
            grid.setColumnStretch(2 * column + 1, 1)
        grid.addWidget(self.chooser, 8, 0, 1, 2 * _BESIDE)
        grid.setRowStretch(len(places), 1)

    def _mark(self, name: str, label: QtWidgets.QLabel, text: str, tip: str) -> None:
        fault = self._faults.get(name)
        label.setText(f"▲ {text}" if fault else text)
        label.setStyleSheet(f"color: {self._theme.caution};" if fault else "")
        self.boxes[name].setToolTip(fault or tip)
        self._outline(self.boxes[name], name)

    def _outline(self, widget: QtWidgets.QWidget, name: str) -> None:
        tone = self._theme.caution if name in self._faults else self._theme.line
        widget.setStyleSheet(
            f"color: {self._theme.text}; background: {self._theme.ground}; border: 1px solid {tone}; "
            f"border-radius: 4px; padding: 2px 6px; font-size: {self._theme.pixels(12)}px;"
        )

    def _edit(self, name: str) -> None:
        changed: dict[str, Any] = {name: self.boxes[name].amount}
        self.show_settings(replace(self._settings, **changed))
        self.edited.emit(self._settings)

    def _change_chooser(self, chooser: int) -> None:
        """Have somebody else choose."""
        self._settings = replace(self._settings, chosen_by=CHOOSERS[chooser])
        self.edited.emit(self._settings)

    def _change_way(self, way: int) -> None:
        """Give the same steps in another way, as far as that goes."""
        settings = replace(self._settings, gap_free=(self._settings.gap_free or _HELD_FOR) if way == _HELD else 0.0)
        if way == _LISTED and not settings.amplitudes and not settings.has_no_end:
            settings = replace(settings, amplitudes=settings.steps())
        elif way != _LISTED:
            settings = replace(settings, amplitudes=())
        self.show_settings(settings)
        self.edited.emit(settings)

    def _read_list(self) -> None:
        try:
            amplitudes = amplitudes_of(self.amplitudes.text())
        except ValueError as error:
            self.misread.emit(str(error))
            return
        self._settings = replace(self._settings, amplitudes=amplitudes)
        self.edited.emit(self._settings)


def amplitudes_of(text: str) -> tuple[float, ...]:
    """Read a list of steps.

    Args:
        text: As somebody typed it, with commas, semicolons or spaces between the numbers [pA].

    Returns:
        The numbers.

    Raises:
        ValueError: If one is no number, or there is none.

    Example:
        >>> amplitudes_of("−50, 0; 12.5")
        (-50.0, 0.0, 12.5)
    """
    wanted = "write steps in pA with commas between them, for instance −50, 0, 50."
    words = text.replace("−", "-").replace(",", " ").replace(";", " ").split()
    if not words:
        raise ValueError(f"There is no step: {wanted}")
    numbers = []
    for word in words:
        try:
            number = float(word)
        except ValueError as error:
            raise ValueError(f"'{word}' is no number: {wanted}") from error
        if not math.isfinite(number):
            raise ValueError(f"'{word}' can't be played: {wanted}")
        numbers.append(number)
    return tuple(numbers)


def _way(settings: ProtocolSettings) -> int:
    return _HELD if settings.gap_free else _LISTED if settings.amplitudes else 0
