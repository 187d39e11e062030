"""This file is the choice: which stimulus comes next for one cell, what each candidate would teach, and why.

References:
    Barber & Agakov (2003), The IM algorithm: a variational approach to information maximization. NIPS 16.
    Gontier et al. (2023), PLOS Comput. Biol. 19, e1011342. https://doi.org/10.1371/journal.pcbi.1011342
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from estimators.abort import LEARNED, AbortRule
from estimators.admission import Tolerance, ladder, refusal
from estimators.appraisal import Appraisal
from estimators.candidate import Candidate, Setting, StepCandidate
from estimators.checkpoint import Checkpoint
from estimators.context import Context
from estimators.foresight import BLOCK, Foresight
from estimators.menu import allowed, around
from estimators.offer import Offer, begun, none_of, told
from estimators.proof import Proof
from estimators.weighing import Weighing
from estimators.wish import Wish
from simulators.limits import Limits

__all__ = ["Choice", "choose"]

Array = npt.NDArray[np.float64]

_PROVING = 0.5
_RUNG = 500.0
_NARROWED = 2
_CLOSE = 0.1
_PLAINLY, _NEARLY = 4.0, 0.85


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Args:
        offers: Every candidate, in the order given; those that the ladder or the refinement added come last.
        chosen: Index of the one that was chosen, or None where none may be played.
        reason: Why, as a sentence.
        entropy: Of what matters, now [nat]; None where nothing is known of the cell.
        draws: Most draws that a gain rests on.
        simulated: Sweeps that were simulated.
        milliseconds: How long it took.
        in_time: Whether the budget did not end it early.
        stop: Why no further sweep is wanted, as a sentence, or None.
    """

    offers: tuple[Offer, ...]
    chosen: int | None
    reason: str
    entropy: float | None
    draws: int
    simulated: int
    milliseconds: float
    in_time: bool = True
    stop: str | None = None

    @property
    def candidate(self) -> Candidate | None:
        """What was chosen, or None."""
        return None if self.chosen is None else self.offers[self.chosen].candidate


