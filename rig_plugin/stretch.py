"""This file is the stretch: a command that is held and recorded without gaps, shown page by page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.rig import Block, Gain
from hardware.track import SI, Track
from simulators.stimulus import Epoch, Stimulus

__all__ = ["Hold", "paged", "traces", "tracks"]

_PAGE = 10_000.0


@dataclass(frozen=True)
class Hold:
    """A wish to hold a command without a step; nothing is inferred from it.

    Args:
        level: The command [pA].
        duration: For how long [ms]; infinite until the session is stopped.

    Raises:
        ValueError: If the level is not finite or the duration not positive.
    """

    level: float = 0.0
    duration: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.level) and self.duration > 0):
            raise ValueError(
                f"A hold of {self.level} pA for {self.duration} ms was asked; a finite level and a positive duration "
                "were wanted."
            )

    @property
    def page(self) -> Stimulus:
        """What one page of the scope shows of it, ten seconds or less."""
        half = Epoch(self.level, min(self.duration, _PAGE) / 2)
        return Stimulus("current", (half, half))


def paged(blocks: Iterator[Block], page: int, most: float) -> Iterator[tuple[bool, Block]]:
    """Cut blocks where pages and the whole end.

    Args:
        blocks: As they come.
        page: Samples of a page.
        most: Samples of the whole, those that were lost included; may be infinite.

    Yields:
        Whether a page begins with it, and the block. What was lost is told with the block after it.
    """
    done, shown = 0, -1
    for block in blocks:
        rest, lost = block, int(min(block.lost, most - done))
        while (rest.response.size or lost) and done < most:
            first = done + lost
            size = int(min(page - first % page, most - first, rest.response.size))
            head, rest = _cut(rest, size)
            yield done // page != shown, Block(head.response, head.command, lost)
            shown, done, lost = done // page, first + size, 0
        if done >= most:
            return


def traces(block: Block) -> dict[str, npt.NDArray[np.float64]]:
    """Name the traces of a block.

    Args:
        block: As the rig gives it.

    Returns:
        "response", and "command" where it is known.
    """
    known = {"response": block.response, "command": block.command}
    return {name: trace for name, trace in known.items() if trace is not None}


def tracks(block: Block, gains: Mapping[str, Gain]) -> dict[str, Track]:
    """Say how the traces of current clamp are stored.

    Args:
        block: One that has all the traces that will come.
        gains: Of the rig, as far as they are known.

    Returns:
        A track for each of `traces`.
    """
    stored = {}
    for name in traces(block):
        unit, gain = SI["current"][name], gains.get(name)
        scale = (gain.value, gain.source) if gain else (1.0, "unknown")
        stored[name] = Track(str(unit["unit"]), float(unit["conversion"]), *scale)
    return stored


def _cut(block: Block, size: int) -> tuple[Block, Block]:
    """Cut a block in two."""
    response, command = block.response, block.command
    head, tail = (None, None) if command is None else (command[:size], command[size:])
    return Block(response[:size], head), Block(response[size:], tail)
