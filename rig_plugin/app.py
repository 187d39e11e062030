"""This file is the app: the window over a session, on a rig or on a recording."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import click

from estimators.features import FEATURES
from rig_plugin import opening
from rig_plugin.display import check_display
from rig_plugin.engine import opened
from rig_plugin.engine.client import Client
from rig_plugin.engine.host import Opener
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.settings import Settings
from simulators.stimulus import Clamp

__all__ = ["attach", "replay"]

_RULES = QualitySettings()


def attach(settings: Settings, clamp: Clamp | None = None) -> int:
    """Open the window on a rig and start.

    Args:
        settings: What the rig file says.
        clamp: Has membrane tests in it played in place of the protocol.

    Returns:
        The exit status of the window.

    Raises:
        DisplayError: If there is nowhere to show a window.
    """
    name = "simulated cell" if settings.rig.kind == "model-cell" else settings.rig.kind
    opener: Opener = partial(opened.attach, settings) if clamp is None else partial(opened.patch, settings, clamp)
    return _show(opener, settings.network.path, name, is_replay=False, rules=settings.quality)


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
    # What can't be read is said at the command line, not in a window that opens to say it.
    opening.replay(settings, opening.network(settings.network))
    return _show(partial(opened.replay, settings), settings.network, settings.file.name, is_replay=True)


def _show(opener: Opener, path: Path | None, source: str, *, is_replay: bool, rules: QualitySettings = _RULES) -> int:
    """Show the window until it is closed; the engine has ended before this returns."""
    check_display()
    checkpoint = opening.network(path)
    from rig_plugin.widgets.qt import QtCore, QtWidgets
    from rig_plugin.window import Window

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    with closing(Client(opener, checkpoint.spec.parameters)) as client:
        window = Window(
            client,
            checkpoint.spec.parameters,
            FEATURES,
            checkpoint.spec.name,
            source,
            feed=client,
            is_replay=is_replay,
            rules=rules,
        )
        window.show()
        QtCore.QTimer.singleShot(0, window.start)
        status = int(application.exec())
        left = window.left
    if left is not None:
        # Closed while it recorded, the window had no moment to offer this itself.
        export = f"`rig-plugin export {left} --nwb {left.with_suffix('.nwb')}`"
        click.echo(f"The recording is {left}; {export} makes a file of it for others.", err=True)
    return status
