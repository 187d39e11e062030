"""This file is the protocol: what is played next, sweep by sweep; `trial = yield request`.

A protocol is a generator: it yields a `Stimulus`, or a `Request` where more is known, and is sent the trial; or a
`Hold`, and is sent None. A fixed family ignores what it is sent.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from hardware.passage import History, Passage
from rig_plugin.stretch import Hold
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

__all__ = ["Protocol", "Request", "family", "gap_free", "recorded"]


@dataclass(frozen=True)
class Request:
    """One sweep that is wanted.

    Args:
        stimulus: What to play, or None where a recorded sweep can't be played.
        history: What came before the stimulus, where that is known.
        file_sweep: Number of the sweep in the file that is replayed.
        refusal: Why it can't be played.
    """

    stimulus: Stimulus | None
    history: History | None = None
    file_sweep: int | None = None
    refusal: str | None = None


Protocol = Generator[Stimulus | Request | Hold, Trial | None, None]


def family(stimuli: Sequence[Stimulus], sweeps: int | None = None) -> Protocol:
    """Play a fixed family in order.

    Args:
        stimuli: The family.
        sweeps: How many sweeps; the family begins anew when it is through. None plays it once.

    Yields:
        Its stimuli.
    """
    for k in range(len(stimuli) if sweeps is None else sweeps):
        yield stimuli[k % len(stimuli)]


def gap_free(level: float, duration: float = math.inf) -> Protocol:
    """Hold a command and play nothing.

    Args:
        level: The command [pA].
        duration: For how long [ms]; infinite until the session is stopped.

    Yields:
        The hold.
    """
    yield Hold(level, duration)


def recorded(passages: Sequence[Passage]) -> Protocol:
    """Play what a file holds.

    Args:
        passages: Its sweeps.

    Yields:
        One request a sweep, those that can't be played included, with the reason.
    """
    for passage in passages:
        yield Request(passage.stimulus, passage.history, passage.file_sweep, passage.refusal)
