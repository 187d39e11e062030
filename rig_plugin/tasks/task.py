"""This file is the task: a prior and a simulator whose posterior somebody else knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from estimators.prior import Prior

__all__ = ["Task"]

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """One task.

    Args:
        name: As it is published.
        prior: Of theta.
        simulate: From theta, shape (n, p), and a source of randomness to x, shape (n, d).

    References:
        Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343.
            https://proceedings.mlr.press/v130/lueckmann21a.html
    """

    name: str
    prior: Prior
    simulate: Callable[[Numbers, np.random.Generator], Numbers]

    def draw(self, n: int, seed: int) -> tuple[Numbers, Numbers]:
        """Draw from the joint distribution.

        Args:
            n: How many.
            seed: The same numbers for the same seed.

        Returns:
            Theta, shape (n, p), and x, shape (n, d).
        """
        theta = self.prior.sample(n, torch.Generator().manual_seed(seed)).numpy()
        return theta, self.simulate(theta, np.random.default_rng(seed))
