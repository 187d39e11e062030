"""This file is the weighing: what each candidate would teach, by as many draws as it takes to tell the best.

Where a leader is neither ahead of every rival by two paired standard errors nor known to within what counts as equal,
the draws are doubled; rivals that are clearly behind get no more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.candidate import Candidate
from estimators.foresight import BLOCK, Foresight
from estimators.proof import Proof
from estimators.wish import Wish

__all__ = ["Weighing", "Weight"]

Array = npt.NDArray[np.float64]

_AHEAD = 2.0
_BEHIND = 3.0
_MANY = 5


@dataclass(frozen=True, eq=False)
class Weight:
    """What a candidate would teach.

    Args:
        gains: Of each draw [nat], shape (m,); their mean is a lower bound of the expected gain.
        entropies: After the sweep [nat], shape (m,).
        before: Entropy before it [nat].
    """

    gains: Array
    entropies: Array
    before: float

    @property
    def gain(self) -> float:
        """Expected gain [nat]."""
        return float(self.gains.mean())

    @property
    def error(self) -> float:
        """Its standard error [nat]."""
        return _error(self.gains)

    @property
    def entropy(self) -> float:
        """Expected entropy after the sweep [nat]."""
        return float(self.entropies.mean())

    @property
    def reduction(self) -> float:
        """By how much the entropy falls [nat]."""
        return self.before - self.entropy

    @property
    def apart(self) -> float:
        """By how much the gain is more than the fall of the entropy [nat]."""
        return float((self.gains + self.entropies).mean()) - self.before

    def disagrees(self, by: float, common: float = 0.0) -> bool:
        """Tell whether gain and fall of entropy differ by more, beyond what so few draws leave open.

        Args:
            by: How far they may differ [nat].
            common: Difference that all candidates of this cell share, which no ranking depends on [nat].

        Returns:
            Whether they do.
        """
        return abs(self.apart - common) - _error(self.gains + self.entropies) > by


def _error(values: Array) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values))


class Weighing:
    """Weigh candidates of one cell.

    Args:
        foresight: Who scores.
        proof: Who simulates, and knows what is simulated already.
        wish: What counts as equal, and as a disagreement.
        deadline: Time on the monotonic clock at which it ends, or None [s].
        most: Draws at most.
    """

    def __init__(self, foresight: Foresight, proof: Proof, wish: Wish, deadline: float | None, most: int) -> None:
        self._foresight, self._proof, self._wish = foresight, proof, wish
        self._deadline, self._most = deadline, most
        self._gains: dict[Candidate, list[Array]] = {}
        self._entropies: dict[Candidate, list[Array]] = {}
        self._weights: dict[Candidate, Weight] = {}
        self._pace = 0.0
        self.is_late = False

    @property
    def weights(self) -> dict[Candidate, Weight]:
        """What is known of each candidate so far."""
        return dict(self._weights)

    def weigh(self, candidates: Sequence[Candidate]) -> None:
        """Weigh candidates, beside those that were weighed before.

        Args:
            candidates: All of them admissible.
        """
        total = 1
        self._extend(candidates, total)
        while not self.is_settled and 2 * total * BLOCK <= self._most:
            going = self._contenders()
            if self._over(len(going) * total):
                self.is_late = True
                return
            total *= 2
            self._extend(going, total)

    @property
    def leader(self) -> Candidate | None:
        """Who gains most of those whose gain is believed."""
        believed = self._believed()
        return max(believed, key=lambda c: self._weights[c].gain) if believed else None

    @property
    def is_settled(self) -> bool:
        """Whether the leader is ahead, or what it is ahead by is known well enough."""
        leader = self.leader
        if leader is None:
            return True
        for rival in self._believed():
            if rival != leader:
                lead, error = self.lead(leader, rival)
                if lead < _AHEAD * error and _AHEAD * error > self._wish.within:
                    return False
        return True

    def lead(self, leader: Candidate, rival: Candidate) -> tuple[float, float]:
        """Give how far one is ahead of another over the draws that both have, and the paired standard error [nat]."""
        one, other = self._weights[leader].gains, self._weights[rival].gains
        m = min(len(one), len(other))
        apart = one[:m] - other[:m]
        return float(apart.mean()), _error(apart)

    @property
    def common(self) -> float:
        """What gain and fall of entropy differ by over all candidates; 0 where these are few [nat].

        Where the network is off for the sweeps so far, it is off by as much for all that could follow.
        """
        apart = [weight.apart for weight in self._weights.values()]
        return float(np.median(apart)) if len(apart) >= _MANY else 0.0

    def _believed(self) -> list[Candidate]:
        by, common = self._wish.disagreement, self.common
        return [c for c, weight in self._weights.items() if not weight.disagrees(by, common)]

    def _contenders(self) -> list[Candidate]:
        """Give those that more draws could bring near the leader."""
        leader = self.leader
        going = []
        for candidate in self._weights:
            if leader is not None and candidate != leader:
                lead, error = self.lead(leader, candidate)
                if lead - _BEHIND * error > self._wish.within:
                    continue
            going.append(candidate)
        return going

    def _over(self, blocks: int) -> bool:
        """Tell whether so many blocks more would end too late."""
        return self._deadline is not None and time.monotonic() + blocks * self._pace > self._deadline

    def _extend(self, candidates: Sequence[Candidate], total: int) -> None:
        """Bring candidates to so many blocks, all of them block by block."""
        begun, blocks = time.monotonic(), 0
        self._proof.simulate(candidates, range(total))
        for k in range(total):
            lacking = [c for c in candidates if len(self._gains.get(c, [])) == k]
            if not lacking:
                continue
            draws = np.arange(k * BLOCK, (k + 1) * BLOCK)
            answers = [self._proof.block(candidate, k).features for candidate in lacking]
            for candidate, scores in zip(lacking, self._foresight.scores(lacking, answers, draws), strict=True):
                self._gains.setdefault(candidate, []).append(scores.gain)
                self._entropies.setdefault(candidate, []).append(scores.entropy)
            blocks += len(lacking)
        for candidate in candidates:
            self._weights[candidate] = Weight(
                np.concatenate(self._gains[candidate]),
                np.concatenate(self._entropies[candidate]),
                self._foresight.entropy,
            )
        if blocks:
            self._pace = (time.monotonic() - begun) / blocks
