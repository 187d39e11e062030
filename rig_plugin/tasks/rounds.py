"""This file is the rounds that are scored: cells of the prior, one family each, amortized against refined, in pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.posterior import Density
from estimators.reenactment import reenact
from estimators.rounds import Lesson, refine_by_round
from rig_plugin.tasks.figure import Figure

__all__ = ["FAMILY", "Paired", "compare", "pair"]

Array = npt.NDArray[np.float64]

FAMILY = (-50.0, 50.0, 100.0, 150.0, 250.0)
"""Steps that every cell is asked by [pA]."""

_EXCLUDED = CONTEXT.index("excluded")
_DRAWS = 2000
_RESAMPLED = 2000
_ENDS = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class Paired:
    """One cell, asked twice.

    Args:
        density: Log density at the truth, amortized and refined [nat], shape (2,).
        inside: Whether the truth lies in the 90 % interval, shape (2, p).
        farthest: Largest distance of medians, in amortized widths.
        widest: Largest ratio of widths, either way.
        is_said: Whether a disagreement is spoken of.
        seconds: That the round took.
    """

    density: Array
    inside: npt.NDArray[np.bool_]
    farthest: float
    widest: float
    is_said: bool
    seconds: float


def pair(checkpoint: Checkpoint, seed: int, lesson: Lesson) -> Paired | None:
    """Draw a cell, ask it by the family, and refine.

    Args:
        checkpoint: The network.
        seed: Of the cell and the round.
        lesson: How much is learned.

    Returns:
        The scores, or None where a sweep of this cell can't be read.
    """
    spec, network = checkpoint.spec, checkpoint.network
    rng, generator = np.random.default_rng([seed, 41]), torch.Generator().manual_seed(seed)
    u = rng.standard_normal((1, len(spec.parameters)))
    steps = [
        Context(amplitude, 0.0, 1.0, 500.0, 100.0, 100.0, 20.0, start=10.0 * k) for k, amplitude in enumerate(FAMILY)
    ]
    sets = reenact(spec, network, u, np.stack([step.row() for step in steps]), rng, generator)
    if sets.context[:, _EXCLUDED].any():
        return None
    features, context = sets.features.astype(np.float64), sets.context.astype(np.float64)
    found = refine_by_round(checkpoint, features, context, seed, lesson)
    amortized = network.density(features, context)
    scored = [_scored(posterior, u[0], generator) for posterior in (amortized, found.posterior)]
    ratios = np.array([each.ratio for each in found.apart])
    return Paired(
        density=np.array([density for density, _ in scored]),
        inside=np.stack([inside for _, inside in scored]),
        farthest=max(abs(each.moved) for each in found.apart),
        widest=float(np.exp(np.abs(np.log(ratios)).max())),
        is_said=any(each.matters for each in found.apart),
        seconds=found.seconds,
    )


def compare(pairs: list[Paired]) -> list[dict[str, Any]]:
    """Lay out what rounds change, with paired bootstrap intervals of 95 %.

    Args:
        pairs: Of different cells, at least one.

    Returns:
        Figures.
    """
    n = len(pairs)
    density, inside = np.stack([each.density for each in pairs]), np.stack([each.inside for each in pairs])
    covered = inside.mean(axis=2)
    rng = np.random.default_rng(0)
    chosen = rng.integers(n, size=(_RESAMPLED, n))

    def row(name: str, values: Array, unit: str, of: Callable[..., Any] = np.mean) -> dict[str, Any]:
        low, high = np.quantile(of(values[chosen], axis=1), (0.025, 0.975))
        return Figure(name, float(of(values)), unit, n).row() | {"low": float(low), "high": float(high)}

    gain = density[:, 1] - density[:, 0]
    return [
        row("round/log_density_amortized", density[:, 0], "nat"),
        row("round/log_density_refined", density[:, 1], "nat"),
        row("round/gain_mean", gain, "nat"),
        row("round/gain_p50", gain, "nat", np.median),
        row("round/inside_90_amortized", covered[:, 0], "1"),
        row("round/inside_90_refined", covered[:, 1], "1"),
        row("round/inside_90_change", covered[:, 1] - covered[:, 0], "1"),
        row("round/disagreement_said", np.array([float(each.is_said) for each in pairs]), "1"),
        Figure("round/farthest_p95", float(np.quantile([each.farthest for each in pairs], 0.95)), "1", n).row(),
        Figure("round/widest_p95", float(np.quantile([each.widest for each in pairs], 0.95)), "1", n).row(),
        Figure("round/seconds_p50", float(np.median([each.seconds for each in pairs])), "s", n, aim=60.0).row(),
    ]


def _scored(posterior: Density, truth: Array, generator: torch.Generator) -> tuple[float, npt.NDArray[np.bool_]]:
    """Give the log density at the truth, and which of its numbers lie in their 90 % intervals."""
    with torch.inference_mode():
        density = float(posterior.log_prob(torch.as_tensor(truth, dtype=torch.float32)[None])[0])
        draws = posterior.draw(_DRAWS, generator)[:, 0].double().numpy()
    low, high = np.quantile(draws, _ENDS, axis=0)
    return density, (low <= truth) & (truth <= high)
