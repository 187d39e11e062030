"""This file is the quantity: a number with its unit that is typed or stepped, and that no wheel changes in passing."""

from __future__ import annotations

from dataclasses import Field
from typing import Any

from rig_plugin.widgets.number import fixed
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets

__all__ = ["Quantity"]

_DECIMALS = 3
_WIDEST = 1e6
_STEPS = {"pA": 10.0, "ms": 50.0, "s": 1.0}


class Quantity(QtWidgets.QDoubleSpinBox):
    """A box for one key of a rig file, in the unit and between the limits of that key.

    What is typed counts when Enter is pressed or the box is left, which gives the keys back to the window.

    Args:
        declared: The field of the settings, made by `toml_table.key`; its key ends in the unit.
        parent: Owner, as in Qt.
    """

    def __init__(self, declared: Field[Any], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        said = declared.metadata
        self.unit = str(said["key"]).rsplit("_", 1)[-1]
        self._factor = float(said["factor"])
        # A comma between numbers is not one within them, wherever the computer stands.
        self.setLocale(QtCore.QLocale.c())
        self.setDecimals(_DECIMALS)
        self.setRange(max(said["low"], -_WIDEST), min(said["high"], _WIDEST))
        self.setSingleStep(_STEPS[self.unit])
        self.setSuffix(f" {self.unit}")
        self.setKeyboardTracking(False)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight)
        # Else it would be as wide as the longest number that it could hold.
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)

    @property
    def amount(self) -> float:
        """The number in the unit of the settings."""
        return self.value() * self._factor

    def show_amount(self, amount: float) -> None:
        """Show another number, as if nobody had typed it.

        Args:
            amount: In the unit of the settings.
        """
        was = self.blockSignals(True)
        self.setValue(amount / self._factor)
        self.blockSignals(was)

    def textFromValue(self, value: float) -> str:
        """Write no more decimals than there are, with a true minus sign."""
        text = fixed(value, _DECIMALS)
        return text.rstrip("0").rstrip(".")

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Give the keys back to the window once Enter was pressed."""
        super().keyPressEvent(event)
        if event.key() in (QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter):
            self.clearFocus()

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """Step only where it was chosen before: a list that is scrolled past must not change a stimulus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
