"""This file is the appraisal: what each candidate would teach of one cell, as a prospect has learned it.

It stands in the place of `estimators.weighing` and `estimators.proof`, and asks nothing of the posterior's draws: what
the sweeps of a cell share beside theta, its rig and the model's error, draws do not carry from one sweep to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from estimators.abort import AbortRule
from estimators.candidate import Candidate, Setting
from estimators.checkpoint import Checkpoint
from estimators.context import Context
from estimators.foresight import Foresight
from estimators.weighing import Weight

__all__ = ["Appraisal"]

Array = npt.NDArray[np.float64]


class Appraisal:
    """Appraise candidates of one cell.

    Args:
        checkpoint: A network with its prospect.
        foresight: What is known of the cell.
        setting: Of the sweep to come.
        columns: Parameters that matter.
        disagreement: Gain and fall of entropy that differ by more are not believed [nat].
        rule: When a sweep is aborted, and how seldom that has to be.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        foresight: Foresight,
        setting: Setting,
        columns: Sequence[int],
        disagreement: float,
        rule: AbortRule,
    ) -> None:
        self._checkpoint, self._setting, self._columns = checkpoint, setting, list(columns)
        self._entropy, self._disagreement, self._rule = foresight.entropy, disagreement, rule
        rows, told, self._start = foresight.seen
        self._rows, self._told = rows[None], told[None]
        self._weights: dict[Candidate, Weight] = {}
        self._breaks: dict[Candidate, Array] = {}
        self.is_late, self.common = False, 0.0
        """What gain and fall of entropy differ by over all candidates [nat]."""
        self.leader: Candidate | None = None
        """Who gains most of those whose gain is believed."""

    @property
    def weights(self) -> dict[Candidate, Weight]:
        """What is known of each candidate so far, the regressions in place of draws."""
        return dict(self._weights)

    def share(self, candidate: Candidate) -> float | None:
        """Give the share of such sweeps that are broken off, as it was learned; None where nobody asked."""
        breaks = self._breaks.get(candidate)
        return None if breaks is None else float(breaks.mean())

    def bound(self, candidate: Candidate) -> float:
        """Give the largest share that a regression has learned, 1 where nobody asked."""
        breaks = self._breaks.get(candidate)
        return 1.0 if breaks is None else float(breaks.max())

    def refusal(self, candidate: Candidate) -> str | None:
        """Tell why a candidate is not admissible, or None where it is."""
        bound = self.bound(candidate)
        if bound < self._rule.share:
            return None
        return (
            f"Of such sweeps up to {100.0 * bound:.2g} % are broken off, as was learned from simulated cells; "
            f"less than {100.0 * self._rule.share:g} % is admitted."
        )

    def weigh(self, candidates: Sequence[Candidate]) -> None:
        """Appraise candidates, beside those that were before.

        Args:
            candidates: Which.
        """
        prospect = self._checkpoint.prospect
        if prospect is None or not candidates:
            return
        asked = np.stack([self._asked(candidate.context(self._setting)) for candidate in candidates])
        foretold = prospect.foretell(self._checkpoint.network, self._rows, self._told, asked[:, None])
        taught = foretold.gains[:, :, 0]
        parts = taught[..., 2:]
        whole = len(self._columns) == parts.shape[-1]
        falls = taught[..., 1] if whole else parts[..., self._columns].sum(axis=-1)
        # How far the truth gets likelier by other than what the entropy falls is learned of all together, and shared.
        gains = falls + (taught[..., 0] - taught[..., 1]) * len(self._columns) / parts.shape[-1]
        for k, candidate in enumerate(candidates):
            self._weights[candidate] = Weight(gains[:, k], self._entropy - falls[:, k], self._entropy)
            self._breaks[candidate] = foretold.breaks[:, k, 0]
        self.common = float(np.median([weight.apart for weight in self._weights.values()]))
        believed = [c for c, weight in self._weights.items() if not weight.disagrees(self._disagreement, self.common)]
        self.leader = max(believed, key=lambda c: self._weights[c].gain, default=None)

    def _asked(self, context: Context) -> Array:
        known = replace(context, holding=context.holding * context.holding_known, start=self._start)
        return np.asarray(known.row())

    def lead(self, leader: Candidate, rival: Candidate) -> tuple[float, float]:
        """Give how far one is ahead of another, and what the regressions leave open of that [nat]."""
        apart = self._weights[leader].gains - self._weights[rival].gains
        return float(apart.mean()), float(apart.std(ddof=1)) / math.sqrt(len(apart)) if len(apart) > 1 else math.inf
