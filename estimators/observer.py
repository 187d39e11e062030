"""This file is the observer: it takes the sweeps of one cell as they come and says what they mean, and how surely.

Before a sweep it predicts it from those before (`expect`); after it, it judges the sweep, adds it to the set, and
draws from the posterior (`observe`). Plain arrays in and out: it knows neither rigs nor windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.domain import DomainError
from estimators.features import NAMES
from estimators.follower import Follower
from estimators.generation import simulate
from estimators.lookout import LIMITS, Lookout
from estimators.novelty import Novelty
from estimators.oddity import Check, Oddity, worst_first
from estimators.overlay import Overlay, overlay
from estimators.prequential import Misfit, Prediction, predict, rank
from estimators.shift import Shift
from estimators.slices import Slices, slices
from estimators.surprise import Surprise
from estimators.wager import ALARM, Wager
from simulators.stimulus import step

__all__ = ["UNUSUAL", "Observer", "Verdict"]

_PREDICTED = 96
_MOST = 40
_AT_ONCE = 1000

UNUSUAL = 0.01
"""Of a sweep whose p-value is not above this one is warned."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the sweeps so far say.

    Args:
        draws: From the posterior, shape (s, p), or None where no sweep so far can be used or trusted.
        sweeps_used: Sweeps that it rests on.
        in_distribution: Whether this sweep lies inside what the network was trained on, and is used.
        score: Smallest p-value of the checks on this sweep, 0 to 1.
        reasons: Sentences on what is wrong or worth knowing, worst first.
        checks: Those that could be made, with their p-values.
        off: Features that are off, worst first; where none is, the farthest of what the sweeps before predicted.
        shifts: Parameters that have changed, the surest first; None where the network does not track
            and can't tell.
    """

    draws: npt.NDArray[np.float64] | None
    sweeps_used: int
    in_distribution: bool
    score: float
    reasons: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    off: tuple[Oddity, ...] = ()
    shifts: tuple[Shift, ...] | None = None


def _novelty(checkpoint: Checkpoint) -> Novelty | Surprise:
    """Choose who judges a single sweep: the prior predictive, and the nearest sweeps of training without one."""
    if checkpoint.predictive is None or checkpoint.watchman is None:
        return Novelty(checkpoint.network.scaling, checkpoint.reference)
    return Surprise(checkpoint.predictive, checkpoint.watchman, checkpoint.reference["surprise_scores"])


def _alarm(wager: Wager) -> str:
    """Say that a session is an alarm."""
    return (
        f"Over {wager.sweeps} sweeps the evidence against the model came to {wager.highest:.3g} to 1, which one sound "
        f"cell in {ALARM:.0f} at most ever reaches: this cell is not quite the model, and the intervals are too narrow "
        "for it."
    )


def _blamed(misfit: Misfit) -> tuple[Oddity, ...]:
    """Call the farthest feature off where the sweep as a whole is and it is named in the reason."""
    if misfit.p > UNUSUAL or misfit.worst is None:
        return misfit.off
    return (replace(misfit.off[0], is_off=True), *misfit.off[1:])


class Observer:
    """Follow one cell.

    Args:
        checkpoint: The network with its references.
        seed: Of the draws: the same sweeps and seed give the same numbers.
        draws: Draws from the posterior.
    """

    def __init__(self, checkpoint: Checkpoint, seed: int = 0, draws: int = 1000) -> None:
        self._checkpoint, self._seed, self._count = checkpoint, seed, draws
        self._distortion = Distortion(checkpoint.spec.parameters, checkpoint.network.scaling)
        self._novelty = _novelty(checkpoint)
        self._rows: list[npt.NDArray[np.float64]] = []
        self._contexts: list[Context] = []
        self._draws: npt.NDArray[np.float64] | None = None
        self._seen = 0
        self._wager = Wager()
        limits = checkpoint.reference.get(LIMITS)
        self._lookout = None if limits is None else Lookout(checkpoint.spec.parameters, limits)
        self._shifts: tuple[Shift, ...] | None = None if limits is None else ()

    @property
    def known(self) -> tuple[npt.NDArray[np.float64], tuple[Context, ...]]:
        """Features and circumstances of all sweeps so far, shape (n, f); NaN throughout for one that was not used."""
        rows = np.stack(self._rows) if self._rows else np.empty((0, len(NAMES)))
        return rows, tuple(self._contexts)

    def warm(self, *, overlays: bool = False) -> None:
        """Compile and load all that a sweep will need, without touching what is known.

        Args:
            overlays: Whether overlays will be asked for.
        """
        context = Context(10.0, 0.0, 1.0, 200.0, 50.0, 20.0, 20.0)
        spec = self._checkpoint.spec
        theta = self._checkpoint.network.constrain(np.zeros((1, len(spec.parameters))))
        rng = np.random.default_rng(0)
        row = simulate(theta, context.row()[None], spec.nuisances, rng, names=spec.names)[0]
        self._novelty.judge(row, context.row())
        if overlays:
            overlay(spec, theta, context, rng)
        follower = Follower(step(10.0, onset=50.0, duration=200.0, tail=20.0), context.rate)
        follower.push(np.full(5400, -70.0))
        follower.row()
        self._checkpoint.network.draw(row[None], context.row()[None], self._count, torch.Generator().manual_seed(0))

    def expect(self, context: Context) -> Prediction | None:
        """Predict a sweep from those before it.

        Args:
            context: Of the sweep to come.

        Returns:
            The prediction, or None where nothing is known yet or the sweep lies outside the domain.
        """
        if self._draws is None:
            return None
        try:
            self._checkpoint.domain.check(context)
        except DomainError:
            return None
        rng = np.random.default_rng([self._seed, 1, self._seen])
        theta = self._draws[rng.permutation(len(self._draws))[:_PREDICTED]]
        contexts = np.tile(context.row(), (len(theta), 1))
        spec = self._checkpoint.spec
        features = simulate(theta, contexts, spec.nuisances, rng, names=spec.names)
        return predict(self._distortion.forecast(features, theta, rng))

    def observe(
        self,
        row: npt.NDArray[np.float64],
        context: Context,
        prediction: Prediction | None = None,
        refusal: str | None = None,
    ) -> Verdict:
        """Take a sweep.

        Args:
            row: Its features, shape (f,), NaN where missing.
            context: Its circumstances.
            prediction: From `expect`, made before the sweep.
            refusal: Why the sweep can't be used, where something else found that.

        Returns:
            What all sweeps so far say.
        """
        self._seen += 1
        used = self._used()
        reasons: list[str] = []
        p = 1.0
        checks: list[Check] = []
        off: tuple[Oddity, ...] = ()
        if refusal is None:
            refusal = self._outside(row, context)
        if refusal is None:
            strange = self._novelty.judge(row, context.row())
            p, off = strange.p, strange.off
            checks.append(Check("this sweep", strange.p))
            refusal = strange.refusal
            if refusal is None and p <= UNUSUAL:
                outside = f" ({strange.outside[0]})" if strange.outside else ""
                reasons.append(f"This sweep is unusual for the model, p = {strange.p:.2g}{outside}.")
        if refusal is not None:
            self._exclude(context)
            draws = self._infer()
            reasons.insert(0, f"{refusal.rstrip('.')}: this sweep is not used.")
            return Verdict(draws, self._used(), False, 0.0, tuple(reasons), tuple(checks), off, self._shifts)
        if prediction is not None:
            misfit = rank(prediction, row, used, self._checkpoint.reference)
            self._wager = self._wager.after(misfit.p)
            p = min(p, misfit.p)
            checks.append(Check("sweeps before", misfit.p))
            off += _blamed(misfit)
            if misfit.p <= UNUSUAL:
                what = f": {misfit.worst}" if misfit.worst else ""
                reasons.insert(0, f"The sweeps before did not predict this one, p = {misfit.p:.2g}{what}.")
        elif used == 0:
            self._wager = self._wager.after(p)
        if self._wager.is_alarm:
            reasons.append(_alarm(self._wager))
        self._rows.append(row)
        self._contexts.append(context)
        if len(self._rows) > _MOST:
            reasons.append(f"The latest {_MOST} of {len(self._rows)} sweeps are used.")
        if self._wager.sweeps:
            checks.append(Check("session", min(1.0, 1.0 / self._wager.highest)))
        draws = self._infer()
        reasons += self._changes(draws)
        return Verdict(draws, self._used(), True, p, tuple(reasons), tuple(checks), worst_first(off), self._shifts)

    def aside(self, reason: str) -> Verdict:
        """Leave a sweep aside that is not of this cell as it is: nothing that is known changes.

        Args:
            reason: Why, as a sentence.

        Returns:
            What the sweeps before say, of a sweep that is not used.
        """
        return Verdict(self._draws, self._used(), False, 1.0, (reason,))

    def overlay(self, context: Context) -> Overlay | None:
        """Simulate what is now thought of the cell under the command of a sweep that was observed.

        Args:
            context: Of that sweep.

        Returns:
            For the eye alone; None where nothing is known, or the holding current is not.
        """
        if self._draws is None or not context.holding_known:
            return None
        rng = np.random.default_rng([self._seed, 2, self._seen])
        return overlay(self._checkpoint.spec, self._draws, context, rng)

    def slices(self, names: Sequence[str]) -> Slices | None:
        """Slice the posterior given all sweeps so far; the density is the network's own, in all dimensions.

        Args:
            names: Of the parameters that are sliced.

        Returns:
            The slices, or None where nothing is known.

        Raises:
            SlicesError: As `estimators.slices.slices`.
        """
        if self._draws is None:
            return None
        posterior = self._checkpoint.network.density(*self._sweeps())

        def log_density(u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            with torch.inference_mode():
                parts = torch.split(torch.as_tensor(u, dtype=torch.float32), _AT_ONCE)
                return np.asarray(torch.cat([posterior.log_prob(part) for part in parts]).double().numpy())

        return slices(self._checkpoint.spec.parameters, self._draws, log_density, names)

    def _changes(self, draws: npt.NDArray[np.float64] | None) -> list[str]:
        """Look out for parameters that have changed, and say so; the surest is enough where others follow it."""
        if self._lookout is None or draws is None:
            return []
        self._shifts = self._lookout.after(self._seen - 1, draws)
        return [shift.sentence for shift in self._shifts[:1]]

    def _outside(self, row: npt.NDArray[np.float64], context: Context) -> str | None:
        """Tell why a sweep can't be asked about at all, or None."""
        try:
            self._checkpoint.domain.check(context)
        except DomainError as error:
            return str(error)
        if not np.isfinite(row[NAMES.index("mean_voltage")]):
            return "The voltage leaves -150 to 150 mV or is not finite, so it is no membrane's: check gain and units."
        return None

    def _exclude(self, context: Context) -> None:
        """Keep a sweep that was made and not used as a token that says so, where its context can be told at all."""
        try:
            self._checkpoint.domain.check(context)
        except DomainError:
            return
        self._rows.append(np.full(len(NAMES), np.nan))
        self._contexts.append(replace(context, excluded=1.0))

    def _used(self) -> int:
        return sum(1 for context in self._contexts[-_MOST:] if not context.excluded)

    def _infer(self) -> npt.NDArray[np.float64] | None:
        """Draw from the posterior given the latest sweeps."""
        self._draws = None
        if self._used():
            generator = torch.Generator().manual_seed(1_000_003 * self._seed + self._seen)
            self._draws = self._checkpoint.network.draw(*self._sweeps(), self._count, generator)
        return self._draws

    def _sweeps(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give features and contexts of the latest sweeps, as the network takes them."""
        context = np.stack([entry.row() for entry in self._contexts[-_MOST:]])
        start = CONTEXT.index("start")
        context[:, start] -= context[0, start]
        return np.stack(self._rows[-_MOST:]), context
