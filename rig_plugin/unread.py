"""This file is what a network can't read of a family: sweeps that lie outside what it was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from estimators.domain import Domain, DomainError
from rig_plugin.crop import crop
from simulators.stimulus import Stimulus

__all__ = ["unread"]


def unread(stimuli: Sequence[Stimulus], domain: Domain, rate: float) -> tuple[str | None, ...]:
    """Judge each sweep of a family.

    Args:
        stimuli: The family.
        domain: What the network was trained on.
        rate: Sampling rate [kHz].

    Returns:
        For each why it can't be read, as a sentence, or None where it can.
    """
    return tuple(_refusal(stimulus, domain, rate) for stimulus in stimuli)


def _refusal(stimulus: Stimulus, domain: Domain, rate: float) -> str | None:
    try:
        domain.check(crop(stimulus).context(rate))
    except DomainError as error:
        return str(error)
    return None
