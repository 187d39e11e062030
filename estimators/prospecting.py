"""This file is the prospecting: from cells that were asked in many ways to what a sweep can be expected to teach.

Cells of the process are asked in rounds: first mostly by steps that follow nothing, then by the prospect of the rounds
before, with a share of steps that follow nothing, so that it meets the sets that its own choices lead to. What
each sweep taught is how much likelier the truth got, and by how much the posterior's entropy fell, of all parameters
together and of each alone: where a posterior holds what it promises both have one mean, the second with less noise.
Whether it was broken off is learned as a probability.

References:
    Ross, Gordon & Bagnell (2011), A reduction of imitation learning and structured prediction to no-regret online
    learning. AISTATS 15. arXiv:1011.0686
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from estimators.abort import LEARNED
from estimators.adaptive import TRIED, adapt
from estimators.context import CONTEXT
from estimators.course import Course
from estimators.estimator import SweepSetEstimator
from estimators.likelihood import Likelihood
from estimators.outlook import Outlook
from estimators.prospect import Prospect, apart, encoded
from estimators.sets import Sets
from estimators.spec import Spec
from estimators.training import Epoch

__all__ = ["Lessons", "prospect_of"]

_SWEEPS = (4, 11)
_PURPOSE = 31
_FIRST, _BLIND = 4, 0.85
_ENTROPY = 8
_BATCH = 256
_RATE, _DECAY = 2e-3, 1e-2
_LEAST, _MOST = -6.0, 12.0
_ASIDE = 0.06
_CALMEST = 0.05
_AT_ONCE = 500
_AMPLITUDE, _EXCLUDED = CONTEXT.index("amplitude"), CONTEXT.index("excluded")


@dataclass(frozen=True, eq=False)
class Lessons:
    """Cells with what each of their sweeps taught, sweeps beyond a cell's last as NaN.

    Args:
        features: Shape (cells, n, f).
        context: Shape (cells, n, c).
        known: What the network makes of the first k sweeps, shape (cells, n, e).
        taught: How much likelier the truth gets from k sweeps to k + 1, by how much the entropy falls, and that of each
            parameter alone, shape (cells, n - 1, 2 + p) [nat].
        sizes: Sweeps of each cell, shape (cells,).
    """

    features: Tensor
    context: Tensor
    known: Tensor
    taught: Tensor
    sizes: Tensor

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    @torch.inference_mode()
    def of(cls, network: SweepSetEstimator, sets: Sets, generator: torch.Generator) -> Lessons:
        """Ask a network what it knows after each sweep.

        Args:
            network: Which.
            sets: Whose sweeps.
            generator: Source of randomness.

        Returns:
            The lessons.
        """
        sizes = np.diff(sets.first)
        n, cells, p = int(sizes.max()), len(sets), sets.u.shape[1]
        features = torch.full((cells, n, sets.features.shape[1]), torch.nan)
        context = torch.zeros(cells, n, sets.context.shape[1])
        rows = np.repeat(np.arange(cells), sizes), np.concatenate([np.arange(size) for size in sizes])
        features[rows], context[rows] = torch.from_numpy(sets.features), torch.from_numpy(sets.context)
        half = torch.randn(_ENTROPY, 1, p, generator=generator)
        noise = torch.cat([half, -half])
        known = torch.zeros(cells, n, network.architecture.context)
        u = torch.full((cells, n, p), torch.nan)
        u[rows] = torch.from_numpy(sets.u)
        left = torch.full((cells, n, 2 + p), torch.nan)
        for k in range(1, n + 1):
            for there in torch.split(torch.from_numpy(np.flatnonzero(sizes >= k)), _AT_ONCE):
                tokens = network.scaling(features[there, :k], context[there, :k])
                known[there, k - 1] = network.encoder(tokens, torch.ones(len(there), k, dtype=torch.bool))
                left[there, k - 1] = _left(network, known[there, k - 1], u[there, k - 1], noise)
        taught = (left[:, :-1] - left[:, 1:]).clamp(_LEAST, _MOST)
        return cls(features, context, known, taught, torch.from_numpy(sizes))

    @classmethod
    def join(cls, parts: list[Lessons]) -> Lessons:
        """Put several together."""
        n = max(part.features.shape[1] for part in parts)
        return cls(
            torch.cat([_lengthened(part.features, n, torch.nan) for part in parts]),
            torch.cat([_lengthened(part.context, n, 0.0) for part in parts]),
            torch.cat([_lengthened(part.known, n, 0.0) for part in parts]),
            torch.cat([_lengthened(part.taught, n - 1, torch.nan) for part in parts]),
            torch.cat([part.sizes for part in parts]),
        )


def _left(network: SweepSetEstimator, known: Tensor, u: Tensor, noise: Tensor) -> Tensor:
    """Give how unlikely the truth is, the entropy of all parameters, and the log spread of each, shape (b, 2 + p)."""
    posterior = network.flow(known)
    drawn = posterior.from_noise(noise.expand(-1, len(known), -1))
    entropy = -posterior.log_prob(drawn).mean(dim=0)
    spread = drawn.std(dim=0).clamp(min=1e-6).log()
    return torch.cat([-posterior.log_prob(u)[:, None], entropy[:, None], spread], dim=1)


def _lengthened(table: Tensor, n: int, fill: float) -> Tensor:
    longer = torch.full((len(table), n, table.shape[2]), fill)
    longer[:, : table.shape[1]] = table
    return longer


def prospect_of(
    network: SweepSetEstimator, likelihood: Likelihood | None, spec: Spec, how: Outlook
) -> Generator[Epoch, None, Prospect]:
    """Learn what sweeps teach.

    Args:
        network: Who learns from them.
        likelihood: Who weighs sweeps in the first round; without one they are not weighed there.
        spec: The process.
        how: Sizes and rounds.

    Yields:
        How it goes, after each epoch of each round.

    Returns:
        The prospect that held-out cells liked best in the last round.
    """
    rounds: list[Lessons] = []
    prospect: Prospect | None = None
    begun, epochs = time.monotonic(), how.rounds * how.epochs
    for k in range(how.rounds):
        rng = np.random.default_rng([spec.seed, _PURPOSE, k])
        policies = TRIED if k else replace(TRIED, draws=_FIRST, blind=_BLIND)
        cells, maker = how.cells // how.rounds, likelihood if prospect is None else None
        made = adapt(
            network, spec, cells, rng,
            likelihood=maker, prospect=prospect, rule=LEARNED, policies=policies, sweeps=_SWEEPS,
        )  # fmt: skip
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        rounds.append(Lessons.join([Lessons.of(network, sets, generator) for sets in made]))
        course = _Course(network, Lessons.join(rounds), how, spec.seed + k)
        while course.epoch < how.epochs:
            loss = course.run()
            now = course.choose()
            done = k * how.epochs + course.epoch
            left = (time.monotonic() - begun) / done * (epochs - done)
            yield Epoch(done, epochs, loss, now, left)
        prospect = course.kept.eval().requires_grad_(False)
    if prospect is None:
        raise RuntimeError("Prospecting ended without a prospect.")
    return prospect


class _Course(Course[Prospect]):
    """The training of a prospect."""

    def __init__(self, network: SweepSetEstimator, lessons: Lessons, how: Outlook, seed: int) -> None:
        self._network, self._lessons, self._how = network, lessons, how
        rng = np.random.default_rng([seed, _PURPOSE, 1])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            prospect, kept = Prospect.beside(network, how), Prospect.beside(network, how)
        cells = rng.permutation(len(lessons))
        aside = max(1, int(_ASIDE * len(cells)))
        self._aside, self._cells = cells[:aside], cells[aside:]
        taught = lessons.taught[torch.from_numpy(self._cells)]
        there = torch.isfinite(taught)
        mean = torch.where(there, taught, 0.0).sum(dim=0) / there.sum(dim=0).clamp(min=1)
        square = torch.where(there, (taught - mean) ** 2, 0.0).sum(dim=0) / there.sum(dim=0).clamp(min=1)
        self._mean, self._spread = mean, square.sqrt().clamp(min=_CALMEST)
        super().__init__(prospect, kept, rng, learning_rate=_RATE, weight_decay=_DECAY, warming=0.1, keep=0.995)

    def run(self) -> float:
        """Go through all sweeps once; give the mean loss."""
        return self.go_through(self._losses())

    def _losses(self) -> Iterator[tuple[float, Tensor]]:
        batches = list(self._batches(self.rng.permutation(self._cells)))
        for k, index in enumerate(self.rng.permutation(len(batches)).tolist()):
            yield (self.epoch + k / len(batches)) / self._how.epochs, self._loss(*batches[index])

    def _batches(self, cells: npt.NDArray[np.int64]) -> Iterator[tuple[Tensor, int]]:
        """Give cells that have sweep k, some at a time."""
        order = torch.from_numpy(cells)
        for k in range(1, self._lessons.features.shape[1]):
            for some in torch.split(order[self._lessons.sizes[order] > k], _BATCH):
                yield some, k

    def _loss(self, cells: Tensor, k: int) -> Tensor:
        off, unsure = self._left(self.network, cells, k)
        return off + unsure

    def _left(self, prospect: Prospect, cells: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Give the mean square error in spreads of what sweep k taught, and the cross entropy of its breaking."""
        lessons, network = self._lessons, self._network
        with torch.no_grad():
            sweeps = network.scaling(lessons.features[cells, :k], lessons.context[cells, :k])
            asked, wanted = lessons.context[cells, k], lessons.taught[cells, k - 1]
            broken = asked[:, _EXCLUDED]
            gap = apart(asked[:, _AMPLITUDE], lessons.context[cells, :k, _AMPLITUDE])
            asked = encoded(network, asked)
        foretold = prospect(sweeps, lessons.known[cells, k - 1], asked, gap)
        off = torch.square((foretold[..., :-1] - wanted) / self._spread[k - 1]).mean()
        return off, binary_cross_entropy_with_logits(foretold[..., -1], broken.expand(len(foretold), -1))

    def choose(self) -> float:
        """Keep the averaged weights where the cells aside like them best; give the share of gains so foretold."""
        with torch.inference_mode():
            some = list(self._batches(self._aside))
            left = np.array([[float(x) for x in self._left(self.averaged, *batch)] for batch in some])
        off, unsure = np.average(left, axis=0, weights=[len(cells) for cells, _ in some])
        self.judge(-float(off + unsure))
        return 1.0 - float(off)
