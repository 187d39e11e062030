"""This file is Qt: the one place where the binding is chosen, PyQt5 unless PYQTGRAPH_QT_LIB says otherwise."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

if "PYQTGRAPH_QT_LIB" not in os.environ and find_spec("PyQt5") is not None:
    os.environ["PYQTGRAPH_QT_LIB"] = "PyQt5"

import pyqtgraph as pg  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from PyQt5 import QtCore, QtGui, QtSvg, QtTest, QtWidgets
    from PyQt5.QtCore import pyqtSignal as Signal
    from PyQt5.QtWidgets import QAction as Action
else:
    from pyqtgraph.Qt import QtCore, QtGui, QtSvg, QtTest, QtWidgets

    Signal = QtCore.Signal
    # pyqtgraph gives it this place in every binding.
    Action = QtGui.QAction

__all__ = ["Action", "QtCore", "QtGui", "QtSvg", "QtTest", "QtWidgets", "Signal", "pg"]
