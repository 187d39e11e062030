"""This file is the stretch: a command that is held and recorded without gaps, shown page by page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hardware.rig import Block, Gain
from hardware.track import SI, Track
from simulators.stimulus import Epoch, Stimulus

__all__ = ["Hold", "further", "paged", "traces", "tracks"]

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
            head, rest = rest.part(0, size), rest.part(size)
            yield done // page != shown, replace(head, lost=lost)
            shown, done, lost = done // page, first + size, 0
        if done >= most:
            return


def traces(block: Block) -> dict[str, npt.NDArray[np.float64]]:
    """Name the traces of a block.

    Args:
        block: As the rig gives it.

    Returns:
        "response", "command" where it is known, and the further channels.
    """
    return block.traces


def further(block: Block, gains: Mapping[str, Gain]) -> dict[str, str]:
    """Name the channels of a block beside response and command.

    Args:
        block: As the rig gives it.
        gains: Of the rig, as far as they are known.

    Returns:
        Unit of each by its name; "" where nobody says it.
    """
    return {name: gains[name].unit.split("/")[0] if name in gains else "" for name in block.others}


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
        gain = gains.get(name, Gain(1.0, "", "unknown"))
        track, unit = Track.of(gain), SI["current"].get(name)
        if unit is not None:
            track = replace(track, unit=str(unit["unit"]), conversion=float(unit["conversion"]))
        stored[name] = track
    return stored
