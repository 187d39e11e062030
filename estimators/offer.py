"""This file is the offer: one candidate as it was weighed, and the words that tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from estimators.candidate import Candidate

__all__ = ["Offer", "begun", "none_of", "told"]


@dataclass(frozen=True)
class Offer:
    """One candidate as it was weighed; what was not worked out is None.

    Args:
        candidate: What could be played.
        seconds: What it costs, the rest after it included [s].
        gain: Expected gain about what matters, a lower bound [nat].
        error: Its standard error [nat].
        behind: How far its gain is behind the leader's over the draws that both have [nat].
        behind_error: The paired standard error of that [nat].
        entropy: Expected entropy of what matters after the sweep [nat].
        reduction: By how much that is less than now [nat].
        draws: Draws that the gain rests on; 0 where it was learned, and the error is of regressions.
        aborted: Share of the predicted sweeps that would be aborted.
        aborted_bound: Its upper confidence bound.
        refusal: Why it may not be played, or why its gain is not believed, as a sentence; None where it may.
    """

    candidate: Candidate
    seconds: float
    gain: float | None = None
    error: float | None = None
    behind: float | None = None
    behind_error: float | None = None
    entropy: float | None = None
    reduction: float | None = None
    draws: int = 0
    aborted: float | None = None
    aborted_bound: float | None = None
    refusal: str | None = None


def told(offer: Offer, gain: float) -> str:
    """Say what an offer is expected to gain."""
    return f"{begun(offer.candidate.words)} is expected to gain {gain:.2f} nat"


def begun(words: str) -> str:
    """Begin a sentence."""
    return f"{words[0].upper()}{words[1:]}"


def none_of(offers: Sequence[Offer]) -> str:
    """Say that nothing may be played, and the first reason."""
    why = next((offer.refusal for offer in offers if offer.refusal), "none was offered.")
    return f"None of {len(offers)} candidates may be played: {why}"
