"""This file is the refit: the layer that places the posterior, fitted again on cells that no other layer has seen.

A network is a little surer on the cells that it was trained on than its errors on new ones allow. The encoder and the
flow stay as they are; only where the posterior lies and how wide it is follows the held-out cells, as long as those
among them that are set aside like it better.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor

from estimators.estimator import SweepSetEstimator
from estimators.sets import Sets
from estimators.training import batches

__all__ = ["refit"]

_SHOWN = 4
_EPOCHS = 40
_PATIENCE = 5
_BATCH = 512
_LEARNING_RATE = 2e-4


def refit(network: SweepSetEstimator, cells: Sets, aside: Sets, rng: np.random.Generator) -> float:
    """Fit the placing layer again, in place.

    Args:
        network: As trained, on the CPU.
        cells: Cells that it was not trained on, to fit it to.
        aside: Others, that say when to stop.
        rng: Source of randomness.

    Returns:
        Gain in mean log density of the cells set aside [nat], 0 where nothing was gained and nothing changed.
    """
    context, u = _encoded(network, cells, rng)
    judge = _encoded(network, aside, rng)
    before = best = _density(network, *judge)
    kept = copy.deepcopy(network.flow.place.state_dict())
    optimizer = torch.optim.Adam(network.flow.place.parameters(), lr=_LEARNING_RATE)
    idle = 0
    for _ in range(_EPOCHS):
        order = torch.from_numpy(rng.permutation(len(u)))
        for rows in torch.split(order, _BATCH):
            loss = -network.flow(context[rows]).log_prob(u[rows]).mean()
            optimizer.zero_grad(set_to_none=True)
            torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        now = _density(network, *judge)
        if now > best:
            best, idle = now, 0
            kept = copy.deepcopy(network.flow.place.state_dict())
        else:
            idle += 1
        if idle == _PATIENCE or not math.isfinite(now):
            break
    network.flow.place.load_state_dict(kept)
    network.zero_grad(set_to_none=True)
    return best - before


def _encoded(network: SweepSetEstimator, sets: Sets, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Encode each cell, once with all its sweeps and some times with others of its subsets; with its theta."""
    network.eval()
    contexts, thetas = [], []
    with torch.no_grad():
        for shown in range(_SHOWN):
            for batch in batches(sets, rng, 1024, vary=shown > 0):
                tokens = network.scaling(batch.features, batch.context)
                contexts.append(network.encoder(tokens, batch.there))
                thetas.append(batch.u)
    return torch.cat(contexts), torch.cat(thetas)


def _density(network: SweepSetEstimator, context: Tensor, u: Tensor) -> float:
    """Average the log density at the truth."""
    with torch.no_grad():
        parts = zip(torch.split(context, 4096), torch.split(u, 4096), strict=True)
        return sum(float(network.flow(c).log_prob(t).sum()) for c, t in parts) / len(u)
