"""This file is the calibration: whether a network's intervals hold what they promise, on cells it has never seen.

For each fresh cell the truth is ranked among draws from the posterior. Calibrated ranks are uniform: a central
interval of 90 % holds the truth in 90 % of the cells, whatever the sharpness, which log probability and contraction
measure.

References:
    Talts et al. (2018), Validating Bayesian inference algorithms with simulation-based calibration. arXiv:1804.06788
    Lemos et al. (2023), Sampling-based accuracy testing of posterior estimators. arXiv:2302.03026
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from estimators.checkpoint import load
from estimators.context import CONTEXT
from estimators.estimator import SweepSetEstimator
from estimators.features import NAMES
from estimators.generation import Sets, generate
from estimators.training import batches

__all__ = ["LEVELS", "assess", "check", "coverage"]

LEVELS = {"50": 0.5, "80": 0.8, "90": 0.9, "95": 0.95}
_DRAWS = 400
_SEED = 987_654_321


def check(network: str | Path, *, simulations: int = 5000) -> dict[str, Any]:
    """Calibrate a checkpoint on fresh draws of the process that it was trained on.

    Args:
        network: A checkpoint.
        simulations: Fresh cells.

    Returns:
        See `assess`, with the network's name.

    Raises:
        CheckpointError: If the checkpoint can't be used.
    """
    checkpoint = load(network)
    spec = checkpoint.spec
    rng = np.random.default_rng([spec.seed, _SEED])
    sets = Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, simulations, rng)))
    return {"network": spec.name} | assess(checkpoint.network, sets, rng)


def assess(network: SweepSetEstimator, sets: Sets, rng: np.random.Generator) -> dict[str, Any]:
    """Rank the truth of each cell among draws from its posterior.

    Args:
        network: The network.
        sets: Fresh cells.
        rng: Source of randomness.

    Returns:
        "coverage" {parameter: {level: share}}; "coverage_by_sweeps" the same in strata named by their largest number
        of sweeps, and "coverage_by_firing" for cells with and without a spike; how many cells each has;
        "sbc_p" and "sbc_deviation" (Kolmogorov-Smirnov, the largest distance of the ranks' distribution from
        uniform); "tarp_p"; "log_prob" [nat] in the space where the prior is the standard normal, and "prior_log_prob"
        beside it; "contraction" (1 - posterior over prior variance, mean); "n".
    """
    parts = [_ranked(network, batch, rng) for batch in batches(sets, rng, 512, vary=False)]
    ranks, tarp, density, variance, sizes, spiking, prior = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    names = [parameter.name for parameter in network.parameters_of_cell]
    strata = {"1": (1, 1), "3": (2, 3), "10": (4, 10), "40": (11, 40)}
    by_sweeps = {name: (sizes >= low) & (sizes <= high) for name, (low, high) in strata.items()}
    by_firing = {"spiking": spiking, "silent": ~spiking}
    tests = [stats.kstest(ranks[:, k], "uniform") for k in range(len(names))]
    return {
        "coverage": coverage(ranks, names),
        "coverage_by_sweeps": {name: coverage(ranks[chosen], names) for name, chosen in by_sweeps.items()},
        "coverage_by_firing": {name: coverage(ranks[chosen], names) for name, chosen in by_firing.items()},
        "cells": {name: int(chosen.sum()) for name, chosen in (by_sweeps | by_firing).items()},
        "sbc_p": {name: float(test.pvalue) for name, test in zip(names, tests, strict=True)},
        "sbc_deviation": {name: float(test.statistic) for name, test in zip(names, tests, strict=True)},
        "tarp_p": float(stats.kstest(tarp, "uniform").pvalue),
        "log_prob": float(density.mean()),
        "log_prob_by_sweeps": {
            name: float(density[chosen].mean()) if chosen.any() else None for name, chosen in by_sweeps.items()
        },
        "prior_log_prob": float(prior.mean()),
        "contraction": {name: float(1.0 - variance[:, k].mean()) for k, name in enumerate(names)},
        "n": len(ranks),
    }


def coverage(ranks: npt.NDArray[np.float64], names: list[str]) -> dict[str, dict[str, float | None]]:
    """Tell how often central intervals hold the truth.

    Args:
        ranks: Share of draws below the truth, shape (cells, p).
        names: Of the parameters.

    Returns:
        {parameter: {level: share}}, None where there are no cells.
    """
    off = np.abs(ranks - 0.5)
    return {
        name: {label: float((off[:, k] <= level / 2).mean()) if len(ranks) else None for label, level in LEVELS.items()}
        for k, name in enumerate(names)
    }


def _ranked(network: SweepSetEstimator, batch: Any, rng: np.random.Generator) -> tuple[npt.NDArray[Any], ...]:  # noqa: ANN401
    """Rank one batch: marginal ranks, TARP's rank, log density, posterior variance, size, whether it spikes."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    with torch.inference_mode():
        posterior = network(batch.features, batch.context, batch.there)
        noise = torch.randn(_DRAWS, *batch.u.shape, generator=generator)
        draws = posterior.from_noise(noise)
        density = posterior.log_prob(batch.u)
        below = (draws < batch.u).double().mean(dim=0)
        # Half a draw's width of dither keeps the ranks continuous.
        below += (torch.rand(below.shape, generator=generator, dtype=torch.float64) - 0.5) / _DRAWS
        point = torch.randn(batch.u.shape, generator=generator)
        near = ((draws - point) ** 2).sum(-1) < ((batch.u - point) ** 2).sum(-1)
        prior = -0.5 * (batch.u**2 + math.log(2.0 * math.pi)).sum(-1)
    counts = torch.nan_to_num(batch.features[..., NAMES.index("spike_count")]).sum(dim=1)
    used = batch.there & (batch.context[..., CONTEXT.index("excluded")] == 0)
    return (
        below.clamp(0.0, 1.0).numpy(),
        near.double().mean(dim=0).numpy(),
        density.double().numpy(),
        draws.var(dim=0).double().numpy(),
        used.sum(dim=1).clamp(min=1).numpy(),
        (counts > 0).numpy(),
        prior.double().numpy(),
    )
