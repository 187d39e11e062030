"""This file is the adaptive designs: steps chosen from what the cell has answered so far.

Given the sweeps, theta does not depend on why their currents were chosen. So the posterior is the same whether a set
was drawn blindly or followed the answers. That holds for what was shown to whoever chose, the model's error included:
these sets come as they were answered, and are to be shown from their first sweep on and without another error. A
network that has learned from blind sets alone stays calibrated as far as it learned the posterior, which an argmax
seeks the limits of; here it shows, and from here it learns.

References:
    Rubin (1976), Inference and missing data. Biometrika 63, 581-592. https://doi.org/10.1093/biomet/63.3.581
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from estimators.abort import AbortRule
from estimators.context import CONTEXT
from estimators.designs import draw_set, on_grid
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.features import NAMES
from estimators.generation import respond, walk
from estimators.likelihood import Likelihood
from estimators.nuisances import Rigs, rigs
from estimators.promise import promise
from estimators.prospect import Prospect
from estimators.sets import Sets
from estimators.spec import Spec

__all__ = ["GAIN", "MIXED", "SWEEPS", "TRIED", "Policies", "adapt", "bisected", "disagreement"]

SWEEPS = (4, 10)
"""Sweeps of an adaptive set, where the spec allows as many."""

_POLICIES = ("bisecting", "disagreement", "promise")
_FREEDOMS = (0.5, 0.3, 0.2)
_OTHERWISE = 0.5

_CANDIDATES = ((-0.5, 0.0), (0.0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1.0))
_FARTHEST = 3.0
_AMPLITUDE, _EXCLUDED = CONTEXT.index("amplitude"), CONTEXT.index("excluded")
_HOLDING, _KNOWN, _DURATION = (CONTEXT.index(name) for name in ("holding", "holding_known", "duration"))
_RATE, _COUNT = CONTEXT.index("rate"), NAMES.index("spike_count")

_Floats = npt.NDArray[np.float64]
_Cells = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Policies:
    """Who chooses the steps where there is a likelihood, and how thoroughly.

    Args:
        shares: Of the cells whose rheobase is bisected, those whose two draws are to disagree, and those that get the
            sweep which promises most.
        blind: Share of sweeps after the first that follow nothing.
        weighed: Sweeps among which the one that promises most is chosen.
        draws: Of theta, to weigh them by.
    """

    shares: tuple[float, float, float]
    blind: float
    weighed: int
    draws: int


MIXED = Policies((0.2, 0.2, 0.6), 0.1, 6, 8)
"""All of them, to learn from: quick, and no step is beyond them."""

TRIED = Policies((0.15, 0.0, 0.85), 0.3, 12, 0)
"""For who learns what sweeps teach: a share of everything, but mostly what is thought to teach most."""

GAIN = Policies((0.0, 0.0, 1.0), 0.0, 12, 16)
"""Every sweep after the first promises most, of more sweeps and told better: who is tested is to be sought out."""


def adapt(
    network: SweepSetEstimator,
    spec: Spec,
    cells: int,
    rng: np.random.Generator,
    *,
    likelihood: Likelihood | None = None,
    prospect: Prospect | None = None,
    rule: AbortRule | None = None,
    policies: Policies = MIXED,
    sweeps: tuple[int, int] = SWEEPS,
    chunk: int = 250,
) -> Iterator[Sets]:
    """Draw cells and choose their steps one after the other, for all cells of a chunk at once.

    Every other cell's rheobase is bisected. The others get, of four currents, the one for which two draws from the
    posterior so far predict the most different sweeps. With a likelihood, a share of the cells get, of some sweeps, the
    one that promises most of theta, as it is chosen in an experiment: of some the current alone is chosen, of others
    duration or holding too, some within a range and some at most twice what they had; the first sweep and a share of
    the others is blind, so that no choice is beyond a network that learns from them. All else is drawn as
    `estimators.designs` has it.

    Args:
        network: Whose posterior is followed.
        spec: The process.
        cells: How many cells.
        rng: Source of randomness.
        likelihood: What makes the sweeps that are weighed.
        prospect: What weighs sweeps that nobody makes, in the likelihood's place.
        rule: When a sweep is broken off, of which nothing is read then; without it none is.
        policies: Who chooses where sweeps are weighed.
        sweeps: Fewest and most of a cell, where the spec allows as many; their logarithm is uniform where sweeps are
            weighed.
        chunk: Cells at a time.

    Yields:
        The sets of at most `chunk` cells; none where the spec knows only single sweeps.
    """
    least, most = spec.designs.sweeps
    if most < 2:
        return
    low = min(max(sweeps[0], least), most)
    designs = replace(spec.designs, sweeps=(low, max(low, min(sweeps[1], most))))
    for begin in range(0, cells, chunk):
        smallest, largest = np.log(designs.scale)
        scales = np.exp(rng.uniform(smallest, largest, min(chunk, cells - begin)))
        tables = [draw_set(replace(designs, scale=(scale, scale)), rng) for scale in scales]
        walks = [_walked(table, spec, rng) for table in tables]
        first = np.concatenate([[0], np.cumsum([len(table) for table in tables])])
        follows = np.arange(len(scales)) % 2
        if likelihood is not None or prospect is not None:
            follows = rng.choice(len(_POLICIES), len(scales), p=policies.shares)
        weighs = (likelihood, prospect, rule)
        course = _Course(network, *weighs, policies, spec, rng, scales, first, np.concatenate(tables), follows)
        yield course.run(np.concatenate(walks))


def _walked(table: _Floats, spec: Spec, rng: np.random.Generator) -> _Floats:
    return walk(table[:, CONTEXT.index("start")], len(spec.parameters), spec.nuisances, rng, spec.names)


@dataclass(frozen=True, eq=False)
class _Course:
    """Cells whose steps are being chosen; of theta it knows nothing but what `run` lets it answer."""

    network: SweepSetEstimator
    likelihood: Likelihood | None
    prospect: Prospect | None
    rule: AbortRule | None
    policies: Policies
    spec: Spec
    rng: np.random.Generator
    scales: _Floats
    first: _Cells
    context: _Floats
    follows: _Cells

    def run(self, u: _Floats) -> Sets:
        """Play sweep after sweep."""
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(self.spec.parameters)], axis=1)
        sizes = np.diff(self.first)
        rig = rigs(theta, self.spec.nuisances, self.rng, np.repeat(np.arange(len(sizes)), sizes), self.spec.names)
        errors = Distortion(self.spec.parameters, self.network.scaling).errors(theta[self.first[1:] - 1], self.rng)
        features = np.full((len(u), len(NAMES)), np.nan)
        told = self.context.copy()
        told[:, _HOLDING] *= told[:, _KNOWN]
        bracket = np.stack([np.zeros_like(self.scales), self.scales], axis=1)
        freedoms = self._freedoms()
        for k in range(int(sizes.max())):
            going = np.flatnonzero(sizes > k)
            followed = going[~self._blind(len(going))]
            bisecting, disagreeing, promised = (followed[self.follows[followed] == p] for p in range(len(_POLICIES)))
            if k:
                told[self.first[disagreeing] + k, _AMPLITUDE] = self._most_telling(features, told, disagreeing, k)
                told[self.first[promised] + k] = self._most_promising(features, told, promised, k, freedoms)
            told[self.first[bisecting] + k, _AMPLITUDE] = bracket[bisecting].mean(axis=1)
            rows = self.first[going] + k
            played = self._played(rows, told)
            answers = self._answers(theta[rows], played, rig[rows])
            features[rows] = errors.add(answers, played[:, _AMPLITUDE] / self.scales[going], going, self.rng)
            told[rows, _EXCLUDED] = np.isnan(features[rows]).all(axis=1)
            bracket[bisecting] = bisected(bracket[bisecting], features[self.first[bisecting] + k, _COUNT])
        chosen = np.ones(len(sizes), dtype=np.bool_)
        return Sets(u.astype(np.float32), features.astype(np.float32), told.astype(np.float32), self.first, chosen)

    def _answers(self, theta: _Floats, played: _Floats, rig: Rigs) -> _Floats:
        """Simulate sweeps; of those that are broken off nothing is read."""
        if self.rule is None:
            return respond(theta, played, rig, self.rng, self.spec.names)
        kept: list[tuple[npt.NDArray[np.float32], _Cells]] = []

        def keep(samples: npt.NDArray[np.float32], counts: _Cells, column: object) -> None:
            kept.append((samples, counts))

        features = respond(theta, played, rig, self.rng, self.spec.names, keep)
        broken = self.rule.breaks(*kept[0], played[:, _RATE], features)
        return np.where(broken[:, None], np.nan, features)

    @property
    def _weighs(self) -> bool:
        """Whether there is something that weighs sweeps."""
        return self.likelihood is not None or self.prospect is not None

    def _blind(self, cells: int) -> npt.NDArray[np.bool_]:
        """Draw which cells' next sweep follows nothing; where nothing is weighed, each follows."""
        if not self._weighs:
            return np.zeros(cells, dtype=np.bool_)
        return self.rng.random(cells) < self.policies.blind

    def _freedoms(self) -> tuple[_Cells, npt.NDArray[np.bool_]]:
        """Draw what of a cell's sweeps is chosen (0: current; 1: duration too; 2: holding too), and whose may grow."""
        if not self._weighs:
            return np.zeros(len(self.scales), dtype=np.int64), np.zeros(len(self.scales), dtype=np.bool_)
        freedom = self.rng.choice(len(_FREEDOMS), len(self.scales), p=_FREEDOMS)
        return freedom, self.rng.random(len(self.scales)) < _OTHERWISE

    def _played(self, rows: _Cells, told: _Floats) -> _Floats:
        """Give the contexts as they are played; of an unknown holding nothing is told, and none is chosen."""
        played = self.context[rows]
        for column in (_AMPLITUDE, _DURATION):
            played[:, column] = told[rows, column]
        played[:, _HOLDING] = np.where(played[:, _KNOWN] > 0, told[rows, _HOLDING], played[:, _HOLDING])
        return played

    def _most_promising(
        self,
        features: _Floats,
        told: _Floats,
        cells: _Cells,
        k: int,
        freedoms: tuple[_Cells, npt.NDArray[np.bool_]],
    ) -> _Floats:
        """Choose sweep k of these cells, of which only the features and contexts before it are read."""
        if not len(cells) or not self._weighs:
            return told[self.first[cells] + k]
        before = self.first[cells, None] + np.arange(k)
        designs, shape = self.spec.designs, (self.policies.weighed, len(cells))
        freedom, grows = freedoms[0][cells], freedoms[1][cells]
        grown = np.clip(2.0 * np.abs(told[before, _AMPLITUDE]).max(axis=1), *designs.scale)
        top = np.where(grows, grown, self.scales[cells])
        edges = np.linspace(-0.5, 1.0, self.policies.weighed + 1)[:, None]
        asked = np.tile(told[self.first[cells] + k], (self.policies.weighed, 1, 1))
        asked[..., _AMPLITUDE] = top * (edges[:-1] + self.rng.random(shape) * np.diff(edges, axis=0))
        shortest, longest = np.log(designs.duration)
        durations = on_grid(np.exp(self.rng.uniform(shortest, longest, shape)))
        otherwise = self.rng.random(shape) < _OTHERWISE
        asked[..., _DURATION] = np.where((freedom > 0) & otherwise, durations, asked[..., _DURATION])
        holdings = self.scales[cells] * self.rng.uniform(-designs.holding, designs.holding, shape)
        free = (freedom > 1) & (asked[..., _KNOWN] > 0) & (self.rng.random(shape) < _OTHERWISE)
        asked[..., _HOLDING] = np.where(free, holdings, asked[..., _HOLDING])
        gains = self._gains(features[before], told[before], asked)
        return np.asarray(asked[gains.argmax(axis=0), np.arange(len(cells))])

    def _gains(self, features: _Floats, told: _Floats, asked: _Floats) -> _Floats:
        """Weigh sweeps, shape (candidates, cells)."""
        if self.prospect is not None:
            return np.asarray(self.prospect.foretell(self.network, features, told, asked).gains.mean(axis=0)[..., 0])
        generator = torch.Generator().manual_seed(int(self.rng.integers(2**62)))
        if self.likelihood is None:
            return np.zeros(asked.shape[:2])
        return promise(self.network, self.likelihood, features, told, asked, self.policies.draws, generator)

    def _most_telling(self, features: _Floats, told: _Floats, cells: _Cells, k: int) -> _Floats:
        """Choose the currents of these cells' sweep k, of which only the features and contexts before it are read."""
        if not len(cells):
            return np.empty(0)
        before = self.first[cells, None] + np.arange(k)
        generator = torch.Generator().manual_seed(int(self.rng.integers(2**62)))
        with torch.inference_mode():
            posterior = self.network(
                torch.as_tensor(features[before], dtype=torch.float32),
                torch.as_tensor(told[before], dtype=torch.float32),
                torch.ones(before.shape, dtype=torch.bool),
            )
            noise = torch.randn(2, len(cells), len(self.spec.parameters), generator=generator)
            theta = self.network.constrain(posterior.from_noise(noise).double().numpy())
        low, high = np.transpose(_CANDIDATES)
        currents = self.scales[cells, None] * self.rng.uniform(low, high, (len(cells), len(low)))
        asked = np.tile(told[self.first[cells] + k], (2, len(low), 1, 1))
        asked[..., _AMPLITUDE] = currents.T
        asked = asked.reshape(-1, len(CONTEXT))
        theta = np.repeat(theta[:, None], len(low), axis=1).reshape(len(asked), -1)
        # Both draws get the same rig: what the rig does to a sweep tells nothing of the cell.
        rig = rigs(theta, self.spec.nuisances, self.rng, np.tile(np.arange(len(cells)), 2 * len(low)), self.spec.names)
        predicted = respond(theta, asked, rig, self.rng, self.spec.names).reshape(2, len(low), len(cells), -1)
        best = disagreement(predicted[0], predicted[1]).argmax(axis=0)
        return np.asarray(currents[np.arange(len(cells)), best])


