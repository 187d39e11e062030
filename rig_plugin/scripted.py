"""This file is the scripted session: a script with all that it takes to be played, or gone on with, on a rig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from estimators.checkpoint import Checkpoint
from hardware.decision import Decision
from hardware.kept.decisions import decisions
from hardware.recording import RecordingError
from hardware.rig import Rig
from rig_plugin.experiment import Experiment
from rig_plugin.former import Former
from rig_plugin.plug import NO_PLUGS, Plugs, Scene
from rig_plugin.protocol import Protocol
from rig_plugin.rehearsal import rehearse, stimuli_of
from rig_plugin.script import Script
from rig_plugin.settings import Settings
from simulators.stimulus import Stimulus

__all__ = ["Scripted", "told_in"]


@dataclass(frozen=True, eq=False)
class Scripted:
    """What is played.

    Args:
        script: Read and checked.
        plugs: What plays its adaptive stages and its drugs.
        former: A recording that it goes on from; None begins anew.
    """

    script: Script
    plugs: Plugs = NO_PLUGS
    former: Former | None = None

    @property
    def start(self) -> datetime | None:
        """When the first sweep of the cell began, where that was before."""
        return None if self.former is None else self.former.start

    def rehearse(self, settings: Settings, checkpoint: Checkpoint, rig: Rig) -> tuple[Stimulus, ...]:
        """Refuse what can't be played to its end, before anything is.

        Args:
            settings: Of the rig file.
            checkpoint: The network.
            rig: Closed.

        Returns:
            The sweeps that the script names itself.

        Raises:
            SettingsError: As `rehearsal.rehearse`.
            RecordingError: As `Former.first_left`.
        """
        rehearse(self.script, settings, checkpoint, rig, self.plugs)
        if self.former is not None:
            self.former.first_left(self.script)
        return stimuli_of(self.script)

    def metadata(self) -> dict[str, Any]:
        """Say what a recording keeps of it.

        Returns:
            {"protocol", "resumes"}, of which the last is the former recording or None.
        """
        before = None if self.former is None else str(self.former.path.absolute())
        return {"protocol": self.script.to_json(), "resumes": before}

    def protocol(self, scene: Scene, described: Mapping[str, Any]) -> Protocol:
        """Give what is played, after the observer has seen what was recorded before.

        Args:
            scene: Where.
            described: The session's metadata, which tell the network.

        Returns:
            The protocol.
        """
        if self.former is None:
            return Experiment(self.script, scene, self.plugs).protocol()
        known = described.get("checkpoint")
        if known is not None and known == self.former.checkpoint:
            used = self.former.take_in(scene.observer)
            kept = f"the posterior rests on {used} of its sweeps"
        else:
            kept = "another network read it, so the posterior begins anew"
        before = f"was over in {self.former.path.name}; {kept}."
        first = self.former.first_left(self.script)
        return Experiment(self.script, scene, self.plugs, first, before).protocol()


def told_in(path: Path) -> tuple[Decision, ...]:
    """Give the decisions of a file, whatever file it is.

    Args:
        path: Any that can be replayed.

    Returns:
        In order; none where it is no recording of this program, or tells of no script.
    """
    try:
        return tuple(decisions(path))
    except RecordingError:
        return ()
