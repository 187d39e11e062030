"""This file is the menu: the steps that are worth asking about, inside what a network knows and a rig may put out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from estimators.candidate import Candidate, Setting, StepCandidate
from estimators.domain import Domain
from simulators.limits import Limits

__all__ = ["allowed", "around", "menu"]

_DOWN = (-1.0, -0.5, -0.2)
_UP = (0.1, 0.2, 0.35, 0.55, 1.0)
_FINE_DOWN = tuple((-np.geomspace(1.0, 0.1, 7)).tolist())
_FINE_UP = tuple(np.geomspace(0.03, 1.0, 30).tolist())
_DURATIONS = (0.12, 0.7)
_NARROW = 0.6


def menu(
    domain: Domain,
    limits: Limits,
    setting: Setting,
    *,
    reach: float | None = None,
    holdings: Sequence[float] = (0.0,),
    durations: Sequence[float] | None = None,
    fine: bool = False,
) -> tuple[StepCandidate, ...]:
    """Offer a grid of steps, denser near zero; those outside the domain or the limits are left out.

    Where much of it is too harsh, what is admitted of a coarse grid lies far below what could be: under a bound of 2 %
    half of 200 simulated cells were ever seen to fire, and with a fine one five in eight.

    Args:
        domain: Of the network.
        limits: Of the rig.
        setting: Of the sweep to come.
        reach: Largest step that is wanted [pA]; without it the domain's. Give twice the largest that was tolerated.
        holdings: Holding currents [pA]; sets of mixed holdings are not what the shipped networks were trained on.
        durations: Lengths [ms]; without them a short and a long one of the domain.
        fine: Whether 37 amplitudes are offered and not eight, for whoever weighs a candidate in no time.

    Returns:
        The candidates, for one holding and two durations sixteen or 74, where all are allowed.
    """
    low, high = domain.ranges["amplitude"]
    reach = high if reach is None else min(abs(reach), max(high, -low))
    if durations is None:
        shortest, longest = domain.ranges["duration"]
        durations = [float(shortest * (longest / shortest) ** share) for share in _DURATIONS]
    down, up = max(low, -reach), min(high, reach)
    lower, upper = (_FINE_DOWN, _FINE_UP) if fine else (_DOWN, _UP)
    amplitudes = [*(down * -share for share in lower), *(up * share for share in upper)]
    offered = [StepCandidate(a, holding, d) for holding in holdings for d in durations for a in amplitudes]
    return tuple(dict.fromkeys(c for c in offered if allowed(c, domain, limits, setting) is None))


def around(
    leader: StepCandidate,
    domain: Domain,
    limits: Limits,
    setting: Setting,
    *,
    round_: int = 0,
    holdings: bool = False,
) -> tuple[StepCandidate, ...]:
    """Offer steps about a leader, ever nearer to it from round to round.

    Args:
        leader: What leads so far.
        domain: As `menu`.
        limits: As `menu`.
        setting: As `menu`.
        round_: How often the search has been narrowed, from 0.
        holdings: Whether the holding may be moved, by a tenth of the amplitude.

    Returns:
        The candidates, the leader not among them.
    """
    wide = 0.4 * _NARROW**round_
    factors = (1.0 - wide, 1.0 - 0.5 * wide, 1.0, 1.0 + 0.5 * wide, 1.0 + wide)
    low, high = domain.ranges["duration"]
    moves = (0.0, -0.1 * leader.amplitude, 0.1 * leader.amplitude) if holdings else (0.0,)
    offered = [
        StepCandidate(leader.amplitude * a, leader.holding + move, float(np.clip(leader.duration * d, low, high)))
        for a in factors
        for d in factors[::2]
        for move in moves
        if a == 1.0 or d == 1.0
    ]
    return tuple(dict.fromkeys(c for c in offered if c != leader and allowed(c, domain, limits, setting) is None))


def allowed(candidate: Candidate, domain: Domain, limits: Limits, setting: Setting) -> str | None:
    """Tell why a candidate can't be asked about at all.

    Args:
        candidate: Whatever could be played.
        domain: Of the network.
        limits: Of the rig.
        setting: Of the sweep to come.

    Returns:
        A sentence, or None where nothing is against it.
    """
    try:
        limits.check(candidate.stimulus(setting))
        domain.check(candidate.context(setting))
    except ValueError as error:
        return str(error)
    return None
