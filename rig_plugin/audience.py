"""This file is the audience: who is told of what a session does, and can't harm it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol as Interface

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from estimators.slices import Slices
from hardware.decision import Decision
from hardware.injection import Injection
from rig_plugin.dosing import Dosing
from rig_plugin.feed import RecordingStatus
from rig_plugin.membrane_tests import Tested
from rig_plugin.proposal import Proposed
from rig_plugin.refined import Refined
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

__all__ = ["Audience", "Listener", "Silent"]

_LOG = logging.getLogger("rig_plugin")


class Listener(Interface):
    """Who is told; each method must return at once."""

    def started(self, stimulus: Stimulus, rate: float, file_sweep: int | None, units: Mapping[str, str] = ...) -> None:
        """A sweep begins; units of further channels by their names are told only where there are any."""

    def block(
        self,
        response: npt.NDArray[np.float64],
        command: npt.NDArray[np.float64] | None,
        others: Mapping[str, npt.NDArray[np.float64]] = ...,
    ) -> None:
        """At most 20 ms of it came; others are the further channels, told only where there are any."""

    def finished(self, trial: Trial) -> None:
        """It is saved and read."""

    def overlaid(self, trial: int, overlay: Overlay) -> None:
        """This is what the cells of its posterior do; told only where the session was asked to."""

    def beside(self, injection: Injection) -> None:
        """How a device beside the rig stands; told from a thread of its own, and only where there is one."""

    def tested(self, tested: Tested) -> None:
        """A membrane test that is no part of a sweep was read and judged."""

    def sliced(self, trial: int, slices: Slices) -> None:
        """This is its posterior with others held; told only while the session was asked to look."""

    def proposed(self, proposed: Proposed) -> None:
        """This sweep is next; told only from when the session was asked how its gate stands."""

    def decided(self, decision: Decision) -> None:
        """A script decided this; told only where one is played."""

    def dosed(self, dosing: Dosing) -> None:
        """This is how a virtual drug stands; told only while one is given."""

    def status(self, recording: RecordingStatus) -> None:
        """How the recording is doing."""

    def ended(self, reason: str | None) -> None:
        """The session is over; the reason is a sentence where something went wrong."""

    def refined(self, refined: Refined) -> None:
        """The posterior was refined, or could not be; told from a thread of its own, also after the end."""


class Audience:
    """All who listen to a session; one that fails is logged, and the others are told all the same.

    Args:
        listeners: They are told in this order.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def tell(self, event: str, *what: object) -> None:
        """Tell everybody.

        Args:
            event: Name of the listener's method.
            what: Its arguments.
        """
        for listener in self._listeners:
            try:
                getattr(listener, event)(*what)
            except Exception:  # noqa: BLE001 - whatever a listener does, the recording goes on
                _LOG.exception("A listener failed at '%s'; the recording goes on.", event)


class Silent:
    """A listener that hears nothing; who wants to hear something overrides that method."""

    def __getattr__(self, event: str) -> Callable[..., None]:
        """Give what is done with any event."""
        if event not in vars(Listener):
            raise AttributeError(event)
        return _nothing


def _nothing(*what: object) -> None:
    """Hear it, and forget it."""
