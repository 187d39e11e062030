"""This file is the take: a sweep as it comes in, followed block by block, and what can be said when it is whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from estimators.context import Context
from estimators.features import NAMES
from estimators.follower import Follower
from hardware.gap import lost_samples
from hardware.rig import Block, Provenance, Rig
from rig_plugin.crop import Crop
from rig_plugin.quality import Quality, no_scale, no_voltage
from rig_plugin.rule import Alarm
from simulators.harm import Harm, Watch
from simulators.stimulus import Stimulus
from simulators.sweep import Sweep

__all__ = ["Take"]


class Take:
    """One sweep, from its first block to its features.

    Args:
        part: What of the sweep is observed.
        seen: What the cell gets of the stimulus.
        rig: That plays it, as it stands after the first block came.
        harm: At which voltages it is to be broken off; None where nothing is put out that could be.
    """

    def __init__(self, part: Crop, seen: Stimulus, rig: Rig, harm: Harm | None = None) -> None:
        self._part, self._seen, self._rig = part, seen, rig
        self._watch = None if harm is None else Watch(harm, rig.rate)
        self._origin = rig.origin
        self._follower = Follower(part.stimulus, rig.rate)
        self._skip = round(part.skip * rig.rate)
        self._blocks: list[Block] = []
        self._gaps: list[tuple[int, int]] = []
        self._place = 0

    def push(self, came: Block) -> Block:
        """Follow the next block.

        Args:
            came: As the rig gave it.

        Returns:
            The block with NaN for what was lost before it.
        """
        if came.lost:
            self._gaps.append((self._place, came.lost))
        if not came.response.size and self._blocks and self._blocks[0].command is not None:
            # What only tells of a loss need not say that a command came with the others.
            came = replace(came, command=np.empty(0))
        block = came.whole
        self._blocks.append(block)
        self._place += block.response.size
        corrected = _corrected(block, self._origin)
        if self._watch is not None:
            self._watch.push(corrected)
        if not self._gaps:
            self._follower.push(corrected[self._skip :])
        self._skip = max(0, self._skip - block.response.size)
        return block

    @property
    def harm(self) -> str | None:
        """Why the sweep is to be broken off for the cell's sake; None where it need not be."""
        return None if self._watch is None else self._watch.reason

    def sweep(self) -> Sweep:
        """Put the blocks together, with where they came from.

        Returns:
            The sweep.
        """
        commands = [block.command for block in self._blocks if block.command is not None]
        command = np.concatenate(commands) if len(commands) == len(self._blocks) else None
        response = np.concatenate([block.response for block in self._blocks])
        return self._rig.origin.sweep(response, self._rig.rate, self._seen, command)

    def read(self, sweep: Sweep, quality: Quality) -> tuple[npt.NDArray[np.float64], tuple[Alarm, ...]]:
        """Give the features, and the rules of a good recording that the sweep breaks.

        As in training, a sweep that no membrane can have made has no features at all.

        Args:
            sweep: The whole of it.
            quality: The rules.

        Returns:
            Features, shape (f,), NaN where missing; the rules, the graver first.
        """
        unreadable = self._unreadable(sweep)
        if unreadable is not None:
            return np.full(len(NAMES), np.nan), (unreadable,)
        row = self._follower.row()
        features = dict(zip(NAMES, (float(value) for value in row), strict=True))
        return row, quality.judge(sweep, features, self._rig.origin.amplifier)

    def _unreadable(self, sweep: Sweep) -> Alarm | None:
        """Say why nothing can be read off the sweep."""
        broken_off = f"{self.harm}: the sweep was broken off, and the command is in its exit state."
        reasons = {
            "harm": broken_off if self.harm is not None else None,
            "lost": lost_samples(self._gaps, sweep.rate) if self._gaps else None,
            "amplifier": self._rig.invalid,
            "scale": no_scale(self._rig.gains),
            "voltage": no_voltage(sweep.corrected),
        }
        return next((Alarm(rule, "stop", said) for rule, said in reasons.items() if said is not None), None)

    def context(self, start: float) -> Context:
        """Give the circumstances of the sweep.

        Args:
            start: When it began, from the first sweep of its cell [s].

        Returns:
            The context.
        """
        return self._part.context(self._rig.rate, start=start)


def _corrected(block: Block, origin: Provenance) -> npt.NDArray[np.float64]:
    """Subtract what is known of junction potential and bridge from a block."""
    corrected = block.response - (origin.junction.potential or 0.0)
    if origin.bridge and block.command is not None:
        corrected = corrected - origin.bridge * block.command
    return corrected
