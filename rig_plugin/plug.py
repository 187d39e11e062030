"""This file is the plug: how the stages are played whose sweeps somebody else chooses, adaptive ones and drugs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware.decision import Decision
from rig_plugin.dosing import Dosing
from rig_plugin.protocol import Request
from rig_plugin.stages import AdaptiveStage, DrugStage
from rig_plugin.stretch import Hold
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

if TYPE_CHECKING:
    from estimators.checkpoint import Checkpoint
    from estimators.observer import Observer
    from hardware.rig import Rig
    from rig_plugin.settings import Settings

__all__ = ["NO_PLUGS", "Course", "Outcome", "Plugs", "Scene"]


@dataclass(frozen=True)
class Outcome:
    """Why a stage ended.

    Args:
        said: A sentence with values and units.
        is_reached: Whether what it was for was reached; the experiment goes on either way.
        criterion: Key of the criterion that ended it, or "".
        measured: What was held against it.
        bound: Where it lies.
        unit: Of both.
    """

    said: str
    is_reached: bool = True
    criterion: str = ""
    measured: float = float("nan")
    bound: float = float("nan")
    unit: str = ""


Course = Generator[Stimulus | Request | Hold | Decision | Dosing, Trial | None, Outcome]
"""A protocol of one stage, which returns why it ended; `trial = yield request` as in any protocol."""


def _never() -> bool:
    return False


@dataclass(eq=False)
class Scene:
    """What a stage that is plugged in may look at when it begins.

    Args:
        rig: The open rig; what is played is asked for, not played on it.
        observer: That has seen all sweeps so far, those of a former recording included.
        checkpoint: The network.
        settings: Of the rig file, with its limits and its interval.
        last: The last trial of this session, or None.
        is_over: Tells whether the session is to end, so that nothing more is waited for.
    """

    rig: Rig
    observer: Observer
    checkpoint: Checkpoint
    settings: Settings
    last: Trial | None = None
    is_over: Callable[[], bool] = _never


@dataclass(frozen=True)
class Plugs:
    """What plays the stages that this program only names; importable by name, so that an engine can be given it.

    Args:
        adaptive: Makes the course of an adaptive stage when that begins; None where there is nobody.
        drug: Makes the course of a virtual drug; it leaves the clamp off however it ends, and its sweeps out of the
            posterior; None where there is nobody.
    """

    adaptive: Callable[[AdaptiveStage, Scene], Course] | None = None
    drug: Callable[[DrugStage, Scene], Course] | None = None

    def of(self, kind: str) -> Callable[[Any, Scene], Course] | None:
        """Find who plays a kind of stage.

        Args:
            kind: "adaptive" or "drug".

        Returns:
            The maker, or None.
        """
        found: Callable[[Any, Scene], Course] | None = {"adaptive": self.adaptive, "drug": self.drug}[kind]
        return found


NO_PLUGS = Plugs()
