"""This file is the appraisal: what each candidate would teach of one cell, as a prospect has learned it.

It stands in the place of `estimators.weighing`, and asks nothing of the posterior's draws: what the sweeps of a cell
share beside theta, its rig and the model's error, is what draws do not carry from one sweep to the next.
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
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        foresight: Foresight,
        setting: Setting,
        columns: Sequence[int],
        disagreement: float,
    ) -> None:
        self._checkpoint, self._setting, self._columns = checkpoint, setting, list(columns)
        self._entropy, self._disagreement = foresight.entropy, disagreement
        rows, told, self._start = foresight.seen
        self._rows, self._told = rows[None], told[None]
        self._weights: dict[Candidate, Weight] = {}
        self._breaks: dict[Candidate, float] = {}
        self.is_late, self.common = False, 0.0
        """What gain and fall of entropy differ by over all candidates [nat]."""
        self.leader: Candidate | None = None
        """Who gains most of those whose gain is believed."""

    @property
    def weights(self) -> dict[Candidate, Weight]:
        """What is known of each candidate so far, the regressions in place of draws."""
        return dict(self._weights)

    def sieve(self, rule: AbortRule) -> dict[Candidate, str]:
        """Tell which candidates break too often, as far as that was learned; what is left has to be proven yet.

        Args:
            rule: How often is too often.

        Returns:
            Of each of them why it is refused.
        """
        return {
            candidate: f"Of such sweeps {100.0 * share:.2g} % are broken off, as was learned from simulated cells; "
            f"less than {100.0 * rule.share:g} % is admitted."
            for candidate, share in self._breaks.items()
            if share >= rule.share
        }

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
            self._breaks[candidate] = float(foretold.breaks[k, 0])
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
