"""This file is the caption: the line under a figure that says, in a year, what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

__all__ = ["Caption", "program"]


def program() -> str:
    """Name this program with its version.

    Returns:
        "rig-plugin 0.1.0", or the name alone where it was never installed.
    """
    try:
        return f"rig-plugin {version('rig-plugin')}"
    except PackageNotFoundError:
        return "rig-plugin"


@dataclass(frozen=True)
class Caption:
    """What a figure shows, and of what.

    Args:
        heading: The panel's.
        source: Rig or file.
        network: As the checkpoint calls itself.
        moment: When the newest sweep began, or the figure was made where that is unknown.
        trial: The newest one, or None before the first.
        recording: File that the sweeps are kept in; empty where there is none.
    """

    heading: str
    source: str
    network: str
    moment: datetime
    trial: int | None = None
    recording: str = ""

    @property
    def text(self) -> str:
        """All of it on one line, the most telling first."""
        seen = "before the first trial" if self.trial is None else f"trial {self.trial}"
        kept = [f"kept in {self.recording}"] if self.recording else []
        made = f"{self.moment:%Y-%m-%d %H:%M:%S}"
        parts = [self.heading, self.source, seen, made, f"network {self.network}", *kept, program()]
        # A line break in the name of a file is none in the caption.
        return " ".join(" · ".join(parts).split())
