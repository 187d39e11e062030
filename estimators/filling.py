"""This file is the filling: what a network is given in place of a feature that is missing.

A zero, which is the training mean, beside a flag, as `estimators.scaling` has it; a number that is learned for each
feature; or what a small network imputes from the features that are there, which also learns from hidden values.

References:
    Lueckmann et al. (2017), NeurIPS 30, imputation of missing features. arXiv:1711.01861
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from estimators.features import NAMES
from simulators.refusal import Refusal

__all__ = ["KINDS", "Filling", "Kind"]

Kind = Literal["zero_flagged", "constant", "imputed", "imputed_flagged"]

KINDS: tuple[Kind, ...] = get_args(Kind)


class Filling(nn.Module):
    """Fill the gaps of tokens that `estimators.scaling.Scaling` laid out.

    Args:
        kind: Of `KINDS`; those that are not "flagged" do not tell the network what was missing.
        hidden: Width of the network that imputes.
    """

    def __init__(self, kind: Kind, hidden: int = 64) -> None:
        super().__init__()
        if kind not in KINDS:
            raise Refusal(f"'{kind}' is no filling; one of {', '.join(KINDS)} was wanted.")
        self.kind = kind
        f = len(NAMES)
        self.constant = nn.Parameter(torch.zeros(f)) if kind == "constant" else None
        self.impute = (
            nn.Sequential(nn.Linear(2 * f, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), _quiet(hidden, f))
            if kind.startswith("imputed")
            else None
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Fill.

        Args:
            tokens: From a `Scaling`, shape (..., width): features, ratios, flags, circumstances.

        Returns:
            The same shape; flags are zero where the kind keeps them to itself.
        """
        f = len(NAMES)
        ratios = tokens.shape[-1] - 2 * f - 14
        x, ratio, flags, rest = torch.split(tokens, [f, ratios, f, 14], dim=-1)
        imputed = self.guess(tokens)
        if imputed is not None:
            x = torch.where(flags > 0, imputed, x)
        shown = flags if self.kind.endswith("flagged") else torch.zeros_like(flags)
        return torch.cat([x, ratio, shown, rest], dim=-1)

    def guess(self, tokens: Tensor) -> Tensor | None:
        """Give what would stand in each gap.

        Args:
            tokens: As `forward`.

        Returns:
            Shape (..., f), in units of the scaled features; None where it is zero.
        """
        if self.constant is not None:
            return self.constant.expand(*tokens.shape[:-1], -1)
        if self.impute is None:
            return None
        f = len(NAMES)
        return torch.as_tensor(self.impute(torch.cat([tokens[..., :f], tokens[..., -14 - f : -14]], dim=-1)))


def _quiet(inputs: int, outputs: int) -> nn.Linear:
    """Begin with zeros: the training mean."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
