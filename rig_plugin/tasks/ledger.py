"""This file is the ledger: scores that were taken, one a line, so that a long benchmark goes on where it was killed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rig_plugin.tasks.score import Score
from simulators.refusal import Refusal

__all__ = ["Ledger"]


class Ledger:
    """Scores by task, method, version, simulations, seed and classifier.

    Args:
        path: A file of JSON lines, made where there is none; None keeps nothing.

    Raises:
        Refusal: If a line of the file is no score, or its folder is not there.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._scores: list[Score] = []
        if path is None:
            return
        if not path.parent.is_dir():
            raise Refusal(f"The folder of {path} is not there; make it, or name another file with --out.")
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        # Who was killed while writing left a line without an end.
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                self._scores.append(Score(**(row | {"c2st": tuple(row["c2st"])})))
            except (ValueError, TypeError, KeyError) as error:
                raise Refusal(
                    f"Line {number} of {path} is no score ({error}); name another file with --out."
                ) from error

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
        for score in reversed(self._scores):
            has = (score.task, score.method, score.version, score.simulations, score.seed, score.classifier)
            if has == wanted and len(score.c2st) >= observations:
                return score
        return None

    def add(self, score: Score) -> None:
        """Keep a score.

        Args:
            score: A new one.
        """
        self._scores.append(score)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(score), allow_nan=False) + "\n")
