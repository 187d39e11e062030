"""This file is the session's control: what a window can ask of a session, whichever process that runs in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rig_plugin.feed import RecordingStatus
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.stages import DrugStage

__all__ = ["SessionControl"]


class SessionControl(Protocol):
    """What the window can ask of a session; each call returns at once."""

    @property
    def status(self) -> RecordingStatus | None:
        """How the recording is doing, or None before the session began."""

    def start(self) -> None:
        """Begin, or begin anew after an end."""

    def stop(self) -> None:
        """End, and return the command to its exit state."""

    def note(self) -> None:
        """Hold this moment for a text that is still being typed."""

    def mark(self, text: str = "") -> None:
        """Note this moment in the recording, or with a text the one that was held."""

    def look(self, names: Sequence[str]) -> None:
        """Slice the posterior along these parameters from the next trial on; none for no slices."""

    def gate(self, mode: str) -> None:
        """Play each sweep at once ("auto") or only after `go` ("accept"), in this session and in later ones."""

    def play(self, protocol: ProtocolSettings) -> None:
        """Play another protocol on the rig from the next start on."""

    def give(self, stage: DrugStage) -> None:
        """Give a virtual drug when the sweep that is played or waits is over."""

    def go(self) -> None:
        """Play the sweep that waits."""

    def skip(self) -> None:
        """Pass over the sweep that is next."""

    def refine(self) -> None:
        """Refine the posterior of this cell now, also when the session is over."""

    def record(self, on: bool, folder: Path | None = None) -> None:
        """Record into a new file from the next sweep on, or end that after the running one."""