def choose(
    checkpoint: Checkpoint,
    rows: Array,
    contexts: Sequence[Context],
    setting: Setting,
    candidates: Sequence[Candidate],
    *,
    wish: Wish | None = None,
    limits: Limits | None = None,
    rule: AbortRule | None = None,
    tolerance: Tolerance | None = None,
    seed: int = 0,
    budget: float | None = None,
    refine: int = 0,
    most: int = 256,
    carry: bool = True,
    simulate: bool = False,
    passed: Sequence[Candidate] = (),
) -> Choice:
    """Choose the next stimulus of one cell.

    The same arguments give the same choice, but for the time that it took; with a budget it may end with fewer draws
    on a slower computer, and then says so. Safety and the first 32 draws of each candidate are never cut short by it.

    Args:
        checkpoint: The network.
        rows: Features of the sweeps so far, shape (n, f), NaN where missing; those of excluded sweeps NaN throughout.
        contexts: Their circumstances, n of them.
        setting: Of the sweep to come.
        candidates: What could be played, for instance `estimators.menu.menu`.
        wish: What matters and when it is enough; without it all parameters.
        limits: Of the rig; without them the default ones.
        rule: When a sweep is aborted; give the session's own numbers.
        tolerance: What the cell has borne; without it as the contexts have it.
        seed: Of everything that is random.
        budget: Time that it may take [ms], or None.
        refine: How often the search is narrowed about the leader, where that is a step.
        most: Draws at most.
        carry: As `estimators.foresight.Foresight`.
        simulate: Whether gains come from simulated sweeps of the posterior's draws also where the network has a
            prospect, which has learned what sweeps teach; then `refine`, `most` and `carry` matter.
        passed: What somebody passed over; neither it nor what resembles it is chosen.

    Returns:
        The choice.

    Raises:
        WishError: If the wish names what the network does not know.
    """
    wish, limits, rule = wish or Wish(), limits or Limits(), rule or AbortRule()
    tolerance = tolerance or Tolerance.of(contexts)
    columns = wish.columns(checkpoint.spec.parameters)
    begun = time.monotonic()
    panel = _Panel(checkpoint, setting, wish, limits, rule, tolerance, begun, budget, tuple(passed))
    offered = list(dict.fromkeys(candidates))
    if tolerance.climbs:
        offered += [rung for rung in panel.rungs if rung not in offered]
    if not any(not context.excluded for context in contexts):
        return panel.blind(offered)
    most = max(BLOCK, most)
    draws = max(most, 2 * BLOCK * -(-rule.fewest // BLOCK))
    foresight = Foresight(checkpoint, rows, contexts, setting, columns, rule, seed, draws, carry)
    panel.played = max((context.amplitude for context in contexts), default=0.0)
    if checkpoint.prospect is not None and not simulate:
        return panel.appraise(offered, foresight, columns, max(refine, _NARROWED))
    return panel.choose(offered, foresight, most, refine)


class _Panel:
    """Judge the candidates of one choice."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        setting: Setting,
        wish: Wish,
        limits: Limits,
        rule: AbortRule,
        tolerance: Tolerance,
        begun: float,
        budget: float | None,
        passed: tuple[Candidate, ...],
    ) -> None:
        self._checkpoint, self._setting, self._wish, self._passed = checkpoint, setting, wish, passed
        self._limits, self._rule, self._tolerance = limits, rule, tolerance
        self._begun, self._budget = begun, budget
        low, high = checkpoint.domain.ranges["amplitude"]
        shortest, longest = checkpoint.domain.ranges["duration"]
        self.played = 0.0
        self._proven: dict[Candidate, str | None] | None = None
        held = tolerance.holding
        self.rungs = ladder(
            tolerance,
            float(np.clip(_RUNG, shortest, longest)),
            max(low, limits.low - held),
            min(high, limits.high - held),
        )

    def blind(self, offered: Sequence[Candidate]) -> Choice:
        """Choose where nothing is known of the cell: the ladder's first rung that is allowed."""
        refusals = {candidate: self._barred(candidate) for candidate in offered}
        offers = tuple(Offer(c, c.seconds(self._setting), refusal=refusals[c]) for c in offered)
        free = [c for c in offered if c in self.rungs and refusals[c] is None]
        chosen = offered.index(free[0]) if free else None
        reason = f"Nothing is known of this cell yet: {free[0].words}." if free else none_of(offers)
        return Choice(offers, chosen, reason, None, 0, 0, self._spent)

    def choose(self, offered: list[Candidate], foresight: Foresight, most: int, refine: int) -> Choice:
        """Choose by what the candidates would teach."""
        barred = {candidate: self._barred(candidate) for candidate in offered}
        proof = Proof(foresight, self._rule, self._setting, self._deadline(_PROVING))
        weighing = Weighing(foresight, proof, self._wish, self._deadline(1.0), most)
        self._take([c for c in offered if barred[c] is None], proof, weighing)
        for round_ in range(refine):
            if not isinstance(weighing.leader, StepCandidate) or self._is_over:
                break
            fresh = self._near(weighing.leader, offered, barred, round_)
            self._take([c for c in fresh if barred[c] is None], proof, weighing)
        # A draw's own sweep may have aborted where a harsher one did not: what is offered is judged once more.
        offers = tuple(self._offer(c, barred[c], proof, weighing) for c in offered)
        return self._conclude(offers, foresight, weighing, proof)

    def appraise(self, offered: list[Candidate], foresight: Foresight, columns: Sequence[int], refine: int) -> Choice:
        """Choose by what was learned that sweeps teach, and by which of them break.

        Where the session aborts more than what that was learned by, the best that was not learned to break is proven.
        """
        barred = {candidate: self._barred(candidate) for candidate in offered}
        proof = Proof(foresight, self._rule, self._setting, self._deadline(1.0))
        judge = None if self._rule.is_within(LEARNED) else proof
        appraisal = Appraisal(self._checkpoint, foresight, self._setting, columns, self._wish.disagreement, self._rule)
        appraisal.weigh([c for c in offered if barred[c] is None])
        self._proven = {}
        pick = self._pick if self._granted(foresight) is None else self._best
        centres: list[Candidate] = []
        while True:
            offers = tuple(self._offer(c, barred[c], judge or appraisal, appraisal) for c in offered)
            best = pick(offers)[0]
            if best is None:
                break
            candidate = offers[best].candidate
            if len(centres) < refine and candidate not in centres:
                fresh = self._near(candidate, offered, barred, len(centres))
                appraisal.weigh([c for c in fresh if barred[c] is None])
                centres.append(candidate)
            elif judge is None or candidate in self._proven or self._is_borne(candidate):
                break
            else:
                self._prove(candidate, offered, proof)
        return self._conclude(offers, foresight, appraisal, proof)

    def _prove(self, candidate: Candidate, offered: Sequence[Candidate], proof: Proof) -> None:
        """Prove the best; where it may not be played, nothing that is harsher may."""
        proof.prove([candidate])
        why = proof.refusal(candidate)
        proven: dict[Candidate, str | None] = {candidate: why}
        if why is not None:
            aborted, known = proof.counts(candidate)
            milder = _milder(candidate) if aborted > _PLAINLY * self._rule.share * known else candidate
            harsher = f"It is harsher than {candidate.words} or nearly as harsh, which may not be played: {why}"
            proven |= {c: harsher for c in offered if c != candidate and c.covers(milder)}
        self._proven = proven | (self._proven or {})

    def _near(
        self, leader: Candidate | None, offered: list[Candidate], barred: dict[Candidate, str | None], round_: int
    ) -> Sequence[Candidate]:
        """Offer steps about a leader, where it is a step."""
        if not isinstance(leader, StepCandidate):
            return []
        holdings = len({c.context(self._setting).holding for c in offered}) > 1
        near = around(leader, self._checkpoint.domain, self._limits, self._setting, round_=round_, holdings=holdings)
        fresh = [c for c in near if c not in barred]
        barred.update((c, self._barred(c)) for c in fresh)
        offered += fresh
        return fresh

    def _take(self, candidates: Sequence[Candidate], proof: Proof, weighing: Weighing) -> None:
        proof.prove(candidates)
        admitted = [c for c in candidates if self._is_borne(c) or proof.refusal(c) is None]
        if admitted:
            weighing.weigh(admitted)

    def _barred(self, candidate: Candidate) -> str | None:
        """Tell what is against a candidate before anything is simulated."""
        if any(candidate.resembles(other) for other in self._passed):
            return "It was passed over, or is much like one that was."
        outside = allowed(candidate, self._checkpoint.domain, self._limits, self._setting)
        return outside or refusal(candidate, self._tolerance, self._setting, self.rungs)

    def _is_borne(self, candidate: Candidate) -> bool:
        """Tell whether it is a rung no higher than what a hardly known cell has borne, which needs no prediction."""
        return self._tolerance.climbs and abs(candidate.amplitude) <= self._tolerance.largest

    def _offer(
        self, candidate: Candidate, barred: str | None, judge: Proof | Appraisal, weighing: Weighing | Appraisal
    ) -> Offer:
        """Tell what is known of a candidate; where only the best are proven, nothing is held against the others."""
        seconds = candidate.seconds(self._setting)
        if barred is not None:
            return Offer(candidate, seconds, refusal=barred)
        share = judge.share(candidate)
        bound = None if share is None else judge.bound(candidate)
        weight, leader = weighing.weights.get(candidate), weighing.leader
        why = None if self._is_borne(candidate) else self._against(candidate, judge, weighing)
        if weight is None:
            return Offer(candidate, seconds, aborted=share, aborted_bound=bound, refusal=why)
        if why is None and weight.disagrees(self._wish.disagreement, weighing.common):
            why = (
                f"Its gain of {weight.gain:.2f} nat and the fall of the entropy by {weight.reduction:.2f} nat differ by"
                f" more than {self._wish.disagreement:g} nat: the network is not to be believed here."
            )
        behind, error = weighing.lead(leader, candidate) if leader is not None else (None, None)
        return Offer(
            candidate,
            seconds,
            weight.gain,
            weight.error,
            behind,
            error,
            weight.entropy,
            weight.reduction,
            len(weight.gains) if self._proven is None else 0,
            share,
            bound,
            why,
        )

    def _against(self, candidate: Candidate, judge: Proof | Appraisal, weighing: Weighing | Appraisal) -> str | None:
        """Tell why a candidate breaks too often, or None where nothing says so."""
        if self._proven is None:
            return judge.refusal(candidate)
        learned = weighing.refusal(candidate) if isinstance(weighing, Appraisal) else None
        return learned or self._proven.get(candidate)

    def _conclude(
        self, offers: tuple[Offer, ...], foresight: Foresight, weighing: Weighing | Appraisal, proof: Proof
    ) -> Choice:
        stop = self._granted(foresight)
        chosen, reason = self._pick(offers) if stop is None else self._best(offers)
        if stop is None and self._is_poor(offers) and self._rise(offers) is None:
            best = max(offer.gain for offer in offers if offer.refusal is None and offer.gain is not None)
            worth = f"{self._wish.worth:.3g} nat were asked"
            stop = f"No candidate is worth a sweep: the best gains {best:.2f} nat, and {worth}."
        in_time = not (weighing.is_late or proof.is_late)
        draws = max(offer.draws for offer in offers) if offers else 0
        if not in_time:
            reason += f" The budget of {self._budget:g} ms ended the search{f' with {draws} draws' if draws else ''}."
        return Choice(offers, chosen, reason, foresight.entropy, draws, foresight.simulated, self._spent, in_time, stop)

    def _granted(self, foresight: Foresight) -> str | None:
        return self._wish.granted(self._checkpoint.spec.parameters, foresight.theta, foresight.entropy)

    def _is_poor(self, offers: Sequence[Offer]) -> bool:
        """Tell whether something may be played, and none of it is worth a sweep."""
        gains = [offer.gain for offer in offers if offer.refusal is None and offer.gain is not None]
        return bool(gains) and max(gains) < self._wish.worth

    def _pick(self, offers: Sequence[Offer]) -> tuple[int | None, str]:
        """Take the best, or where nothing is worth a sweep a step larger than any so far, if that may be."""
        rise = self._rise(offers) if self._is_poor(offers) else None
        if rise is None:
            return self._best(offers)
        return rise, (
            f"{begun(offers[rise].candidate.words)}, the largest step that may be tried so far: none of those that "
            f"may be gains {self._wish.worth:.3g} nat, and a larger one may."
        )

    def _rise(self, offers: Sequence[Offer]) -> int | None:
        """Find the largest step that may be played and was not, where larger ones are kept back by what was borne."""
        low, high = self._checkpoint.domain.ranges["amplitude"]
        held, highest = self._tolerance.holding, self._tolerance.highest
        if highest >= max(min(high, self._limits.high - held), -max(low, self._limits.low - held)):
            return None
        amplitudes = {k: offer.candidate.amplitude for k, offer in enumerate(offers) if offer.refusal is None}
        best = max(amplitudes, key=lambda k: amplitudes[k], default=None)
        return None if best is None or amplitudes[best] <= self.played else best

    def _best(self, offers: Sequence[Offer]) -> tuple[int | None, str]:
        """Take the cheapest of those as good as the leader, or the one that gains most a second."""
        free = [(k, o, o.gain) for k, o in enumerate(offers) if o.refusal is None and o.gain is not None]
        if not free:
            return None, none_of(offers)
        lead, leader, top = max(free, key=lambda each: each[2])
        if self._wish.by == "second":
            k, best, gain = max(free, key=lambda each: each[2] / each[1].seconds)
            return k, f"{told(best, gain)}, the most a second ({gain / best.seconds:.2f} nat/s)."
        # What is cheaper has to be worth a sweep as well, where anything is, and nearly as much where little is.
        within = min(self._wish.within, max(_CLOSE * top, 0.0)) if self._proven is not None else self._wish.within
        least = max(top - within, self._wish.worth if top > self._wish.worth else -np.inf)
        near = [each for each in free if each[2] >= least]
        k, best, gain = min(near, key=lambda each: (each[1].seconds, -each[2]))
        if k == lead:
            return k, f"{told(best, gain)}, the most of {len(free)} candidates."
        return k, (
            f"{told(best, gain)}, within {self._wish.within:g} nat of the most ({leader.candidate.words}, {top:.2f} "
            f"nat) and cheaper, {best.seconds:.3g} s against {leader.seconds:.3g} s."
        )

    def _deadline(self, share: float) -> float | None:
        return None if self._budget is None else self._begun + share * self._budget / 1e3

    @property
    def _is_over(self) -> bool:
        return self._budget is not None and self._spent > self._budget

    @property
    def _spent(self) -> float:
        return 1e3 * (time.monotonic() - self._begun)


def _milder(candidate: Candidate) -> Candidate:
    """Give a step that is nearly as harsh, or what is no step as it is."""
    if not isinstance(candidate, StepCandidate):
        return candidate
    return replace(candidate, amplitude=_NEARLY * candidate.amplitude, duration=_NEARLY * candidate.duration)
