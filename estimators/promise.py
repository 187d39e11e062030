"""This file is the promise: how much each of some sweeps would tell of cells, for many cells at once.

A draw of what is known of a cell so far makes the sweep that it would make; how likely that draw is once the sweep is
known is, averaged over draws, what the sweep promises, but for a constant that all sweeps of the cell share. A network
that is not exact promises too little, never too much. The sweeps come from the likelihood, which draws thousands in the
time of one simulation.

References:
    Barber & Agakov (2003), The IM algorithm: a variational approach to information maximization. NIPS 16.
    Foster et al. (2019), Variational Bayesian optimal experimental design. arXiv:1903.05480
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.estimator import SweepSetEstimator
from estimators.likelihood import Likelihood

__all__ = ["promise"]

_ROWS = 6000


@torch.inference_mode()
def promise(
    network: SweepSetEstimator,
    likelihood: Likelihood,
    features: npt.NDArray[np.float64],
    told: npt.NDArray[np.float64],
    asked: npt.NDArray[np.float64],
    draws: int,
    generator: torch.Generator,
) -> npt.NDArray[np.float64]:
    """Weigh sweeps.

    Args:
        network: What infers.
        likelihood: What makes sweeps.
        features: Of the sweeps so far, shape (cells, k, f), NaN where missing.
        told: Their contexts, shape (cells, k, c).
        asked: Contexts of the sweeps that are weighed, shape (candidates, cells, c).
        draws: Of theta, for each cell; every candidate gets the same.
        generator: Source of randomness.

    Returns:
        Mean log density of theta once the sweep is known [nat], shape (candidates, cells).
    """
    cells, count = len(features), len(asked)
    x, c = _tensor(features), _tensor(told)
    posterior = network(x, c, torch.ones(x.shape[:2], dtype=torch.bool))
    noise = torch.randn(draws, cells, len(network.parameters_of_cell), generator=generator)
    u = posterior.from_noise(noise)
    # Rows: draw by draw, in each candidate by candidate, in each cell by cell.
    theta = u[:, None].expand(draws, count, cells, -1).reshape(draws * count * cells, -1)
    wanted = _tensor(asked).expand(draws, count, cells, -1).reshape(len(theta), -1)
    sweeps = likelihood.draw(theta, wanted, generator)
    whose = torch.arange(cells).repeat(draws * count)
    scores = torch.cat([_scores(network, x, c, *part) for part in _portions(theta, sweeps, wanted, whose)])
    return np.asarray(scores.view(draws, count, cells).mean(dim=0).double().numpy())


def _scores(
    network: SweepSetEstimator, x: Tensor, c: Tensor, theta: Tensor, sweeps: Tensor, wanted: Tensor, whose: Tensor
) -> Tensor:
    """Score theta once its sweep is known beside those of its cell."""
    features = torch.cat([x[whose], sweeps[:, None]], dim=1)
    context = torch.cat([c[whose], wanted[:, None]], dim=1)
    posterior = network(features, context, torch.ones(features.shape[:2], dtype=torch.bool))
    return torch.as_tensor(posterior.log_prob(theta))


def _portions(*columns: Tensor) -> list[tuple[Tensor, ...]]:
    """Cut rows into portions of bounded memory."""
    return list(zip(*(torch.split(column, _ROWS) for column in columns), strict=True))


def _tensor(values: npt.NDArray[np.float64]) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
