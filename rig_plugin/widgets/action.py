"""This file is the action: one thing that the user can do, by its key and by the menu."""

from __future__ import annotations

from collections.abc import Callable

from rig_plugin.widgets.qt import Action, QtCore, QtGui, QtWidgets

__all__ = ["action"]


def action(owner: QtWidgets.QWidget, text: str, key: str, act: Callable[[], object], tip: str = "") -> Action:
    """Make an action whose key works in all of the program's windows.

    A panel that floats is a window of its own, and the key has to work there too.

    Args:
        owner: The widget that it belongs to, and with which it goes.
        text: What the menu calls it.
        key: As Qt names it, or empty for none.
        act: What is done.
        tip: One sentence more.

    Returns:
        The action; it can be put into menus.
    """
    made = Action(text, owner)
    if key:
        made.setShortcut(QtGui.QKeySequence(key))
        made.setShortcutContext(QtCore.Qt.ShortcutContext.ApplicationShortcut)
        # Held down it would start and stop by turns.
        made.setAutoRepeat(False)
    if tip:
        made.setToolTip(tip)
        made.setStatusTip(tip)
    made.triggered.connect(lambda *_: act())
    owner.addAction(made)
    return made
