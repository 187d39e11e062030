"""This file is the adaptive protocol: after each sweep it asks which stimulus would teach the most, and plays that.

The choice is worked out in a process of its own while the cell rests. In a paced session one that comes too late is not
waited for: the last stimulus that was trusted is played again, and that is counted. Without a pace it is waited for, so
that the same seed gives the same session.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from hardware.decision import Decision, Event
from rig_plugin.advice import Advice, Question, advise, prepare
from rig_plugin.adviser import Adviser, AdviserError
from rig_plugin.interval import Interval
from rig_plugin.proposal import Candidate
from rig_plugin.protocol import Request
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

if TYPE_CHECKING:
    from estimators.candidate import Candidate as Choosable
    from estimators.context import Context

__all__ = ["Adaptive"]

_SLICE = 0.05
_BIT = math.log(2.0)
_SHORTEST = 1000.0
_SHOWN = 20
_HANDING = 100.0

Played = Generator[Request | Decision, Trial | None, str | None]
"""Gives decisions and requests, is sent trials, and returns why it ended where that was not meant to be."""


class Knowing(Protocol):
    """Whoever has the sweeps so far, as `estimators.observer.Observer` does."""

    @property
    def known(self) -> tuple[npt.NDArray[np.float64], tuple[Context, ...]]:
        """Features and circumstances of all sweeps so far."""


class Adaptive:
    """A protocol that chooses; `play` gives its generator.

    Args:
        question: What does not change from sweep to sweep.
        observer: Who has the sweeps so far.
        interval: The session's pace.
        family: What is played where the posterior only suggests.
        adviser: Who works it out; another one for tests.
    """

    def __init__(
        self,
        question: Question,
        observer: Knowing,
        interval: Interval,
        family: Sequence[Stimulus] = (),
        adviser: Adviser[Advice | bool] | None = None,
    ) -> None:
        self._question, self._observer, self._interval = question, observer, interval
        self._family, self._adviser = tuple(family), adviser or Adviser(question.threads)
        self._unsaid: list[Decision] = []
        self._is_over: Callable[[], bool] = lambda: False
        self._good: Stimulus | None = None
        self.late = 0
        """Choices that came too late."""

    def attend(self, is_over: Callable[[], bool]) -> None:
        """Belong to a session.

        Args:
            is_over: Tells whether it is to end, so that nothing more is waited for.
        """
        self._is_over = is_over

    def play(self) -> Played:
        """Choose, play, and choose again.

        Yields:
            Each decision when it is made, and one request a sweep.

        Returns:
            Why it ended, where that was not meant to be.
        """
        with self._adviser as adviser:
            adviser.ask(prepare, self._question.network, self._question.threads)
            try:
                self._answer(is_late=lambda: False)
            except AdviserError as error:
                return str(error)
            played = self._suggested() if self._question.mode == "suggest" else self._chosen()
            reason: str | None = yield from played
            return reason

    def _chosen(self) -> Played:
        settings = self._question.settings
        for _ in range(settings.sweeps):
            trial = yield from self._next()
            if not isinstance(trial, Trial):
                return trial
            if trial.trust.in_distribution and trial.sweep is not None:
                self._good = trial.sweep.stimulus
            elif self._question.mode == "automatic":
                why = trial.trust.reason or "it was not read."
                return f"Stimuli are chosen automatically no more, since a sweep is not trusted: {why}"
        yield _decided("chose", f"{settings.sweeps} sweeps were chosen, as many as were asked for.")
        return None

    def _next(self) -> Generator[Request | Decision, Trial | None, Trial | str | None]:
        """Have a sweep chosen and played; where somebody passes over it another, until nothing is left.

        Returns:
            The trial, or why it ended, or None where it was meant to.
        """
        passed: tuple[Choosable, ...] = ()
        while not self._is_over():
            advice = self._choose(passed)
            yield from self._told()
            if advice is None:
                if self._good is None:
                    return "No stimulus could be chosen, and none was trusted before that could be played again."
                return (yield Request(self._good))
            choice = advice.choice
            if choice.stop is not None:
                yield _decided("chose", choice.stop)
                return None
            if choice.chosen is None and not passed:
                return choice.reason
            if choice.chosen is None:
                yield _decided("chose", "All that may be played was passed over.")
                return None
            yield _decided("chose", choice.reason)
            gain = choice.offers[choice.chosen].gain
            stimulus = advice.stimuli[choice.chosen]
            trial = yield Request(stimulus, gain=gain and gain / _BIT, candidates=_weighed(advice))
            if trial is not None:
                return trial
            # Only what was chosen is proven harmless: of the others the next best has to be found anew.
            passed += (choice.offers[choice.chosen].candidate,)
        return None

    def _suggested(self) -> Played:
        """Play the family, and tell beside each sweep what would teach the most."""
        weighed: tuple[Candidate, ...] = ()
        for k, stimulus in enumerate(self._family):
            yield Request(stimulus, place=k, count=len(self._family), candidates=weighed)
            if k == len(self._family) - 1 or self._is_over():
                break
            advice = self._choose()
            weighed = () if advice is None else _weighed(advice)
            yield from self._told()
            if advice is not None:
                yield _decided("chose", f"Suggested: {advice.choice.reason}")
        return None

    def _choose(self, passed: tuple[Choosable, ...] = ()) -> Advice | None:
        """Have the next stimulus chosen; None where that failed or came too late, which is said."""
        rows, contexts = self._observer.known
        question = self._question
        # Who passes over a sweep has left the pace.
        is_paced = bool(question.interval and contexts and not passed)
        start = contexts[-1].start + max(question.interval, _SHORTEST) / 1e3 if contexts else 0.0
        asked = replace(
            question, rows=rows, contexts=contexts, start=start, seed=question.seed + len(contexts),
            budget=self._budget() if is_paced else None, passed=passed,
        )  # fmt: skip
        try:
            self._adviser.ask(advise, asked)
            answer = self._answer(is_late=lambda: is_paced and self._interval.left <= 0.0)
        except AdviserError as error:
            self._unsaid.append(_decided("late", str(error)))
            return None
        is_late = answer is None
        if isinstance(answer, Advice):
            is_late = answer.choice.chosen is None and not answer.choice.in_time
        if is_late and not self._is_over():
            self.late += 1
            late = f"The choice came too late ({self.late} so far): what was trusted last is played again."
            self._unsaid.append(_decided("late", late))
        return answer if isinstance(answer, Advice) and not is_late else None

    def _budget(self) -> float:
        """Tell how long a choice may take [ms]: the interval has to leave time to hand it over."""
        left = 1e3 * self._interval.left - _HANDING
        return max(_HANDING, min(self._question.settings.budget, left))

    def _told(self) -> Iterator[Decision]:
        """Give what was not said yet."""
        said, self._unsaid = self._unsaid, []
        yield from said

    def _answer(self, is_late: Callable[[], bool]) -> Advice | bool | None:
        """Wait for the adviser; None where the session is to end, or it is late."""
        while (answer := self._adviser.answer(_SLICE)) is None:
            if self._is_over() or is_late():
                return None
        return answer


def _decided(event: Event, said: str) -> Decision:
    return Decision(-1, "adaptive", event, said)


def _weighed(advice: Advice) -> tuple[Candidate, ...]:
    """Tell the best of what was weighed, as the window shows it: in the order in which it was offered."""
    offers = advice.choice.offers
    gains = {k: offer.gain for k, offer in enumerate(offers) if offer.refusal is None and offer.gain is not None}
    best = sorted(gains, key=lambda k: -gains[k])[:_SHOWN]
    kept = {*best, *(k for k in gains if k == advice.choice.chosen)}
    return tuple(Candidate(advice.stimuli[k], gains[k] / _BIT, (offers[k].error or 0.0) / _BIT) for k in sorted(kept))
