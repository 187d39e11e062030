"""This file is the first trace: the program as a user starts it, which ends when the first samples are on the screen.

It is run in a process of its own, so that nothing is loaded yet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["first_trace", "tell"]

_LOOK = 5
_PATIENCE = 600.0


def first_trace(cache: Path | None = None) -> float:
    """Start the program on the simulated cell and wait for its first trace.

    Args:
        cache: Where compiled kernels are kept; an empty folder makes it the first start after an installation.

    Returns:
        From the start of its process until the first samples are painted [s].

    Raises:
        RuntimeError: If the program ended without.
    """
    environment = dict(os.environ) if cache is None else {**os.environ, "XDG_CACHE_HOME": str(cache)}
    begun = time.time()
    run = subprocess.run(
        [sys.executable, "-c", f"from rig_plugin.tasks.first_trace import tell; tell({begun!r})"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"The program ended with {run.returncode} before its first trace: {run.stderr[-500:]}")
    return float(json.loads(run.stdout.splitlines()[-1])["first_trace_s"])


def tell(begun: float) -> None:
    """Be the program, and write when its first samples were painted.

    Args:
        begun: When the process was asked for, as `time.time()` tells it [s].
    """
    from rig_plugin.app import show
    from rig_plugin.preparation import on_rig
    from rig_plugin.settings import Settings

    show(on_rig(Settings()), lambda desk: _watch(desk, begun))


def _watch(desk: object, begun: float) -> None:
    """Look for the first samples, have them painted, and close."""
    from rig_plugin.desk import Desk
    from rig_plugin.widgets.qt import QtCore

    if not isinstance(desk, Desk):
        raise TypeError(f"{type(desk).__name__} was shown, the desk was wanted.")
    timer = QtCore.QTimer(desk)

    def look() -> None:
        if desk.board.scope.shown.size:
            timer.stop()
            desk.repaint()
            sys.stdout.write(json.dumps({"first_trace_s": time.time() - begun}) + "\n")
            sys.stdout.flush()
            desk.close()

    timer.timeout.connect(look)
    timer.start(_LOOK)
