"""This file is the outcome: what the scores of a task come to, beside the peer's and the published ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.published import BUDGETS, ONE_ROUND, TEN_ROUNDS
from rig_plugin.tasks.score import DRAWS, Score

__all__ = ["BETTER", "EASY", "Outcome"]

BETTER, EASY = 0.03, 0.55
"""How much less than the peer's C2ST ours is to be, and up to where it is enough to be no more."""


@dataclass(frozen=True)
class Outcome:
    """All scores of a task.

    Args:
        task: Its name.
        simulations: How many each network learned from.
        classifier: Which C2ST.
        ours: Our scores, one a seed.
        theirs: The peer's; none where it was not measured.
        peer: Who; None where it was left out.
        peer_version: Of the peer, or why it was not measured.
    """

    task: str
    simulations: int
    classifier: str
    ours: Sequence[Score]
    theirs: Sequence[Score]
    peer: str | None = None
    peer_version: str | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Lay it out.

        Returns:
            Figures: the mean C2ST of both, ours beside the published, and what it took.
        """
        return [
            figure.row()
            for figure in (
                *self._pair("c2st_mean", self._c2st, f"1 ({self.classifier} classifier)", self._aim()),
                *self._published(),
                *self._pair("log_q", lambda score: score.log_q, "nat"),
                *self._pair("train_cpu_s", lambda score: score.train_cpu_s, "s"),
                *self._pair(f"draws_{DRAWS}_s", lambda score: score.draws_s, "s"),
            )
        ]

    @staticmethod
    def _c2st(score: Score) -> float:
        return fmean(score.c2st)

    def _aim(self) -> float | None:
        if not self.theirs:
            return None
        there = fmean(map(self._c2st, self.theirs))
        return there - BETTER if there > EASY else there

    def _pair(
        self, name: str, number: Callable[[Score], float], unit: str, aim: float | None = None
    ) -> tuple[Figure, ...]:
        """Give our mean over the seeds, and the peer's where it was not left out."""
        value = fmean(map(number, self.ours))
        there = fmean(map(number, self.theirs)) if self.theirs else None
        name, peer = f"{self.task}_{name}", (self.peer, self.peer_version)
        # Of log densities a difference says something, and a ratio nothing.
        held = None if unit == "nat" else there
        own = Figure(name, value, unit, self._n(unit, self.ours), *peer, there=held, aim=aim)
        if self.peer is None:
            return (own,)
        return own, Figure(f"{name}_{self.peer}", there, unit, self._n(unit, self.theirs), *peer)

    @staticmethod
    def _n(unit: str, scores: Sequence[Score]) -> int:
        """Count the observations of a C2ST, else the seeds."""
        return sum(len(score.c2st) for score in scores) if unit.startswith("1") else len(scores)

    def _published(self) -> tuple[Figure, ...]:
        """Hold our C2ST against the published; only ten rounds are an aim."""
        if self.simulations not in BUDGETS:
            return ()
        column = BUDGETS.index(self.simulations)
        value, name = fmean(map(self._c2st, self.ours)), f"{self.task}_c2st_mean_against"
        one, ten = ONE_ROUND[self.task][column], TEN_ROUNDS[self.task][column]
        unit = f"1 ({self.classifier} classifier)"
        n = self._n(unit, self.ours)
        return (
            Figure(f"{name}_one_round", value, unit, n, "NPE", f"published: {one}", there=one),
            Figure(f"{name}_ten_rounds", value, unit, n, "SNPE", f"published: {ten}", there=ten, aim=ten),
        )
