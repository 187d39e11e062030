"""This file is the ledger: scores that were taken, one a line, so that a long benchmark goes on where it was killed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rig_plugin.tasks.journal import Journal
from rig_plugin.tasks.score import Score

__all__ = ["Ledger"]


class Ledger:
    """Scores by task, method, version, simulations, seed and classifier.

    Args:
        path: A file of JSON lines, made where there is none; None keeps nothing.

    Raises:
        Refusal: If a line of the file is no score, or its folder is not there.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._journal = Journal(path, "score", _score, asdict)

    def find(
        self, task: str, method: str, version: str, simulations: int, seed: int, classifier: str, observations: int
    ) -> Score | None:
        """Find a score.

        Args:
            task: Its task.
            method: Who trained.
            version: Of that program.
            simulations: How many.
            seed: Of simulations and training.
            classifier: Which C2ST.
            observations: How many it must have.

        Returns:
            The latest that has them, or None.
        """
        wanted = (task, method, version, simulations, seed, classifier)
        for score in reversed(self._journal.entries):
            has = (score.task, score.method, score.version, score.simulations, score.seed, score.classifier)
            if has == wanted and len(score.c2st) >= observations:
                return score
        return None

    def add(self, score: Score) -> None:
        """Keep a score.

        Args:
            score: A new one.
        """
        self._journal.add(score)


def _score(row: dict[str, Any]) -> Score:
    return Score(**(row | {"c2st": tuple(row["c2st"])}))
