"""This file is the gains: what each group of features adds to the log probability of theta, and so why it is known.

A group can be worth much alone and nothing beside the others, which tell the same. So both ends are told: what is lost
without the group, and what is gained over the prior where nothing but the group is shown beside the context.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.groups import GROUPS

__all__ = ["JOINT", "Gains", "mean_of", "prior_table"]

JOINT = "joint"
"""What stands before the parameters: all of them together."""

_WORTH = 0.03
_MOST = 4

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gains:
    """Matrices of gains, one row for the joint and each parameter, one column a group [nat].

    Args:
        names: Of the rows, `JOINT` first.
        total: What all groups gain over the prior, and its standard error, each of shape (1 + p,).
        lost: What is lost without each group, and the standard errors, each of shape (1 + p, groups).
        alone: What each group gains alone, and the standard errors.
    """

    names: tuple[str, ...]
    total: tuple[Array, Array]
    lost: tuple[Array, Array]
    alone: tuple[Array, Array]

    @classmethod
    def of(
        cls,
        u: Tensor,
        everything: Tensor,
        without: Mapping[str, Tensor],
        only: Mapping[str, Tensor],
        parameters: Sequence[str],
    ) -> Gains:
        """Compare scores of the same cells.

        A design never looks at its cell, so what is known of theta without a sweep is the prior.

        Args:
            u: Theta of the cells, unconstrained, shape (b, p).
            everything: Joint and marginal log q by all groups, shape (b, 1 + p), as `Score.table` gives them.
            without: The same by all groups but one, of each of `GROUPS`.
            only: The same by one alone.
            parameters: Their names.

        Returns:
            The gains; differences are taken cell by cell, which makes their errors small.
        """
        prior = prior_table(u)
        lost = [mean_of(everything - without[group]) for group in GROUPS]
        alone = [mean_of(only[group] - prior) for group in GROUPS]
        return cls((JOINT, *parameters), mean_of(everything - prior), _side_by_side(lost), _side_by_side(alone))

    def rows(self, what: str, *, errors: bool = False) -> list[dict[str, str | float]]:
        """Lay a matrix out.

        Args:
            what: "lost" or "alone".
            errors: Whether its standard errors are wanted instead.

        Returns:
            One mapping a parameter, the joint first: its name, the total, and each group.
        """
        matrix, total = (self.lost if what == "lost" else self.alone)[errors], self.total[errors]
        rows: list[dict[str, str | float]] = []
        for k, name in enumerate(self.names):
            each = {group: round(float(value), 4) for group, value in zip(GROUPS, matrix[k], strict=True)}
            rows.append({"parameter": name, "all": round(float(total[k]), 4), **each})
        return rows

    def share(self, name: str) -> Mapping[str, float]:
        """Give a group's share in what is known of a parameter: the mean of its gain alone and its loss.

        Both are ends of the same scale, being asked first and being asked last.

        Args:
            name: Of the parameter.

        Returns:
            {group: [nat]}, the largest first; those below 0.03 nat or two standard errors are left out.
        """
        k = self.names.index(name)
        means = 0.5 * (self.lost[0][k] + self.alone[0][k])
        errors = 0.5 * (self.lost[1][k] + self.alone[1][k])
        shares = {
            group: float(mean)
            for group, mean, error in zip(GROUPS, means, errors, strict=True)
            if mean >= _WORTH and mean > 2.0 * error
        }
        return dict(sorted(shares.items(), key=lambda item: -item[1]))

    def sentence(self, name: str) -> str:
        """Say by what a parameter is known.

        Args:
            name: Of the parameter.

        Returns:
            One sentence.
        """
        k = self.names.index(name)
        column = {group: index for index, group in enumerate(GROUPS)}
        parts = []
        for group in list(self.share(name))[:_MOST]:
            # Adding zero takes the sign off a zero.
            alone, lost = (round(float(each[0][k, column[group]]), 2) + 0.0 for each in (self.alone, self.lost))
            parts.append(f"{group} ({alone:.2f} nat alone, {lost:.2f} lost without it)")
        total = f"{self.total[0][k]:.2f} nat in all"
        return f"{name} is known by {', '.join(parts)}; {total}." if parts else f"{name} is hardly known; {total}."


def prior_table(u: Tensor) -> Tensor:
    """Evaluate the prior, which is standard normal in unconstrained space.

    Args:
        u: Shape (b, p).

    Returns:
        Log density of the joint and of each parameter, shape (b, 1 + p) [nat].
    """
    each = -0.5 * (u**2 + math.log(2.0 * math.pi))
    return torch.cat([each.sum(1, keepdim=True), each], dim=1)


def mean_of(differences: Tensor) -> tuple[Array, Array]:
    """Average over cells.

    Args:
        differences: Shape (b, k) [nat].

    Returns:
        Means and their standard errors, each of shape (k,).
    """
    table = differences.double().numpy()
    return table.mean(0), table.std(0, ddof=1) / np.sqrt(len(table))


def _side_by_side(columns: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    means, errors = zip(*columns, strict=True)
    return np.stack(means, axis=1), np.stack(errors, axis=1)
