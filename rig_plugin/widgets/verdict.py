"""This file is the verdict: the one word that stands for how far the numbers can be believed."""

from __future__ import annotations

from typing import Literal

from rig_plugin.trial import Trial

__all__ = ["CAUTION", "SIGNS", "Verdict", "verdict"]

Verdict = Literal["waiting", "typical", "caution", "withheld"]
CAUTION = 0.05
SIGNS: dict[Verdict, str] = {"waiting": "○", "typical": "●", "caution": "▲", "withheld": "■"}


def verdict(trial: Trial | None) -> Verdict:
    """Sum a trial's trust up in one word.

    A posterior that is there rests on sweeps that can be used; where the latest one can't, or its score is below .05
    (as that of one typical sweep in twenty), care is asked for.

    Args:
        trial: The newest one, or None before the first.

    Returns:
        "waiting", "typical", "caution" or "withheld".
    """
    if trial is None:
        return "waiting"
    if trial.posterior is None:
        return "withheld"
    if trial.trust.reason or not (trial.trust.in_distribution and trial.trust.score >= CAUTION):
        return "caution"
    return "typical"
