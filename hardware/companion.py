"""This file is the companion: what stands beside a rig and acts on the same cell, as long as the rig is open."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Companion"]


class Companion(Protocol):
    """A device that is no source of samples; a rig opens it before itself and closes it after itself.

    So a companion that can't be had is refused before the rig is touched, and however a session ends, the rig's
    command is at its exit level first and the companion ends next.
    """

    @property
    def added(self) -> str | None:
        """What it adds to the cell while the rig is open, as a list with units, or None."""

    def open(self) -> None:
        """Take hold of the device and see that it does nothing; raises a `RigError` where that is not known."""

    def begin(self) -> None:
        """Act, now that the rig is open."""

    def check(self) -> None:
        """Raise a `RigError` where it is no longer known what the device does; returns at once."""

    def close(self) -> None:
        """Have the device do nothing, see that it does, and let go; a second time does nothing."""
