"""This file is the surprise: how unlike sweeps of its own design one sweep is, as a p-value that holds for one.

Two scores. The first follows the prior predictive density through the sweep's features: how far out in its
distribution, given the design and the features before it, the farthest one lies, or how unlikely it was to be missing.
The second is a watchman's suspicion that one of the faults he knows is there. Each is ranked among those of fresh
simulated sweeps, and the lower rank is ranked again (a conformal p-value). Nothing is clamped before it is scored.

References:
    Bates et al. (2023), Ann. Statist. 51, 149-178. https://doi.org/10.1214/22-AOS2244
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import logsumexp
from torch import Tensor

from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.features import FEATURES, NAMES
from estimators.generation import generate
from estimators.likelihood import ORDER, Likelihood
from estimators.novelty import Strange
from estimators.oddity import RARE, Oddity, Side
from estimators.spec import Spec
from estimators.watchman import TAUGHT, Watchman

__all__ = ["Surprise"]

Array = npt.NDArray[np.float64]

_FAINTEST = 1e-13
_SUSPECTED = 1e-3
_SURE = 3.0
"""Log odds from which a fault is taken for sure: of sound simulated sweeps some tenth of a percent have them."""

_MOST = 3
_SHOWN = 5
_ENDS = (0.05, 0.95)
_DRAWS = 500
_RANGE = (0.01, 0.99)
_COUNTS = 4
_AT_ONCE = 1000
_EXCLUDED = CONTEXT.index("excluded")


class Surprise:
    """Compare a sweep with what the model makes of its design.

    Args:
        predictive: The density of a sweep given its design.
        watchman: Who has seen faults.
        scores: From `make`.
    """

    def __init__(self, predictive: Likelihood, watchman: Watchman, scores: Array) -> None:
        # A percentile far out is lost in single precision.
        self._predictive, self._watchman = _double(predictive), watchman
        self._each = np.sort(scores.astype(np.float64), axis=0)
        self._taught = [TAUGHT[name] for name in watchman.taught]
        self._alarming = np.array([taught.alarming for taught in self._taught])
        self._sorted = np.sort(self._joined(scores.astype(np.float64)), axis=0)
        self._lowest = np.sort(self._ranks(scores.astype(np.float64)).min(axis=1))

    @staticmethod
    def make(
        predictive: Likelihood,
        watchman: Watchman,
        spec: Spec,
        rng: np.random.Generator,
        size: int,
        distortion: Distortion | None = None,
    ) -> Array:
        """Score fresh sweeps of the process.

        Args:
            predictive: The density of a sweep given its design.
            watchman: Who has seen faults.
            spec: The process.
            rng: Source of randomness.
            size: Sweeps, each of a cell of its own.
            distortion: How the model errs; without it the model is right.

        Returns:
            Scores, shape (at most size, 1 + what the watchman was taught): how surprising the farthest feature is,
                and the log odds of each fault.
        """
        precise = _double(predictive)
        scores = []
        for made in generate(spec.parameters, spec.designs, spec.nuisances, size, rng, sweeps=1):
            sets = made if distortion is None else distortion(made, rng)
            used = sets.context[:, _EXCLUDED] == 0
            scores.append(_scores(precise, watchman, sets.features[used], sets.context[used])[0])
        return np.concatenate(scores)

    def judge(self, row: Array, context: Array) -> Strange:
        """Judge one sweep.

        Args:
            row: Its features, shape (f,), NaN where missing.
            context: Shape (c,).

        Returns:
            What is strange about it.
        """
        scores, tails, below = _scores(self._predictive, self._watchman, row[None], context[None])
        p = self.p_values(scores)[0]
        distance = float(scores[0, 0] / self._sorted[-1, 0])
        told = self._sentences(row, context, tails[0], below[0], scores)
        off = self._off(row, context, tails[0], below[0])
        return Strange(float(p), distance, told, self._refusal(scores[0], told), off)

    def judge_all(self, features: Array, context: Array) -> Array:
        """Give the p-values of many sweeps, shape (n,).

        Args:
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).
        """
        return self.p_values(self._all(features, context))

    def judge_for(self, fault: str, features: Array, context: Array) -> Array:
        """Give p-values that look for one fault only, shape (n,).

        Args:
            fault: Its name.
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).
        """
        return self._beyond(self._each, self._all(features, context))[:, 1 + self._watchman.taught.index(fault)]

    def _all(self, features: Array, context: Array) -> Array:
        parts = range(0, len(features), _AT_ONCE)
        both = [(features[k : k + _AT_ONCE], context[k : k + _AT_ONCE]) for k in parts]
        return np.concatenate([_scores(self._predictive, self._watchman, *part)[0] for part in both])

    def p_values(self, scores: Array) -> Array:
        """Rank scores among those of fresh sweeps.

        Args:
            scores: Shape (n, 1 + what the watchman was taught).

        Returns:
            Shape (n,), above 0 and at most 1.
        """
        lowest = self._ranks(scores).min(axis=1)
        as_low = np.searchsorted(self._lowest, lowest, side="right")
        return np.asarray((as_low + 1) / (len(self._lowest) + 1))

    def _ranks(self, scores: Array) -> Array:
        """Give the ranks of both scores, shape (n, 2)."""
        return self._beyond(self._sorted, self._joined(scores))

    def _joined(self, scores: Array) -> Array:
        """Take what is wrong with a rig together: the log odds that any is, each thought as likely; shape (n, 2)."""
        return np.stack([scores[:, 0], logsumexp(scores[:, 1:][:, self._alarming], axis=1)], axis=1)

    @staticmethod
    def _beyond(columns: Array, scores: Array) -> Array:
        """Give the share of fresh sweeps whose score is at least as large, column by column."""
        n = len(columns)
        pairs = zip(columns.T, scores.T, strict=True)
        beyond = [n - np.searchsorted(column, score, side="left") for column, score in pairs]
        return (np.stack(beyond, axis=1) + 1.0) / (n + 1.0)

    def _sentences(self, row: Array, context: Array, tails: Array, below: Array, scores: Array) -> tuple[str, ...]:
        """Say which features are off, farthest first, and which fault looks so."""
        odds = self._beyond(self._each, scores)[0, 1:]
        likeliest = int(np.argmax(np.where(odds == odds.min(), scores[0, 1:], -np.inf)))
        fault = self._taught[likeliest]
        looks = (f"the sweep looks like {fault.words}",) if odds[likeliest] <= _SUSPECTED else ()
        return self._features(row, context, tails, below) + looks

    def _refusal(self, scores: Array, told: tuple[str, ...]) -> str | None:
        """Refuse what is surely a fault that makes a sweep worthless; a real cell that is not the model is none."""
        odds = [score if fault.must else -np.inf for score, fault in zip(scores[1:], self._taught, strict=True)]
        k = int(np.argmax(odds))
        if odds[k] <= _SURE:
            return None
        first = f": {told[0]}" if told else ""
        return f"This sweep looks like {self._taught[k].words}, not like a cell on a sound rig{first}."

    def _features(self, row: Array, context: Array, tails: Array, below: Array) -> tuple[str, ...]:
        """Say which features are off, farthest first."""
        worst = [k for k in np.argsort(-tails)[:_MOST] if tails[k] > -np.log(RARE)]
        if not worst:
            return ()
        low, high = self._range(context)
        told = []
        for k in worst:
            column = ORDER[k]
            feature, value = FEATURES[column], row[column]
            usual = ""
            if np.isfinite(low[column]):
                both = f"{low[column]:.3g} to {high[column]:.3g} {feature.unit}".removesuffix(" 1")
                usual = f"; 98 % of sweeps with such a step lie in {both}"
            if not np.isfinite(value):
                told.append(f"{feature.words} is missing, as in {_share(float(np.exp(-tails[k])))} of such sweeps")
            elif np.isnan(below[k]):
                told.append(f"{feature.told(value)}, which hardly any such sweep has at all")
            else:
                side = "below" if below[k] < 0.5 else "above"
                share = _share(min(below[k], 1.0 - below[k]))
                told.append(
                    f"{feature.told(value)}, {share} are {side} it where step and other features are like this{usual}"
                )
        return tuple(told)

    def _off(self, row: Array, context: Array, tails: Array, below: Array) -> tuple[Oddity, ...]:
        """Tell the features that are off, farthest first, and where they were expected."""
        worst = [k for k in np.argsort(-tails)[:_SHOWN] if tails[k] > -np.log(RARE)]
        if not worst:
            return ()
        rows, circumstances = torch.from_numpy(row[None]).double(), torch.from_numpy(context[None]).double()
        low, high = self._predictive.ends(rows, circumstances, rows[:, :0], _ENDS)[:, 0].numpy()
        found = []
        for k in worst:
            column = ORDER[k]
            feature, value = FEATURES[column], float(row[column])
            side: Side = "below" if below[k] < 0.5 else "above"
            if not np.isfinite(value):
                side = "missing"
            elif not -np.log(2.0 * min(below[k], 1.0 - below[k]) + _FAINTEST) > -np.log(RARE):
                side = "there"
            found.append(
                Oddity(
                    feature.name,
                    feature.unit,
                    value,
                    float(low[column]),
                    float(high[column]),
                    float(np.exp(-tails[k])),
                    side,
                    "step",
                )
            )
        return tuple(found)

    def _range(self, context: Array) -> tuple[Array, Array]:
        """Tell where features lie in sweeps of this design, NaN where hardly any has one."""
        told = torch.as_tensor(context, dtype=torch.float64)
        generator = torch.Generator().manual_seed(0)
        drawn = self._predictive.draw(torch.zeros(_DRAWS, 0, dtype=torch.float64), told, generator).numpy()
        there = np.isfinite(drawn).sum(axis=0) > 10
        quantiles = np.full((2, len(NAMES)), np.nan)
        quantiles[:, there] = np.nanquantile(drawn[:, there], _RANGE, axis=0)
        return quantiles[0], quantiles[1]


def _double(predictive: Likelihood) -> Likelihood:
    """Copy a density in double precision."""
    precise = Likelihood((), predictive.shape)
    precise.load_state_dict(predictive.state_dict())
    return precise.double().eval().requires_grad_(False)


def _scores(
    predictive: Likelihood, watchman: Watchman, features: npt.NDArray[np.floating], context: npt.NDArray[np.floating]
) -> tuple[Array, Array, Array]:
    """Give the scores, each column's surprise in the chain's order, and its share below."""
    rows, circumstances = (torch.as_tensor(table, dtype=torch.float64) for table in (features, context))
    with torch.inference_mode():
        links = predictive.links(rows, circumstances, rows[:, :0], percentiles=True)
        odds = watchman(rows.float(), circumstances.float()).double()
        below = torch.full_like(links.flag, torch.nan) if links.below is None else links.below
        tails = _tails(links.flag, below)
        scores = torch.cat([tails.amax(dim=1, keepdim=True), odds], dim=1)
    return scores.numpy(), tails.numpy(), below.numpy()


def _tails(flag: Tensor, below: Tensor) -> Tensor:
    """Give how surprising each column is, on either side of its distribution or for being there or not [nat]."""
    both = 2.0 * torch.minimum(below, 1.0 - below)
    value = -torch.log(both.clamp(_FAINTEST, 1.0)).nan_to_num(nan=0.0)
    # The flag of a count is its zero, which its percentile has in it.
    flag = torch.cat([torch.zeros_like(flag[:, :_COUNTS]), -flag[:, _COUNTS:]], dim=1)
    return torch.maximum(value, flag.clamp(max=-float(np.log(_FAINTEST))))


def _share(share: float) -> str:
    """Write a small share."""
    return f"{100.0 * share:.2g} %" if share > 1e-6 else "less than 0.0001 %"
