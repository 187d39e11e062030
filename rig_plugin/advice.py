"""This file is the advice: which stimulus comes next, worked out in a process of its own from what a session knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rig_plugin.adaptive_settings import AdaptiveSettings
from simulators.harm import Harm
from simulators.limits import Limits
from simulators.stimulus import Stimulus

if TYPE_CHECKING:
    from estimators.candidate import Candidate
    from estimators.checkpoint import Checkpoint
    from estimators.choice import Choice
    from estimators.context import Context
    from hardware.rig import Rig
    from rig_plugin.protocol_settings import ProtocolSettings
    from rig_plugin.settings import Settings

_SMALLEST = 20.0

__all__ = ["Advice", "Question", "advise", "prepare", "question_of"]


@dataclass(frozen=True, eq=False)
class Question:
    """What a session knows, as plain data.

    Args:
        network: The checkpoint.
        rows: Features of the sweeps so far, shape (n, f), NaN where missing; NaN throughout where a sweep was not used.
        contexts: Their circumstances.
        settings: What matters.
        mode: Who chooses, as [protocol] has it.
        shape: All of a sweep but its step: what is before and after it, and the test pulse.
        interval: From the start of one sweep to that of the next [ms].
        rate: Sampling rate [kHz].
        start: Of the sweep to come, from that of the first [s].
        holding: Current before and after the step [pA].
        duration: Of the first steps, and one of those that are weighed [ms].
        limits: What may be put into the cell.
        harm: At which voltages a sweep is broken off.
        resistance: Input resistance that a membrane test found, or None [MOhm].
        seed: Of everything that is random.
        budget: Time that it may take, or None for as long as it takes [ms].
        threads: To compute with.
        passed: Candidates for this sweep that somebody passed over.
    """

    network: Path
    rows: npt.NDArray[np.float64]
    contexts: tuple[Context, ...]
    settings: AdaptiveSettings
    mode: str
    shape: ProtocolSettings
    interval: float
    rate: float
    start: float
    holding: float
    duration: float
    limits: Limits
    harm: Harm
    resistance: float | None = None
    seed: int = 0
    budget: float | None = None
    threads: int = 1
    passed: tuple[Candidate, ...] = ()


@dataclass(frozen=True, eq=False)
class Advice:
    """What was chosen, ready to be played.

    Args:
        choice: With all that was weighed.
        stimuli: Of each of its offers, in order.
    """

    choice: Choice
    stimuli: tuple[Stimulus, ...]


def question_of(settings: Settings, rig: Rig, mode: str, interval: float) -> Question:
    """Gather what does not change from sweep to sweep.

    Args:
        settings: Of the rig file.
        rig: That plays.
        mode: Who chooses, as [protocol] has it.
        interval: From the start of one sweep to that of the next, 0 where a choice is waited for [ms].

    Returns:
        The question, of a cell that nothing is known of.
    """
    from estimators.features import NAMES
    from estimators.pretrained import FIRST

    protocol = settings.protocol
    return Question(
        network=settings.network.path or FIRST,
        rows=np.empty((0, len(NAMES))),
        contexts=(),
        settings=settings.adaptive,
        mode=mode,
        shape=protocol,
        interval=interval,
        rate=rig.rate,
        start=0.0,
        holding=protocol.holding,
        duration=protocol.duration,
        limits=rig.limits,
        harm=settings.limits.harm(),
        seed=settings.rig.seed or 0,
    )


def advise(question: Question) -> Advice:
    """Choose.

    Args:
        question: What is known, and what for.

    Returns:
        The advice.

    Raises:
        Refusal: If the network can't be read, or the question makes no sense for it.
    """
    from estimators.abort import AbortRule
    from estimators.admission import Tolerance
    from estimators.candidate import Setting
    from estimators.choice import choose
    from estimators.menu import menu
    from estimators.wish import Wish
    from rig_plugin.crop import crop

    checkpoint = _loaded(question.network, question.threads)
    settings, harm = question.settings, question.harm
    known = not question.contexts or bool(question.contexts[-1].holding_known)
    # What is read of a sweep is shorter than what is played, as in every other.
    part = crop(question.shape.around(_SMALLEST, holding=question.holding, duration=question.duration))
    told = part.context(question.rate)
    setting = Setting(
        baseline=told.baseline, tail=told.tail, rate=question.rate, start=question.start,
        rest=(settings.rest + part.skip) / 1e3, interval=question.interval / 1e3, holding_known=known,
        history_level=told.history_level, history_duration=told.history_duration, history_gap=told.history_gap,
    )  # fmt: skip
    tolerance = Tolerance.of(
        question.contexts, holding=question.holding, resistance=question.resistance, smallest=_SMALLEST
    )
    reach = max(2.0 * tolerance.largest, abs(tolerance.first))
    shortest, longest = checkpoint.domain.ranges["duration"]
    durations = sorted({shortest * (longest / shortest) ** 0.12, float(np.clip(question.duration, shortest, longest))})
    offered = menu(
        checkpoint.domain,
        question.limits,
        setting,
        reach=reach,
        holdings=(question.holding,),
        durations=durations,
        fine=checkpoint.prospect is not None,
    )
    wish = Wish(
        parameters=settings.parameters(checkpoint.spec.names),
        widths={name: width for name, width in settings.widths.items() if width > 0},
        worth=settings.worth,
        by="second" if settings.prefer == "second" else "cheapest",
    )
    rule = replace(
        AbortRule(), above=harm.above, above_for=harm.above_for, below=harm.below, below_for=harm.below_for,
        beyond=harm.beyond, max_spikes=harm.max_spikes, share=settings.risk,
    )  # fmt: skip
    choice = choose(
        checkpoint, question.rows, question.contexts, setting, offered,
        wish=wish, limits=question.limits, rule=rule, tolerance=tolerance, seed=question.seed, budget=question.budget,
        passed=question.passed,
    )  # fmt: skip
    steps = [offer.candidate.context(setting) for offer in choice.offers]
    return Advice(
        choice, tuple(question.shape.around(k.amplitude, holding=k.holding, duration=k.duration) for k in steps)
    )


def prepare(network: Path, threads: int) -> bool:
    """Load and compile what a choice needs, before the first is asked for.

    Args:
        network: The checkpoint.
        threads: To compute with.

    Returns:
        That it is done.
    """
    from estimators.observer import Observer

    Observer(_loaded(network, threads)).warm()
    return True


@lru_cache(maxsize=1)
def _loaded(network: Path, threads: int) -> Checkpoint:
    import torch

    from estimators.checkpoint import load

    torch.set_num_threads(threads)
    return load(network)
