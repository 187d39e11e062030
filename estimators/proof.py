"""This file is the proof: whether so few of the posterior's draws would abort under a stimulus that it may be played.

A draw that bears a stimulus is taken to bear all that this one covers: smaller steps of the same sign, not longer. So
after a first look at all of them the harshest are simulated, and of the milder ones only the draws that are unknown.
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
        deadline: Time on the monotonic clock after which a doubt is settled by no more draws, or None [s].
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
        self.simulate(candidates, range(1))
        pending = [candidate for candidate in candidates if self._is_open(candidate)]
        while pending:
            wave = [c for c in pending if not any(other.covers(c) for other in pending if other != c)]
            for candidate in wave:
                state = self._record(candidate).state
                for other, known in self._records.items():
                    if other != candidate and other.covers(candidate):
                        state[(state < 0) & (known.state == 0)] = 0
            self._settle(wave)
            pending = [c for c in pending if c not in wave]

    def simulate(self, candidates: Sequence[Candidate], blocks: Sequence[int]) -> None:
        """Simulate blocks of draws under candidates, those that are not simulated yet, in one batch.

        Args:
            candidates: What is played.
            blocks: Which blocks.
        """
        asked = [(c, k) for c in candidates for k in blocks if k not in self._record(c).blocks]
        if not asked:
            return
        draws = [np.arange(k * BLOCK, (k + 1) * BLOCK) for _, k in asked]
        played = [(candidate, some) for (candidate, _), some in zip(asked, draws, strict=True)]
        for (candidate, k), some, answers in zip(asked, draws, self._foresight.answers(played), strict=True):
            record = self._record(candidate)
            record.blocks[k] = answers
            # What it does itself is worth more than what a harsher one did.
            record.state[some] = answers.aborted

    def block(self, candidate: Candidate, k: int) -> Answers:
        """Give what a block of draws answers, simulated now if it was not before.

        Args:
            candidate: What is played.
            k: Which block.

        Returns:
            One row a draw.
        """
        self.simulate([candidate], [k])
        return self._record(candidate).blocks[k]

    def counts(self, candidate: Candidate) -> tuple[int, int]:
        """Count the draws that abort, and those of which it is known."""
        state = self._record(candidate).state
        return int((state == 1).sum()), int((state >= 0).sum())

    def share(self, candidate: Candidate) -> float | None:
        """Give the share of the draws simulated so far that abort; None where there are none."""
        aborted, known = self.counts(candidate)
        return aborted / known if known else None

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

    def _is_open(self, candidate: Candidate) -> bool:
        """Tell whether the bound could still be met."""
        aborted = self.counts(candidate)[0]
        return upper_bound(aborted, self._foresight.most, self._rule.confidence) < self._rule.share

    def _settle(self, candidates: Sequence[Candidate]) -> None:
        """Simulate unknown draws of some candidates together, until each bound is met or can't be any more."""
        most = self._foresight.most
        first = min(-(-self._rule.fewest // BLOCK) * BLOCK, most)
        for end in range(first, most + 1, 2 * BLOCK):
            asked = []
            for candidate in candidates:
                unknown = np.flatnonzero(self._record(candidate).state[:end] < 0)
                # Of a milder step those are unknown that the harsher one broke: the bound is none without them.
                wanted = end == first or self.bound(candidate) >= self._rule.share
                if len(unknown) and wanted and self._is_open(candidate):
                    asked.append((candidate, unknown))
            if not asked:
                continue
            if end > first and self._deadline is not None and time.monotonic() > self._deadline:
                self.is_late = True
                return
            for (candidate, unknown), answers in zip(asked, self._foresight.answers(asked), strict=True):
                self._keep(self._record(candidate), unknown, answers)

    def _keep(self, record: _Record, draws: npt.NDArray[np.int64], answers: Answers) -> None:
        """Note what some draws did, and keep the blocks that are whole."""
        record.state[draws] = answers.aborted
        for k in np.unique(draws // BLOCK).tolist():
            here = draws // BLOCK == k
            if here.sum() == BLOCK:
                record.blocks[k] = Answers(answers.features[here], answers.aborted[here])