def bisected(bracket: _Floats, spikes: _Floats) -> _Floats:
    """Halve the bracket of each cell's rheobase by what the current in its middle did.

    Args:
        bracket: Lower and upper end, shape (cells, 2) [pA].
        spikes: How many there were, shape (cells,), NaN where the sweep can't be read, which leaves the bracket.

    Returns:
        The new brackets.

    Example:
        >>> bisected(np.array([[0.0, 100.0], [0.0, 100.0]]), np.array([0.0, 7.0])).tolist()
        [[50.0, 100.0], [0.0, 50.0]]
    """
    middle = bracket.mean(axis=1)
    return np.stack([np.where(spikes == 0, middle, bracket[:, 0]), np.where(spikes > 0, middle, bracket[:, 1])], axis=1)


def disagreement(one: _Floats, other: _Floats) -> _Floats:
    """Tell how different two predictions of a sweep are.

    Args:
        one: Features, shape (..., f), NaN where missing.
        other: The same.

    Returns:
        Mean square distance in spreads of each feature over all that is given, shape (...,); a feature that only one
        of the two has is one spread away.
    """
    both = np.stack([one, other]).reshape(-1, one.shape[-1])
    there = np.isfinite(both)
    count = np.maximum(there.sum(axis=0), 1)
    centred = np.where(there, both, 0.0) - np.where(there, both, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(there, centred, 0.0) ** 2).sum(axis=0) / count)
    distance = np.minimum(np.abs(one - other) / np.where(spread > 0, spread, 1.0), _FARTHEST)
    alone = (np.isfinite(one) ^ np.isfinite(other)).astype(np.float64)
    return np.asarray((np.where(np.isfinite(one) & np.isfinite(other), distance, alone) ** 2).mean(axis=-1))
