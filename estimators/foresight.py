"""This file is the foresight: what cells drawn from the posterior would answer to stimuli that nobody has played yet.

Every stimulus is answered by the same draws, each with a rig, an error of the model and seeds of its own, drawn as in
pretraining: what two stimuli differ in is then due to them. Theta walks on until the sweep to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.abort import AbortRule
from estimators.aftermath import Aftermath, nearest_entropy
from estimators.blame import DISCREPANCY
from estimators.candidate import Candidate, Setting
from estimators.carried import Carried
from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.generation import features_of, respond, voltages
from estimators.nuisances import rigs
from estimators.row_seeds import RowSeeds
from estimators.yardstick import Yardstick

__all__ = ["BLOCK", "Answers", "Foresight", "Scores"]

Array = npt.NDArray[np.float64]

BLOCK = 32
"""Draws that are simulated at once under one candidate."""

_MOST_SWEEPS = 39
_KNOWN = 1024
_SMALLEST = 5.0
_RECALLED = 5
_COLUMN = {name: k for k, name in enumerate(CONTEXT)}


@dataclass(frozen=True, eq=False)
class Answers:
    """What some draws do under one candidate.

    Args:
        features: Without an error of the model, shape (m, f), NaN where missing.
        aborted: Whether the sweep would be aborted, shape (m,).
    """

    features: Array
    aborted: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Scores:
    """What some draws' sweeps would leave of the posterior.

    Args:
        gain: Log density of the draw's own theta after the sweep, less that before it [nat], shape (m,).
        entropy: Of what matters, after the sweep [nat], shape (m,).
    """

    gain: Array
    entropy: Array


class Foresight:
    """Foresee one cell.

    Args:
        checkpoint: The network.
        rows: Features of the sweeps so far, shape (n, f), NaN where missing; of more than 39 the latest serve.
        contexts: Their circumstances, n of them.
        setting: Of the sweep to come; its start is not before the last one's.
        columns: Of the parameters that matter.
        rule: When a sweep is aborted.
        seed: The same sweeps and seed give the same numbers.
        most: Draws at hand.
        carry: Whether what the model missed of the sweeps so far is carried on; otherwise its error is drawn afresh,
            as if no sweep had told of it.

    Raises:
        ValueError: If there is no sweep, or rows and contexts are not as many.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        rows: Array,
        contexts: Sequence[Context],
        setting: Setting,
        columns: Sequence[int],
        rule: AbortRule,
        seed: int = 0,
        most: int = 320,
        carry: bool = True,
    ) -> None:
        if not len(rows) or len(rows) != len(contexts):
            raise ValueError(f"{len(rows)} sweeps have {len(contexts)} contexts; one each, and a sweep, were wanted.")
        self._checkpoint, self._setting, self._rule, self._seed = checkpoint, setting, rule, seed
        spec, network = checkpoint.spec, checkpoint.network
        self._rows = np.asarray(rows, dtype=np.float64)[-_MOST_SWEEPS:]
        self._told = np.stack([context.row() for context in contexts[-_MOST_SWEEPS:]])
        self._start = setting.start - float(self._told[0, _COLUMN["start"]])
        self._told[:, _COLUMN["start"]] -= self._told[0, _COLUMN["start"]]
        p = len(spec.parameters)
        generator = torch.Generator().manual_seed(seed)
        now = network.density(self._rows, self._told)
        with torch.inference_mode():
            noise = torch.randn(max(_KNOWN, most), 1, p, generator=generator)
            drawn = now.from_noise(noise)[:, 0]
            self._noise = torch.randn(most, p, generator=generator)
            self._aftermath = Aftermath(p, columns, generator)
            self._now, self.entropy = _known(now.log_prob(drawn[:, None])[:, 0], drawn, noise[:, 0], columns)
        self.theta = network.constrain(drawn.double().numpy())
        self._rng = np.random.default_rng([seed, 17])
        self.u = self._walked(drawn[:most].double().numpy())
        self._theta = network.constrain(self.u)
        self.most = most
        self._rigs = rigs(self._theta, spec.nuisances, self._rng, names=spec.names)
        self._fresh = None if carry else Distortion(spec.parameters, network.scaling).errors(self._theta, self._rng)
        self._yardstick = Yardstick(network.scaling)
        self._recalled = _recalled(self._told, self._rows)
        self._seeds = RowSeeds.table(most, self._rng)
        self._carried: dict[int, Carried | None] = {}
        self._unshared: Array | None = None
        self.simulated = 0

    @property
    def seen(self) -> tuple[Array, Array, float]:
        """Features and contexts of the sweeps so far as the network is shown them, and the start of the one to come."""
        return self._rows, self._told, self._start

    def _walked(self, u: Array) -> Array:
        """Let theta walk from the last sweep to the one to come."""
        wait = max(0.0, self._start - float(self._told[-1, _COLUMN["start"]]))
        shortest, longest = np.log(self._checkpoint.spec.nuisances.walk)
        keep = np.exp(-wait / np.exp(self._rng.uniform(shortest, longest, len(u))))[:, None]
        return np.asarray(keep * u + np.sqrt(1.0 - keep * keep) * self._rng.standard_normal(u.shape))

    def answers(self, asked: Sequence[tuple[Candidate, npt.NDArray[np.int64]]]) -> list[Answers]:
        """Simulate draws under candidates, all of them in one batch.

        Args:
            asked: Candidates, each with the draws that it is played to; a draw gets the same noise under every one.

        Returns:
            One entry for each that was asked, with one row a draw.
        """
        draws = np.concatenate([some for _, some in asked])
        rows = np.concatenate([[candidate.context(self._setting).row()] * len(some) for candidate, some in asked])
        spec = self._checkpoint.spec
        seeds = RowSeeds(self._seeds, draws)
        samples, counts = voltages(self._theta[draws], rows, self._rigs[draws], seeds, spec.names)
        features = features_of(samples, counts, {name: rows[:, k] for name, k in _COLUMN.items()})
        aborted = self._rule.breaks(samples, counts, self._setting.rate, features)
        self.simulated += len(draws)
        ends = np.cumsum([len(some) for _, some in asked])[:-1]
        return [Answers(*each) for each in zip(np.split(features, ends), np.split(aborted, ends), strict=True)]

    def distorted(self, features: Array, candidate: Candidate, draws: npt.NDArray[np.int64]) -> Array:
        """Add to sweeps what the model will miss of this cell, as far as the sweeps so far tell it.

        Args:
            features: Of one sweep of each draw under the candidate, shape (m, f), NaN where missing.
            candidate: What was played.
            draws: Which draws: one block of them.

        Returns:
            The same shape.
        """
        block, position = int(draws[0]), candidate.amplitude / self._largest
        if self._fresh is not None:
            rng = np.random.default_rng([self._seed, 23, block])
            return np.asarray(self._fresh.add(features, np.full(len(draws), position), draws, rng), dtype=np.float64)
        if block not in self._carried:
            self._carried[block] = self._remember(draws)
        carried = self._carried[block]
        if carried is None:
            return features
        return carried.add(features, position)

    @property
    def _largest(self) -> float:
        return max(_SMALLEST, float(np.abs(self._told[:, _COLUMN["amplitude"]]).max()))

    def _remember(self, draws: npt.NDArray[np.int64]) -> Carried | None:
        """Simulate sweeps that were made with these draws, to see what the model misses of them."""
        spec = self._checkpoint.spec
        if DISCREPANCY not in spec.names or not len(self._recalled):
            return None
        rng = np.random.default_rng([self._seed, 29, int(draws[0])])
        sweeps, k = self._recalled, len(self._recalled)
        if self._unshared is None:
            # Some of them twice, for what no two sweeps share.
            sweeps = np.concatenate([sweeps, sweeps[[0, -1]]])
        made = self._made(draws, sweeps, rng)
        if self._unshared is None:
            self._unshared = _unshared(self._yardstick.along(made[:, [0, k - 1]]) - self._yardstick.along(made[:, k:]))
        positions = self._told[self._recalled, _COLUMN["amplitude"]] / self._largest
        size = self._theta[draws, spec.names.index(DISCREPANCY)]
        return Carried(self._yardstick, self._rows[self._recalled], made[:, :k], positions, size, self._unshared, rng)

    def _made(self, draws: npt.NDArray[np.int64], sweeps: npt.NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Simulate sweeps that were made with some draws, each with its rig, shape (m, k, f)."""
        k, m = len(sweeps), len(draws)
        played = np.tile(self._told[sweeps], (m, 1))
        rows = np.repeat(draws, k)
        self.simulated += len(rows)
        made = respond(self._theta[rows], played, self._rigs[rows], rng, self._checkpoint.spec.names)
        return np.asarray(made.reshape(m, k, -1))

    def scores(
        self, candidates: Sequence[Candidate], answers: Sequence[Array], draws: npt.NDArray[np.int64]
    ) -> list[Scores]:
        """Score what sweeps would leave of the posterior.

        Args:
            candidates: Which gave the answers.
            answers: Features of each candidate's sweeps, one row a draw, shape (m, f).
            draws: Which draws.

        Returns:
            One entry a candidate.
        """
        c, m, n = len(candidates), len(draws), len(self._rows) + 1
        features = np.empty((c, m, n, self._rows.shape[1]), dtype=np.float32)
        told = np.empty((c, m, n, self._told.shape[1]), dtype=np.float32)
        features[:, :, :-1], told[:, :, :-1] = self._rows, self._told
        for k, candidate in enumerate(candidates):
            context = candidate.context(self._setting)
            known = replace(context, holding=context.holding * context.holding_known, start=self._start)
            features[k, :, -1] = self.distorted(answers[k], candidate, draws)
            told[k, :, -1] = known.row()
        told[..., -1, _COLUMN["excluded"]] = np.isnan(features[..., -1, :]).all(axis=-1)
        u = torch.as_tensor(self.u[draws], dtype=torch.float32).repeat(c, 1)
        noise = self._noise[torch.as_tensor(draws)].repeat(c, 1)
        flat = torch.from_numpy(features).flatten(0, 1), torch.from_numpy(told).flatten(0, 1)
        with torch.inference_mode():
            after = self._checkpoint.network(*flat, torch.ones(c * m, n, dtype=torch.bool))
            density, entropy = self._aftermath(after, u, noise)
        gain = density.double().numpy().reshape(c, m) - self._now[draws]
        return [Scores(*each) for each in zip(gain, entropy.double().numpy().reshape(c, m), strict=True)]


def _recalled(told: Array, rows: Array) -> npt.NDArray[np.int64]:
    """Choose of the sweeps that were made, and can be read, some that are spread over the currents."""
    there = np.flatnonzero((told[:, _COLUMN["excluded"]] == 0) & np.isfinite(rows).any(axis=1))
    order = there[np.argsort(told[there, _COLUMN["amplitude"]], kind="stable")]
    return np.asarray(order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _RECALLED)).round().astype(int))])


def _unshared(apart: Array) -> Array:
    """Give the variance of what no two sweeps of a cell share, from differences of two, robustly, shape (f,)."""
    square = np.where(np.isfinite(apart), apart**2, np.nan).reshape(-1, apart.shape[-1])
    there = np.isfinite(square).any(axis=0)
    # Of a squared standard normal the median is 0.455, and a difference has the variance of both.
    return np.where(there, np.nanmedian(np.where(there, square, 0.0), axis=0) / (2.0 * 0.455), 0.0)


def _known(density: Tensor, drawn: Tensor, noise: Tensor, columns: Sequence[int]) -> tuple[Array, float]:
    """Give what is subtracted from each draw's density after the sweep, and the entropy of what matters now.

    What is subtracted has the negative entropy for its mean, so that what is left has the gain for its mean.
    """
    if len(columns) == drawn.shape[1]:
        entropy = float((-density - 0.5 * (noise**2).sum(-1)).double().mean()) + 0.5 * drawn.shape[1]
        return density.double().numpy(), entropy
    part = drawn[:, list(columns)].double()
    centred = part - part.mean(dim=0)
    covariance = centred.T @ centred / len(part)
    factor = torch.linalg.cholesky(covariance + 1e-9 * torch.eye(len(covariance), dtype=torch.float64))
    away = torch.linalg.solve_triangular(factor, centred.T, upper=False)
    entropy = nearest_entropy(part)
    return (-0.5 * ((away**2).sum(dim=0) - part.shape[1]) - entropy).numpy(), entropy
