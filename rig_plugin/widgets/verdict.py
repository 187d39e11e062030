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

    A posterior that is there but outside the network's domain counts as withheld: a plausible number from an
    implausible recording is never shown. Below a score of .05 care is asked for, since one typical cell in
    twenty scores less.

    Args:
        trial: The newest one, or None before the first.

    Returns:
        "waiting", "typical", "caution" or "withheld".
    """
    if trial is None:
        return "waiting"
    if trial.posterior is None or not trial.trust.in_distribution:
        return "withheld"
    if trial.trust.reason or not trial.trust.score >= CAUTION:
        return "caution"
    return "typical"
