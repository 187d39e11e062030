"""This file is the block: the next samples of all channels, and how many are missing before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "Block"]

BLOCK = 20.0
"""Longest block [ms]."""
_Trace = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """At most 20 ms of a sweep; arrays are copied, then read-only.

    All channels are taken in the same moments, so that what is missing of one is missing of all.

    Args:
        response: Shape (n,) [mV, or pA in voltage clamp].
        command: Shape (n,) [pA, or mV in voltage clamp], or None where it is unknown.
        lost: Samples that are missing before the first of these.
        others: Further channels by their names, shape (n,) each, in the unit of the rig's gain of that name.
    """

    response: _Trace
    command: _Trace | None = None
    lost: int = 0
    others: Mapping[str, _Trace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "response", _kept(self.response))
        if self.command is not None:
            object.__setattr__(self, "command", _kept(self.command))
        others = {name: _kept(trace) for name, trace in self.others.items()}
        object.__setattr__(self, "others", MappingProxyType(others))
        shapes = {trace.shape for trace in self.traces.values()}
        if self.response.ndim != 1 or len(shapes) > 1:
            raise ValueError(f"Block has a response of shape {self.response.shape}; equal (n,) traces were wanted.")
        if self.lost < 0:
            raise ValueError(f"Block has {self.lost} samples lost before it, 0 or more was wanted.")

    @property
    def traces(self) -> dict[str, _Trace]:
        """All that it has by name: "response", "command" where it is known, and the further channels."""
        command = {} if self.command is None else {"command": self.command}
        return {"response": self.response, **command, **self.others}

    def raised(self, holding: float) -> Block:
        """The block with what the amplifier itself injects in its command.

        Args:
            holding: On top of the command, in its unit.

        Returns:
            The block; itself where there is nothing to add.
        """
        return self if self.command is None or not holding else replace(self, command=self.command + holding)

    def part(self, start: int, stop: int | None = None) -> Block:
        """Cut a piece out.

        Args:
            start: Its first sample.
            stop: The one after its last; None is the end.

        Returns:
            The piece; what was lost before the block is lost before its first sample only.
        """
        command = None if self.command is None else self.command[start:stop]
        others = {name: trace[start:stop] for name, trace in self.others.items()}
        return Block(self.response[start:stop], command, 0 if start else self.lost, others)

    @property
    def whole(self) -> Block:
        """The block with NaN for what was lost before it, so that an index is always time x rate."""
        if not self.lost:
            return self
        missing = np.full(self.lost, np.nan)
        command = None if self.command is None else np.concatenate([missing, self.command])
        others = {name: np.concatenate([missing, trace]) for name, trace in self.others.items()}
        return Block(np.concatenate([missing, self.response]), command, 0, others)


def _kept(trace: _Trace) -> _Trace:
    """Copy a trace and lock it."""
    copy = np.array(trace, dtype=np.float64)
    copy.setflags(write=False)
    return copy
