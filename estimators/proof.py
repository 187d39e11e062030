"""This file is the proof: whether so few of the posterior's draws would abort under a stimulus that it may be played.

A draw that bears a stimulus is taken to bear all that this one covers: smaller steps of the same sign, not longer. So
the harshest are simulated first, and of the milder ones only the draws that aborted before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from estimators.abort import AbortRule, upper_bound
from estimators.candidate import Candidate, Setting
from estimators.foresight import BLOCK, Answers, Foresight

__all__ = ["Proof"]


@dataclass
class _Record:
    """What is known of one candidate: of each draw 1 aborts, 0 bears it, -1 unknown; and the blocks simulated."""

    state: npt.NDArray[np.int8]
    blocks: dict[int, Answers] = field(default_factory=dict)


class Proof:
    """Prove candidates, and keep what was simulated for it.

    Args:
        foresight: Who simulates.
        rule: When a sweep is aborted.
        setting: Of the sweep to come.
        deadline: Time on the monotonic clock at which proving ends, or None [s].
    """

    def __init__(self, foresight: Foresight, rule: AbortRule, setting: Setting, deadline: float | None = None) -> None:
        self._foresight, self._rule, self._setting, self._deadline = foresight, rule, setting, deadline
        self._records: dict[Candidate, _Record] = {}
        self.is_late = False

    def prove(self, candidates: Sequence[Candidate]) -> None:
        """Simulate as many draws of each as it takes, the harshest first.

        Args:
            candidates: All that are to be judged.
        """
        size = lambda c: (abs(c.amplitude), c.stimulus(self._setting).duration)  # noqa: E731
        for candidate in sorted(candidates, key=size, reverse=True):
            record = self._record(candidate)
            for other, known in self._records.items():
                if other is not candidate and other.covers(candidate):
                    record.state[(record.state < 0) & (known.state == 0)] = 0
            self._settle(candidate, record)

    def block(self, candidate: Candidate, k: int) -> Answers:
        """Give what a block of draws answers, simulated now if it was not before.

        Args:
            candidate: What is played.
            k: Which block.

        Returns:
            One row a draw.
        """
        record = self._record(candidate)
        if k not in record.blocks:
            draws = np.arange(k * BLOCK, (k + 1) * BLOCK)
            record.blocks[k] = self._foresight.answers(candidate, draws)
            # What it does itself is worth more than what a harsher one did.
            record.state[draws] = record.blocks[k].aborted
        return record.blocks[k]

    def counts(self, candidate: Candidate) -> tuple[int, int]:
        """Count the draws that abort, and those of which it is known."""
        state = self._record(candidate).state
        return int((state == 1).sum()), int((state >= 0).sum())

    def bound(self, candidate: Candidate) -> float:
        """Give the upper confidence bound of the share that aborts."""
        return upper_bound(*self.counts(candidate), self._rule.confidence)

    def refusal(self, candidate: Candidate) -> str | None:
        """Tell why a candidate is not admissible, or None where it is."""
        bound = self.bound(candidate)
        if bound < self._rule.share:
            return None
        aborted, known = self.counts(candidate)
        share = 100.0 * self._rule.share
        if aborted > self._rule.share * known:
            return (
                f"{100.0 * aborted / known:.2g} % of {known} predicted sweeps would be aborted (Vm above "
                f"{self._rule.above:g} mV, below {self._rule.below:g} mV, or more than {self._rule.max_spikes} spikes);"
                f" less than {share:g} % is admitted."
            )
        late = "in the time there was, " if self.is_late else ""
        return (
            f"{late}{aborted} of {known} predicted sweeps would be aborted, so that up to {100.0 * bound:.2g} % may be "
            f"({100.0 * self._rule.confidence:g} % confidence); less than {share:g} % is admitted."
        ).capitalize()

    def _record(self, candidate: Candidate) -> _Record:
        return self._records.setdefault(candidate, _Record(np.full(self._foresight.most, -1, dtype=np.int8)))

    def _settle(self, candidate: Candidate, record: _Record) -> None:
        """Simulate unknown draws until the bound is met, or can't be any more."""
        blocks, most = -(-self._rule.fewest // BLOCK), self._foresight.most
        for end in range(min(BLOCK * blocks, most), most + 1, BLOCK):
            unknown = np.flatnonzero(record.state[:end] < 0)
            for k in range(end // BLOCK):
                here = unknown[unknown // BLOCK == k]
                aborted = self.counts(candidate)[0]
                if upper_bound(aborted, most, self._rule.confidence) >= self._rule.share:
                    return
                if self._deadline is not None and time.monotonic() > self._deadline:
                    self.is_late = True
                    return
                if len(here) == BLOCK:
                    self.block(candidate, k)
                elif len(here):
                    record.state[here] = self._foresight.answers(candidate, here).aborted
            if self.bound(candidate) < self._rule.share:
                return
