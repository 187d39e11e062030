"""This file is the calibration: whether a network's intervals hold what they promise, on cells it has never seen.

For each fresh cell the truth is ranked among draws from the posterior. Calibrated ranks are uniform: a central
interval of 90 % holds the truth in 90 % of the cells, whatever the sharpness, which log probability and contraction
measure.

References:
    Talts et al. (2018), Validating Bayesian inference algorithms with simulation-based calibration. arXiv:1804.06788
    Schad, Betancourt, Vasishth (2021), Toward a principled Bayesian workflow. Psychol. Methods 26, 103-126.
    https://doi.org/10.1037/met0000275
    Lemos et al. (2023), Sampling-based accuracy testing of posterior estimators. arXiv:2302.03026
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from estimators.aims import LEVELS, missed, missed_by_chance, verdict
from estimators.checkpoint import load
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.generation import generate
from estimators.likelihood import Likelihood
from estimators.ranks import Ranks, rank_cells
from estimators.sets import Sets
from estimators.spec import Spec
from estimators.strata import DESIGNS, SWEEPS, draw_strata

__all__ = ["assess", "calibrate", "check", "coverage", "deviation"]

BINS = 100
_SEED = 987_654_321


def check(network: str | Path, *, simulations: int = 5000) -> dict[str, Any]:
    """Calibrate a checkpoint on fresh draws of the process that it was trained on.

    Args:
        network: A checkpoint.
        simulations: Fresh cells, beside those that strata lack.

    Returns:
        See `assess`, with the network's name, its seed, when it was made, if that is known, and of how many of its
            cells an earlier network chose the steps ("adaptive_cells").

    Raises:
        CheckpointError: If the checkpoint can't be used.
    """
    checkpoint = load(network)
    spec = checkpoint.spec
    rng = np.random.default_rng([spec.seed, _SEED])
    sets = Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, simulations, rng)))
    record = checkpoint.record
    told = {"network": spec.name, "seed": spec.seed, "made": record.get("made")}
    told["adaptive_cells"] = record.get("adaptive", {}).get("cells", 0)
    return told | calibrate(checkpoint.network, spec, sets, rng, checkpoint.likelihood)


def calibrate(
    network: SweepSetEstimator,
    spec: Spec,
    sets: Sets,
    rng: np.random.Generator,
    likelihood: Likelihood | None = None,
) -> dict[str, Any]:
    """Calibrate a network on fresh cells: some drawn blindly, and as many more as each stratum lacks.

    Args:
        network: The network.
        spec: The process.
        sets: Drawn blindly, as simulated.
        rng: Source of randomness.
        likelihood: What a sweep is chosen by where the network's own choice is checked; None leaves that out.

    Returns:
        See `assess`.
    """
    sets = Distortion(spec.parameters, network.scaling)(sets, rng)
    return assess(network, sets, rng, draw_strata(network, spec, sets, rng, likelihood))


def assess(
    network: SweepSetEstimator, sets: Sets, rng: np.random.Generator, more: Mapping[str, Sets] | None = None
) -> dict[str, Any]:
    """Rank the truth of each cell among draws from its posterior.

    Args:
        network: The network.
        sets: Fresh cells, drawn blindly.
        rng: Source of randomness.
        more: Cells drawn for a stratum alone, by its name; what is pooled leaves them out.

    Returns:
        "coverage" {parameter: {level: share}}; "coverage_by_sweeps" the same in strata named by their largest number
        of sweeps, "coverage_by_firing" for cells with and without a spike, "coverage_by_design"; "cells": how many
        each stratum has; "sbc_p" and "sbc_deviation" (Kolmogorov-Smirnov, the largest distance of the ranks'
        distribution from uniform), "sbc_deviation_by_stratum"; "rank_counts": ranks in a hundred equal bins; "tarp"
        {level: expected coverage}, "tarp_p" and "tarp_deviation"; "z_mean" and "z_sd" of the truth's z-score in its
        posterior (0 and 1 for a calibrated one); "log_prob" [nat] in the space where the prior is the standard
        normal, in strata "log_prob_by_sweeps" and "log_prob_by_design", and "prior_log_prob" beside it;
        "contraction" (1 - posterior over prior variance, mean); "n"; "missed" and "missed_by_chance"
        (`estimators.aims`), and "verdict", some sentences.
    """
    ranks = rank_cells(network, sets, rng)
    names = [parameter.name for parameter in network.parameters_of_cell]
    by = _stratified(ranks, {name: rank_cells(network, drawn, rng) for name, drawn in (more or {}).items()})
    strata = {name: chosen for group in by.values() for name, chosen in group.items()}
    counts = np.stack([np.histogram(column, BINS, (0.0, 1.0))[0] for column in ranks.below.T])
    tarp = stats.kstest(ranks.near, "uniform")
    found = {
        "coverage": coverage(ranks.below, names),
        **{
            f"coverage_by_{key}": {name: coverage(chosen.below, names) for name, chosen in group.items()}
            for key, group in by.items()
        },
        "cells": {name: len(chosen) for name, chosen in strata.items()},
        "sbc_p": {name: float(stats.kstest(ranks.below[:, k], "uniform").pvalue) for k, name in enumerate(names)},
        "sbc_deviation": deviation(ranks.below, names),
        "sbc_deviation_by_stratum": {name: deviation(chosen.below, names) for name, chosen in strata.items()},
        "rank_counts": dict(zip(names, counts.tolist(), strict=True)),
        "tarp": {label: float((ranks.near <= level).mean()) for label, level in LEVELS.items()},
        "tarp_p": float(tarp.pvalue),
        "tarp_deviation": float(tarp.statistic),
        "z_mean": _by_name(ranks.z.mean(axis=0), names),
        "z_sd": _by_name(ranks.z.std(axis=0), names),
        "log_prob": float(ranks.log_prob.mean()),
        **{
            f"log_prob_by_{key}": {
                name: float(chosen.log_prob.mean()) if len(chosen) else None for name, chosen in by[key].items()
            }
            for key in ("sweeps", "design")
        },
        "prior_log_prob": float(ranks.prior_log_prob.mean()),
        "contraction": _by_name(1.0 - ranks.variance.mean(axis=0), names),
        "n": len(ranks),
    }
    found |= {"missed": missed(found), "missed_by_chance": missed_by_chance(found)}
    return found | {"verdict": verdict(found)}


def _stratified(ranks: Ranks, more: Mapping[str, Ranks]) -> dict[str, dict[str, Ranks]]:
    """Sort the cells into strata: by sweeps with what was drawn for them, by firing, by design only what was."""
    nobody = ranks[np.zeros(len(ranks), dtype=bool)]
    by_sweeps = {}
    for name, (low, high) in SWEEPS.items():
        both = Ranks.join([ranks, more.get(name, nobody)])
        by_sweeps[name] = both[(both.sweeps >= low) & (both.sweeps <= high)]
    return {
        "sweeps": by_sweeps,
        "firing": {"spiking": ranks[ranks.fires], "silent": ranks[~ranks.fires]},
        "design": {name: more.get(name, nobody) for name in DESIGNS},
    }


def _by_name(values: npt.NDArray[np.float64], names: list[str]) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


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


def deviation(ranks: npt.NDArray[np.float64], names: list[str]) -> dict[str, float | None]:
    """Tell how far the distribution of ranks is from uniform at most.

    Args:
        ranks: As `coverage`.
        names: Of the parameters.

    Returns:
        {parameter: largest distance}, None where there are no cells.

    Example:
        >>> deviation(np.array([[0.5], [0.75]]), ["C"])
        {'C': 0.5}
    """
    n = len(ranks)
    if not n:
        return dict.fromkeys(names)
    rising, steps = np.sort(ranks, axis=0), np.arange(n + 1)[:, None] / n
    return _by_name(np.maximum(steps[1:] - rising, rising - steps[:-1]).max(axis=0), names)  # type: ignore[return-value]
