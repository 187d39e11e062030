"""This file is the overlaying: what cells of the posterior do under a trial's command, over the recording as it is."""

from __future__ import annotations

from estimators.observer import Observer
from estimators.overlay import Overlay
from rig_plugin.crop import crop
from rig_plugin.protocol import Request
from rig_plugin.trial import Trial

__all__ = ["overlaid"]


def overlaid(trial: Trial, request: Request, observer: Observer) -> Overlay | None:
    """Simulate them.

    Args:
        trial: The newest.
        request: That it was played by.
        observer: Who has the posterior.

    Returns:
        What to draw, in the recording's own voltage; None where the sweep is not trusted, or nothing is known.
    """
    sweep = trial.sweep
    if sweep is None or sweep.stimulus is None or not trial.trust.in_distribution:
        return None
    part = crop(sweep.stimulus, request.history)
    overlay = observer.overlay(part.context(sweep.rate))
    return None if overlay is None else overlay.moved(part.skip, sweep.response - sweep.corrected, sweep.rate)
