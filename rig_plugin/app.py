"""This file is the app: the window over a session, on a rig or on a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig_plugin.display import check_display
from rig_plugin.engine.client import Client
from rig_plugin.lull import lull
from rig_plugin.preparation import Preparation, on_rig, recorded
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.settings import Settings
from simulators.refusal import Refusal
from simulators.stimulus import Clamp

if TYPE_CHECKING:
    from rig_plugin.desk import Desk

__all__ = ["attach", "replay", "show"]


def attach(settings: Settings, clamp: Clamp | None = None, file: Path | None = None) -> int:
    """Open the window on a rig and start.

    Args:
        settings: What the rig file says.
        clamp: Has membrane tests in it played in place of the protocol.
        file: The rig file, or None.

    Returns:
        The exit status of the window.

    Raises:
        DisplayError: If there is nowhere to show a window.
    """
    return show(on_rig(settings, file, clamp))


def replay(settings: ReplaySettings) -> int:
    """Open the window on a recording and start.

    Args:
        settings: Which, and how to read it.

    Returns:
        The exit status of the window.

    Raises:
        DisplayError: If there is nowhere to show a window.
        RecordingError: If the file can't be read.
    """
    check_display()
    from rig_plugin import opening

    # What can't be read is said at the command line, not in a window that opens to say it.
    opening.replay(settings, opening.network(settings.network))
    return show(recorded(settings))


def show(preparation: Preparation, shown: Callable[[Desk], object] | None = None) -> int:
    """Show the desk until it is closed; the engine has ended before this returns.

    Args:
        preparation: What lies on it at first.
        shown: Is called with the desk as soon as it can be seen.

    Returns:
        The exit status of the window.

    Raises:
        DisplayError: If there is nowhere to show a window.
        CheckpointError: If the network can't be used.
    """
    check_display()
    # The engine loads what it needs while this process loads Qt.
    client = Client(preparation.opener)
    from rig_plugin.desk import Desk
    from rig_plugin.widgets.qt import QtCore, QtWidgets

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    try:
        desk = Desk(preparation, first=client)
    except Refusal:
        client.close()
        raise
    desk.show()
    if shown is not None:
        shown(desk)
    QtCore.QTimer.singleShot(0, desk.start)
    with lull():
        status = int(application.exec())
    left = desk.board.left
    desk.deleteLater()
    if left is not None:
        # Closed while it recorded, the window had no moment to offer this itself.
        export = f"`rig-plugin export {left} --nwb {left.with_suffix('.nwb')}`"
        click.echo(f"The recording is {left}; {export} makes a file of it for others.", err=True)
    return status
