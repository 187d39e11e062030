"""This file is the drug forecast: what every draw of the posterior says of a cell under one injected conductance.

The experiment itself is simulated: control, drug, control, with one rig and one error of the model for each draw. What
is predicted is the change against control, put upon what was measured under control; so what the model misses of both
alike, or the rig adds to both, is not taken for the drug's. A feature that the control does not have is predicted as it
is. The prior's cells under the same injection stand beside it, and what is expected where nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import stats

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.features import FEATURES, NAMES
from estimators.generation import respond
from estimators.nuisances import rigs
from estimators.virtual_drug import DrugError, VirtualDrug
from estimators.yardstick import Yardstick

__all__ = ["JUDGED", "Change", "DrugForecast", "averaged"]

Array = npt.NDArray[np.float64]

_ROUGH = ("voltage_skewness", "voltage_kurtosis", "adaptation", "isi_cv")
JUDGED = np.array([name not in _ROUGH for name in NAMES])
"""Features that a drug is judged by: those whose distance from a prediction says something."""

_HALF = 0.5
_UNSTABLE = 0.1
_FINE = 0.02
_LOWEST, _HIGHEST = -120.0, -20.0
_REST, _BEFORE, _MEAN = (NAMES.index(name) for name in ("rest", "spikes_before", "mean_voltage"))


@dataclass(frozen=True)
class Change:
    """What is predicted of one feature of one sweep.

    Args:
        sweep: Which of those that are played.
        feature: Name.
        unit: Of all numbers here.
        control: What was measured under control, or None where it has not been.
        low: 5 % of the change that the posterior predicts.
        median: Its median.
        high: 95 % of it.
        prior_low: 5 % of the change that the prior predicts.
        prior_high: 95 % of it.
        repeat: Half-width of 90 % of what a repeat differs by without any drug.
    """

    sweep: int
    feature: str
    unit: str
    control: float | None
    low: float
    median: float
    high: float
    prior_low: float
    prior_high: float
    repeat: float


@dataclass(frozen=True, eq=False)
class _Arm:
    """Simulated experiments in the yardstick's units, each of shape (d, sweeps, f), NaN where missing.

    Of `raw` there is no error of the model and no yardstick, shape (d, 3, sweeps, f).
    """

    raw: Array
    before: Array
    drug: Array
    after: Array

    @property
    def control(self) -> Array:
        return averaged(self.before, self.after)


class DrugForecast:
    """Predict sweeps under a drug.

    Args:
        checkpoint: The network that the draws came from.
        draws: From its posterior, shape (s, p).
        drug: What is injected.
        contexts: Of the sweeps that are played under control and under the drug, in order.
        seed: The same draws, sweeps and seed give the same numbers.
        count: Draws of the posterior that are simulated, and as many of the prior.

    Raises:
        ValueError: If there is no sweep to play.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        draws: Array,
        drug: VirtualDrug,
        contexts: Sequence[Context],
        seed: int = 0,
        count: int = 150,
    ) -> None:
        if not contexts:
            raise ValueError("No sweep is to be played under the drug; one at least was wanted.")
        self.drug, self.contexts = drug, tuple(contexts)
        self._spec, self._scaling = checkpoint.spec, checkpoint.network.scaling
        self.yardstick = Yardstick(self._scaling)
        rng = np.random.default_rng([seed, 19])
        self._draws = np.asarray(draws, dtype=np.float64)
        theta = self._draws[rng.permutation(len(draws))[:count]]
        self._seed = seed
        self._posterior = self._experiment(theta, rng)

    @property
    def bridge(self) -> tuple[float, float, float]:
        """What the bridge leaves of the access resistance by the posterior, 5, 50 and 95 % of it [MOhm]."""
        low, middle, high = np.quantile(self._draws[:, self._spec.names.index("bridge")], [0.05, 0.5, 0.95])
        return float(low), float(middle), float(high)

    def check(self) -> None:
        """Refuse a drug under which the cell would not stay at rest.

        Raises:
            DrugError: If a tenth more of the posterior's cells that rest under control leave their rest under the drug
                than do without it: they fire before the step, or go below -120 mV or above -20 mV, or blow up.
        """
        before, drug, after = (~_rests(self._posterior.raw[:, k]) for k in range(3))
        # Some fire now and then before the step as they are, which is no drug's doing.
        share = float((drug[~before].mean() - after[~before].mean()) if not before.all() else 0.0)
        if share > _UNSTABLE:
            raise DrugError(
                f"With {self.drug.words}, {100.0 * share:.0f} % of the cells that fit the sweeps so far would not stay "
                f"at rest as they do without it, at most {100.0 * _UNSTABLE:.0f} % were wanted: choose a smaller "
                "factor, or hold the cell more negative."
            )

    def whole(self) -> Array:
        """Draw the experiment itself, not the change, from cells of the model without the error that is granted it.

        Returns:
            Shape (d, 2 sweeps, f) in the yardstick's units, the control, which is the average of both, before the drug.
        """
        before, drug, after = (self.yardstick.along(self._posterior.raw[:, k]) for k in range(3))
        return np.concatenate([averaged(before, after), drug], axis=1)

    def under(self, control: Array | None = None, prior: bool = False) -> Array:
        """Draw the features of the sweeps under the drug.

        Args:
            control: What was measured under control, in the yardstick's units, shape (sweeps, f), NaN where missing;
                None: simulated.
            prior: Whether the cells are the prior's.

        Returns:
            Shape (d, sweeps, f) in the yardstick's units, NaN where a draw does not have the feature.
        """
        arm = self._prior if prior else self._posterior
        if control is None:
            return arm.drug.copy()
        change = arm.drug - arm.control
        usable = np.isfinite(control) & (np.isfinite(change).mean(axis=0) >= _HALF)
        return np.asarray(np.where(usable, control + change, arm.drug))

    def unchanged(self, before: Array, after: Array | None = None) -> Array:
        """Draw what is expected where the drug does nothing: the control, as it repeats.

        Args:
            before: Features of the control before, shape (sweeps, f).
            after: Of the control after; None: how far repeats lie apart is the posterior's word.

        Returns:
            Shape (d, sweeps, f) in the yardstick's units, equal steps of probability in each column.
        """
        along = self.yardstick.along
        measured = along(before) if after is None else averaged(along(before), along(after))
        if after is None:
            apart = self._posterior.after - self._posterior.before
            spread, freedom = _spread(apart.reshape(-1, apart.shape[-1])), np.inf
        else:
            apart = along(after) - along(before)
            spread, freedom = _spread(apart), max(2.0, float(len(apart)))
        levels = (np.arange(len(self._posterior.drug)) + 0.5) / len(self._posterior.drug)
        quantiles = stats.norm.ppf(levels) if np.isinf(freedom) else stats.t.ppf(levels, freedom)
        # Of one sweep against the mean of two, in units of what two sweeps differ by.
        return np.asarray(measured + np.sqrt(0.75) * spread * quantiles[:, None, None])

    def changes(self, control: Array | None = None) -> tuple[Change, ...]:
        """Tell what is predicted, the largest changes first.

        Args:
            control: Features that were measured under control, shape (sweeps, f), NaN where missing; None: simulated.

        Returns:
            Features that most draws have with and without the drug; none is there whose change can't be told.
        """
        measured = None if control is None else self.yardstick.along(control)
        ours, theirs = self.under(measured), self.under(measured, prior=True)
        base = self._posterior.control if measured is None else measured[None]
        apart = _spread((self._posterior.after - self._posterior.before).reshape(-1, len(NAMES)))
        found: list[tuple[float, Change]] = []
        for sweep, k in np.ndindex(len(self.contexts), len(NAMES)):
            mine, his, there = ours[:, sweep, k], theirs[:, sweep, k], base[:, sweep, k]
            if not JUDGED[k] or min(np.isfinite(mine).mean(), np.isfinite(his).mean(), np.isfinite(there).mean()) < 0.5:
                continue
            middle = float(np.nanmedian(there))
            values = [*np.nanquantile(mine, [0.05, 0.5, 0.95]), *np.nanquantile(his, [0.05, 0.95])]
            raw = [float(value) for value in self._back([*values, middle, float(middle + 1.645 * apart[k])], k)]
            low, median, high, prior_low, prior_high = (value - raw[5] for value in raw[:5])
            seen = None if control is None else float(control[sweep, k])
            change = Change(
                sweep, NAMES[k], FEATURES[k].unit, seen, low, median, high, prior_low, prior_high, raw[6] - raw[5]
            )
            found.append((abs(values[1] - middle) / max(float(apart[k]), _FINE), change))
        return tuple(change for _, change in sorted(found, key=lambda pair: -pair[0]))

    @cached_property
    def _prior(self) -> _Arm:
        """The same experiment on cells of the prior; made when it is first asked for, as a refused drug needs none."""
        rng = np.random.default_rng([self._seed, 29])
        u = rng.standard_normal((len(self._posterior.drug), len(self._spec.parameters)))
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(self._spec.parameters)], axis=1)
        return self._experiment(theta, rng)

    def _back(self, values: Sequence[float], k: int) -> Array:
        """Give values of one feature in its own unit."""
        table = np.zeros((len(values), len(NAMES)))
        table[:, k] = values
        return np.asarray(self.yardstick.back(table)[:, k])

    def _experiment(self, theta: Array, rng: np.random.Generator) -> _Arm:
        """Play control, drug and control to cells."""
        d, s = len(theta), len(self.contexts)
        told = np.stack([context.row() for context in self.contexts])
        table = np.tile(told, (3 * d, 1))
        of_cell = np.repeat(np.arange(d), 3 * s)
        drawn = rigs(theta[of_cell], self._spec.nuisances, rng, of_cell, self._spec.names)
        drugged = np.tile(np.repeat([False, True, False], s), d)
        features = np.empty((len(of_cell), len(NAMES)))
        for which, injected in ((~drugged, None), (drugged, self.drug.injected)):
            rows = np.flatnonzero(which)
            some = theta[of_cell[rows]]
            features[rows] = respond(some, table[rows], drawn[rows], rng, self._spec.names, injected=injected)
        step = np.abs(table[:, CONTEXT.index("amplitude")])
        positions = table[:, CONTEXT.index("amplitude")] / max(5.0, float(step.max()))
        errors = Distortion(self._spec.parameters, self._scaling).errors(theta, rng)
        moved = self.yardstick.along(errors.add(features, positions, of_cell, rng)).reshape(d, 3, s, -1)
        return _Arm(features.reshape(d, 3, s, -1), moved[:, 0], moved[:, 1], moved[:, 2])


def averaged(before: Array, after: Array) -> Array:
    """Average the two controls; of what one of them lacks, the other is taken.

    Args:
        before: Any shape, NaN where missing.
        after: The same.

    Returns:
        The same shape.
    """
    both = np.where(np.isfinite(before) & np.isfinite(after), 0.5 * (before + after), np.nan)
    both = np.where(np.isfinite(both), both, before)
    return np.asarray(np.where(np.isfinite(both), both, after))


def _rests(features: Array) -> npt.NDArray[np.bool_]:
    """Tell which cells rest before the step."""
    rest = features[..., _REST]
    silent = np.isfinite(features[..., _MEAN]) & (np.nan_to_num(features[..., _BEFORE]) == 0)
    return np.asarray(silent & (rest > _LOWEST) & (rest < _HIGHEST))


def _spread(apart: Array) -> Array:
    """Give the root mean square of differences, 0 where there are none, shape (f,)."""
    known = np.isfinite(apart)
    total = (np.where(known, apart, 0.0) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(total / np.maximum(known.sum(axis=0), 1)))
