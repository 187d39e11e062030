"""This file is the pointer: where the mouse is, asked of either binding by the name that it does not warn of."""

from __future__ import annotations

from rig_plugin.widgets.qt import QtCore, QtGui

__all__ = ["pointer"]


def pointer(event: QtGui.QMouseEvent) -> QtCore.QPointF:
    """Tell where in its widget an event of the mouse is; Qt 6 calls it position, and Qt 5 does not know that.

    Args:
        event: As Qt sent it.

    Returns:
        The place, from the widget's upper left corner [pixels].
    """
    return QtCore.QPointF(event.position() if hasattr(event, "position") else event.localPos())
