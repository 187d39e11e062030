"""This file is the scripted session: a script with all that it takes to be played, or gone on with, on a rig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from estimators.checkpoint import Checkpoint
from estimators.observer import Observer
from hardware.decision import Decision
from hardware.kept.decisions import decisions
from hardware.recording import RecordingError
from hardware.rig import Rig
from rig_plugin.experiment import Experiment
from rig_plugin.former import Former, before, seed_of
from rig_plugin.plug import NO_PLUGS, Plugs, Scene
from rig_plugin.protocol import Protocol
from rig_plugin.rehearsal import rehearse, stimuli_of
from rig_plugin.script import Script
from rig_plugin.settings import Settings
from simulators.stimulus import Stimulus

__all__ = ["Retold", "Scripted", "retold_in"]


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

    def metadata(self, seed: int) -> dict[str, Any]:
        """Say what a recording keeps of it.

        Args:
            seed: Of the draws.

        Returns:
            {"protocol", "seed", "resumes"}, of which the last is the former recording or None.
        """
        earlier = None if self.former is None else str(self.former.path.absolute())
        return {"protocol": self.script.to_json(), "seed": seed, "resumes": earlier}

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


@dataclass(frozen=True, eq=False)
class Retold:
    """What a recording of a script tells besides its sweeps, to be replayed as it was played.

    Args:
        decisions: In order.
        seed: Of its draws.
        former: What it went on from, or None.
    """

    decisions: tuple[Decision, ...] = ()
    seed: int = 0
    former: Former | None = None

    @property
    def start(self) -> datetime | None:
        """When the first sweep of the cell began, where that was before."""
        return None if self.former is None else self.former.start

    def observer(self, checkpoint: Checkpoint, fingerprint: str | None) -> Observer:
        """Make an observer that has seen what came before, where the same network read it.

        Args:
            checkpoint: The network.
            fingerprint: Of its file, or None.

        Returns:
            The observer.
        """
        observer = Observer(checkpoint, self.seed)
        if self.former is not None and fingerprint is not None and fingerprint == self.former.checkpoint:
            self.former.take_in(observer)
        return observer


def retold_in(path: Path) -> Retold:
    """Read what a file tells of a script, whatever file it is.

    Args:
        path: Any that can be replayed.

    Returns:
        Nothing where it is no recording of this program, or none of a script.
    """
    try:
        told = tuple(decisions(path))
        return Retold(told, seed_of(path), before(path)) if told else Retold()
    except RecordingError:
        return Retold()
