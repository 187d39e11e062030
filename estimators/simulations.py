"""This file is the simulations: rows of theta and of what a simulator gave for it, fit to be learned from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from estimators.prior import Prior
from simulators.refusal import Refusal

__all__ = ["FEWEST", "Simulations", "SimulationsError"]

FEWEST = 50
"""Rows below which nothing is learned that would deserve to be called a posterior."""


class SimulationsError(Refusal):
    """Rows can't be learned from; the message names row, column, value and the remedy."""


@dataclass(frozen=True, eq=False)
class Simulations:
    """Rows that were found sound.

    Args:
        z: Unconstrained theta, shape (n, p), float32.
        x: Shape (n, d), float64, NaN where a feature is missing.
        failed: Rows that were left out since every feature is missing.
        constant: Features that never vary, or are always missing; they tell nothing.
    """

    z: Tensor
    x: Tensor
    failed: int
    constant: tuple[int, ...]

    @classmethod
    def of(cls, theta: object, x: object, prior: Prior) -> Simulations:
        """Take rows, or say what is wrong with them.

        Args:
            theta: Shape (n, p).
            x: Shape (n, d), NaN where a feature is missing.
            prior: That theta was drawn from.

        Returns:
            The rows whose simulation did not fail.

        Raises:
            SimulationsError: If a number, a shape, or how many there are forbids it.
        """
        table, features = _table(theta, "theta"), _table(x, "x")
        if table.shape[1] != prior.p or len(table) != len(features) or not features.shape[1]:
            raise SimulationsError(
                f"Theta has shape {tuple(table.shape)} and x {tuple(features.shape)}; (n, {prior.p}) and (n, d) were "
                "wanted, as the prior has, with as many rows in both and one feature at least."
            )
        _refuse(~torch.isfinite(table), table, prior.names, "is not finite; leave the row out")
        _refuse(
            ~prior.inside(table), table, prior.names, "is outside the prior; give the prior that theta was drawn from"
        )
        _refuse(
            torch.isinf(features),
            features,
            [f"x[{k}]" for k in range(features.shape[1])],
            "is infinite; give a finite number, or NaN where the feature is missing",
        )
        there = ~torch.isnan(features).all(1)
        if len(features) and not there.any():
            raise SimulationsError(
                f"All {len(features)} simulations failed: each feature of each is NaN; mend simulator or prior."
            )
        if int(there.sum()) < FEWEST:
            raise SimulationsError(
                f"There are {int(there.sum())} simulations that did not fail; {FEWEST} at least were wanted."
            )
        kept = features[there]
        low, high = (torch.nan_to_num(kept, nan=gap).aminmax(dim=0) for gap in (torch.inf, -torch.inf))
        constant = tuple(int(k) for k in (low.min >= high.max).nonzero()[:, 0])
        if len(constant) == kept.shape[1]:
            raise SimulationsError(
                f"None of the {kept.shape[1]} features varies from row to row; give some that tell of theta."
            )
        z = prior.unconstrain(table[there]).float()
        return cls(z, kept, int((~there).sum()), constant)


def _table(values: object, what: str) -> Tensor:
    try:
        table = torch.as_tensor(values, dtype=torch.float64).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise SimulationsError(f"The {what} given is no table of numbers ({error}).") from error
    if table.dim() != 2:
        raise SimulationsError(
            f"The {what} given has shape {tuple(table.shape)}; two axes were wanted, rows and columns."
        )
    return table


def _refuse(wrong: Tensor, table: Tensor, names: list[str] | tuple[str, ...], words: str) -> None:
    """Say of the first number that is wrong where it stands, and how many more there are."""
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        more = int(wrong.any(1).sum()) - 1
        others = f" ({more} more rows have such a number)" if more else ""
        raise SimulationsError(f"{names[column]} of row {row} is {float(table[row, column]):g}, which {words}{others}.")
