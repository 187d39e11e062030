"""This file is the published figures: C2ST of neural posterior estimation, in one round and in ten.

Means over ten observations, computed from the table of results that belongs to the paper (`main_paper.csv`);
`gaussian_mixture` from its rerun after the definition was mended in version 1.1.

References:
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["BUDGETS", "ONE_ROUND", "TEN_ROUNDS"]

BUDGETS = (1_000, 10_000, 100_000)
"""Simulations, in the order of the figures."""

ONE_ROUND = MappingProxyType(
    {
        "two_moons": (0.725, 0.606, 0.542),
        "gaussian_mixture": (0.716, 0.615, 0.548),
        "gaussian_linear": (0.694, 0.552, 0.506),
        "gaussian_linear_uniform": (0.696, 0.553, 0.509),
        "bernoulli_glm": (0.863, 0.678, 0.559),
        "slcp": (0.975, 0.901, 0.831),
        "slcp_distractors": (0.982, 0.970, 0.863),
        "sir": (0.815, 0.680, 0.585),
        "lotka_volterra": (0.999, 0.997, 0.981),
    }
)

TEN_ROUNDS = MappingProxyType(
    {
        "two_moons": (0.643, 0.554, 0.530),
        "gaussian_mixture": (0.669, 0.551, 0.536),
        "gaussian_linear": (0.652, 0.544, 0.507),
        "gaussian_linear_uniform": (0.631, 0.527, 0.507),
        "bernoulli_glm": (0.855, 0.614, 0.525),
        "slcp": (0.965, 0.845, 0.666),
        "slcp_distractors": (0.978, 0.931, 0.778),
        "sir": (0.638, 0.561, 0.575),
        "lotka_volterra": (0.990, 0.953, 0.928),
    }
)
