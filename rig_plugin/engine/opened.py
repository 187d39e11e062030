"""This file is what the engine opens: a session on a rig or on a recording, from plain settings.

The window names these functions and the engine calls them: what a session needs, torch above all, is loaded there,
while the window is still being built, and the window never waits for it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rig_plugin.plug import Plugs
from rig_plugin.plugs import PLUGS
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.script import Script
from rig_plugin.settings import ProtocolSettings, Settings
from simulators.refusal import Refusal
from simulators.stimulus import Clamp

if TYPE_CHECKING:
    from rig_plugin.audience import Listener
    from rig_plugin.patching import Patching
    from rig_plugin.session import Session

__all__ = ["attach", "load", "patch", "replay", "script"]


def attach(settings: Settings, listener: Listener, protocol: ProtocolSettings | None = None) -> Session:
    """Open a session on a rig, with its network.

    Args:
        settings: What the rig file says.
        listener: Who is told.
        protocol: What is played in place of what it says; None leaves that.

    Returns:
        The session.

    Raises:
        Refusal: As `opening.attach`, or if the protocol leaves the limits.
    """
    from rig_plugin import opening

    settings = _played(settings, protocol)
    return opening.attach(
        settings, opening.network(settings.network.path), listeners=(listener,), overlays=True, refines=True
    )


def patch(settings: Settings, clamp: Clamp, listener: Listener, protocol: ProtocolSettings | None = None) -> Patching:
    """Open membrane tests on a rig.

    Args:
        settings: What the rig file says.
        clamp: In which they are played.
        listener: Who is told.
        protocol: As `attach`; only its holding counts here.

    Returns:
        The tests, without an end.

    Raises:
        Refusal: As `Patching`, or if the protocol leaves the limits.
    """
    from rig_plugin.patching import Patching

    return Patching(_played(settings, protocol), clamp, listeners=(listener,))


def replay(settings: ReplaySettings, listener: Listener) -> Session:
    """Open a session on a recording, with its network.

    Args:
        settings: Which, and how to read it.
        listener: Who is told.

    Returns:
        The session.

    Raises:
        Refusal: As `opening.replay`.
    """
    from rig_plugin import opening

    return opening.replay(settings, opening.network(settings.network), (listener,), overlays=True, refines=True)


def script(
    settings: Settings,
    played: Script,
    listener: Listener,
    protocol: ProtocolSettings | None = None,
    *,
    plugs: Plugs = PLUGS,
    resume: Path | None = None,
    folder: Path | None = None,
) -> Session:
    """Open a scripted experiment on a rig, with its network; it is recorded where the rig file says.

    Args:
        settings: What the rig file says.
        played: The script, read already.
        listener: Who is told, decisions included.
        protocol: As `attach`; only its holding, for test pulses, and its interval count here.
        plugs: What plays adaptive stages and drugs; functions that are importable by name.
        resume: A recording of this script that it goes on from; None begins anew.
        folder: Where it is recorded if the rig file names none, made where it is not there; None records nothing then.

    Returns:
        The session.

    Raises:
        Refusal: As `opening.attach`, or if the recording can't be gone on from.
    """
    from rig_plugin import opening
    from rig_plugin.former import former
    from rig_plugin.scripted import Scripted

    settings = _played(settings, protocol)
    checkpoint = opening.network(settings.network.path)
    scripted = Scripted(played, plugs, None if resume is None else former(resume))
    if settings.recording.folder is None and folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        settings = replace(settings, recording=replace(settings.recording, folder=folder))
    return opening.attach(settings, checkpoint, listeners=(listener,), overlays=True, scripted=scripted, refines=True)


def load(opener: Callable[..., object]) -> None:
    """Load what a session will need before it is asked for; what can't be loaded is told when it is.

    Membrane tests need none of it, and another's opener loads what it needs itself.

    Args:
        opener: What will open the session, with its settings.
    """
    if not isinstance(opener, partial) or opener.func not in (attach, replay, script):
        return
    settings = opener.args[0]
    # Nothing that is loaded now is garbage, and looking for some takes a tenth of the time.
    gc.disable()
    try:
        from estimators.observer import Observer
        from rig_plugin import opening
        from simulators.compiled import is_cold

        # What has to be compiled first takes a minute, which is told by the session.
        if not is_cold():
            named = settings.network if isinstance(settings, ReplaySettings) else settings.network.path
            Observer(opening.network(named)).warm(overlays=True)
    except Refusal:
        return
    finally:
        gc.enable()


def _played(settings: Settings, protocol: ProtocolSettings | None) -> Settings:
    """Put another protocol in the place of the rig file's, which is as safe as that was."""
    if protocol is None:
        return settings
    protocol.check(settings.limits.limits())
    return replace(settings, protocol=protocol)
