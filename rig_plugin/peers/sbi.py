"""This file is the peer sbi: neural posterior estimation with its neural spline flow, all else as it is by default.

Its draws outside the prior are rejected, as its posterior does by itself; its log density is corrected for them, by
the share of the flow's draws that the prior allows at each observation. Where nearly all are rejected it would draw for
ever: after ten minutes for one observation it is an error.

References:
    Boelts et al. (2025), sbi reloaded, JOSS 10:7754. https://doi.org/10.21105/joss.07754
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from estimators.interval import Interval
from estimators.prior import Prior
from rig_plugin.tasks.trained import Trained

__all__ = ["train"]

_TRIES = 200
_AT_ONCE = 250
_LONGEST_S = 600.0

Numbers = npt.NDArray[np.float64]


def train(theta: Numbers, x: Numbers, prior: Prior, seed: int) -> Trained:
    """Train in one round.

    Args:
        theta: Shape (n, p).
        x: Shape (n, d).
        prior: Of theta.
        seed: Of the initial weights, the split and the batches.

    Returns:
        The posterior.

    Raises:
        ImportError: If sbi is not installed.
    """
    inference = importlib.import_module("sbi.inference")
    torch.manual_seed(seed)
    trainer = inference.NPE(
        prior=_prior(prior), density_estimator="nsf", show_progress_bars=False, tracker=_Untracked()
    )
    flow = trainer.append_simulations(_single(theta), _single(x)).train()
    posterior = trainer.build_posterior(flow)

    def draw(observed: Numbers, n: int) -> Numbers:
        settled = {"show_progress_bars": False, "max_sampling_time": _LONGEST_S}
        return _double(posterior.sample((n,), x=_single(observed), **settled))

    def draw_many(observed: Numbers, n: int) -> Numbers:
        return _double(posterior.sample_batched((n,), x=_single(observed), show_progress_bars=False))

    def log_prob(at: Numbers, observed: Numbers) -> Numbers:
        with torch.inference_mode():
            raw = _double(flow.log_prob(_single(at)[None], condition=_single(observed))[0])
            return raw - np.log(_allowed(flow, prior, observed))

    return Trained(draw, draw_many, log_prob)


class _Untracked:
    """What sbi tells of its training goes nowhere; by itself it would write logs into the user's folder."""

    log_dir = None

    def log_metric(self, name: str, value: float, step: int | None = None) -> None:
        """Drop a number."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Drop numbers."""

    def log_params(self, params: dict[str, Any]) -> None:
        """Drop settings."""

    def add_figure(self, name: str, figure: object, step: int | None = None) -> None:
        """Drop a figure."""

    def flush(self) -> None:
        """Have nothing to write."""


def _allowed(flow: Any, prior: Prior, x: Numbers) -> Numbers:  # noqa: ANN401 - sbi's own
    """Estimate which share of the flow's draws lies inside the prior, one try at least; shape (n,)."""
    shares = []
    for start in range(0, len(x), _AT_ONCE):
        drawn = flow.sample((_TRIES,), condition=_single(x[start : start + _AT_ONCE]))
        shares.append(prior.contains(drawn).double().mean(0))
    return np.maximum(_double(torch.cat(shares)), 1.0 / _TRIES)


def _prior(prior: Prior) -> Any:  # noqa: ANN401 - torch's or sbi's own
    """Say a prior in torch's words, as a user of sbi would."""
    (part,) = prior.parts
    if isinstance(part, Interval):
        if set(part.scales) != {"linear"}:
            raise ValueError(f"The prior's scales are {part.scales}; sbi is only given linear ones here.")
        return importlib.import_module("sbi.utils").BoxUniform(part.low.float(), part.high.float())
    mean, covariance = part.mean.float(), part.covariance.float()
    if not part.log:
        return torch.distributions.MultivariateNormal(mean, covariance)
    return torch.distributions.Independent(torch.distributions.LogNormal(mean, covariance.diagonal().sqrt()), 1)


def _single(values: Numbers) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32)


def _double(values: torch.Tensor) -> Numbers:
    return values.double().numpy()
