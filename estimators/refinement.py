"""This file is the refinement: draws of the posterior's network, weighted by what the likelihood says of each sweep.

A draw's weight is prior times likelihood over the network's own density. Theta walks from sweep to sweep; so each draw
of the latest theta is led back along a walk of its own to the sweeps before, and each sweep is scored under theta at
its moment: on the space of whole walks the weights are exact, and what is left when the walk is dropped is the latest
theta. Weights that rest on a few draws are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.blame import DISCREPANCY
from estimators.context import CONTEXT
from estimators.estimator import SweepSetEstimator
from estimators.likelihood import Likelihood
from estimators.pareto import effective_size, smooth
from simulators.refusal import Refusal

__all__ = ["FEWEST", "HEAVIEST", "Refined", "RefinementError", "led_back", "refine", "weigh"]

FEWEST = 100.0
"""Effective draws below which weights are refused."""

HEAVIEST = 0.7
"""Pareto k above which they are."""

_START = CONTEXT.index("start")


class RefinementError(Refusal):
    """Weights rest on too few draws; the message says on how many, and what to do instead.

    Args:
        message: One sentence.
        effective: Effective sample size, NaN where there are no weights.
        k: Pareto k of the largest weights, NaN where there are none.
    """

    def __init__(self, message: str, effective: float = math.nan, k: float = math.nan) -> None:
        super().__init__(message)
        self.effective, self.k = effective, k


@dataclass(frozen=True, eq=False)
class Refined:
    """A weighted posterior.

    Args:
        u: Draws, unconstrained, shape (d, p).
        weights: Of these, summing to one, shape (d,).
        effective: Effective sample size.
        k: Pareto k of the largest weights.
    """

    u: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    effective: float
    k: float

    def resample(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw evenly weighted theta, systematically.

        Args:
            count: How many.
            rng: Source of randomness.

        Returns:
            Unconstrained, shape (count, p), in random order.
        """
        places = (np.arange(count) + rng.random()) / count
        edges = np.cumsum(self.weights)
        chosen = np.minimum(np.searchsorted(edges / edges[-1], places), len(edges) - 1)
        return np.asarray(self.u[rng.permutation(chosen)])


def weigh(u: npt.NDArray[np.float64], log_weights: npt.NDArray[np.float64]) -> Refined:
    """Smooth weights, or refuse them.

    Args:
        u: Draws, shape (d, p).
        log_weights: Logarithms of their ratios, shape (d,).

    Returns:
        The weighted draws.

    Raises:
        RefinementError: If they are worth fewer than `FEWEST` draws or their tail is heavier than `HEAVIEST`.
    """
    if not np.isfinite(log_weights.max(initial=-np.inf)):
        raise RefinementError(
            "None of the draws can have made these sweeps by the likelihood; keep the draws as they are."
        )
    smoothed, k = smooth(np.where(np.isnan(log_weights), -np.inf, log_weights))
    effective = effective_size(smoothed)
    if effective < FEWEST or k > HEAVIEST:
        raise RefinementError(
            f"The {len(u)} weighted draws are worth {effective:.0f}, with a Pareto k of {k:.2f}; at least {FEWEST:.0f} "
            f"and at most {HEAVIEST} were wanted: keep the draws as they are, or take more of them.",
            effective,
            k,
        )
    return Refined(u, np.exp(smoothed), effective, k)


def refine(
    network: SweepSetEstimator,
    likelihood: Likelihood | None,
    features: npt.NDArray[np.float64],
    context: npt.NDArray[np.float64],
    count: int,
    generator: torch.Generator,
    walk: tuple[float, float] | None = None,
) -> Refined:
    """Weigh draws for one cell.

    Args:
        network: Whose draws.
        likelihood: That weighs them; None, as a checkpoint without one has it, is refused.
        features: Its sweeps in order, shape (n, f), NaN where missing.
        context: Shape (n, c).
        count: Draws.
        generator: Source of randomness.
        walk: Time in which theta forgets itself, log-uniform between these [s]; None for a theta that stands still.

    Returns:
        The weighted draws.

    Raises:
        RefinementError: If they rest on too few draws, there is no likelihood, or it can't tell what sweeps have in
            common.
    """
    if likelihood is None:
        raise RefinementError("This network has no likelihood that could weigh its draws; pretrain it anew with one.")
    if len(features) > 1 and DISCREPANCY in [parameter.name for parameter in network.parameters_of_cell]:
        raise RefinementError(
            f"The {len(features)} sweeps share an error of the model, and the likelihood knows each by itself; give "
            "one sweep, or keep the draws as they are."
        )
    rows, circumstances = (torch.as_tensor(table, dtype=torch.float32) for table in (features, context))
    with torch.inference_mode():
        posterior = network(rows[None], circumstances[None], torch.ones(1, len(rows), dtype=torch.bool))
        u = posterior.draw(count, generator)[:, 0]
        own = posterior.log_prob(u[:, None])[:, 0]
        path = u if walk is None else led_back(u, circumstances[:, _START], walk, generator)
        scores = likelihood.table(rows, circumstances, path).double().sum(dim=1)
        log_weights = scores - 0.5 * (u.double() ** 2 + np.log(2.0 * np.pi)).sum(dim=1) - own.double()
    return weigh(u.double().numpy(), log_weights.numpy())


def led_back(u: Tensor, start: Tensor, walk: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Draw where theta was at each sweep, given where it is at the latest.

    Args:
        u: Unconstrained, shape (d, p).
        start: Start of each sweep, ascending, shape (n,) [s].
        walk: Time in which theta forgets itself, log-uniform [s].
        generator: Source of randomness.

    Returns:
        Shape (d, n, p).
    """
    low, high = np.log(walk)
    forget = torch.exp(low + (high - low) * torch.rand(len(u), 1, generator=generator))
    path = [u]
    for gap in torch.flip(torch.diff(start), (0,)).tolist():
        keep = torch.exp(-gap / forget)
        noise = torch.randn(u.shape, generator=generator)
        path.append(keep * path[-1] + torch.sqrt(1.0 - keep**2) * noise)
    return torch.stack(path[::-1], dim=1)
