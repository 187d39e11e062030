"""This file is the scaling: from features and contexts to the numbers that a network's first layer sees.

What was fitted on the training cells is kept in buffers, so it travels in the checkpoint. A missing feature becomes
zero, its training mean, beside a flag that says so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from estimators.context import CONTEXT
from estimators.features import FEATURES, NAMES

__all__ = ["Scaling"]

_RATIOS = (
    "onset_jump",
    "end_jump",
    "onset_slope",
    "end_slope",
    "deflection_1_ms",
    "deflection_3_ms",
    "deflection_10_ms",
    "deflection_30_ms",
    "deflection_100_ms",
    "steady_deflection",
    "after_30_ms",
    "spike_count",
)
"""Features that the network also sees divided by the step: resistances, and charge per current."""

_LOG = {
    feature.name
    for feature in FEATURES
    if feature.spread == "log"
    or feature.name.startswith(("deflection", "onset", "end_", "after", "steady", "input", "sag", "rebound"))
}
_SMALLEST_STEP = 5.0
_FEWEST = 2
_HIGHEST = 25.0


class Scaling(nn.Module):
    """Lay sweeps out as tokens of numbers of order one.

    Voltages are standardized; what spans decades, of either sign, goes through sign(x) log(1 + |x|/c) with c a tenth
    of its median size. Numbers beyond ten standard deviations are cut there.
    """

    centre: Tensor
    spread: Tensor
    bend: Tensor
    logs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.ratios = [NAMES.index(name) for name in _RATIOS]
        columns = len(NAMES) + len(_RATIOS)
        logs = [name in _LOG for name in NAMES] + [True] * len(_RATIOS)
        # Not kept in a checkpoint, but it has to follow the weights to their device.
        self.register_buffer("logs", torch.tensor(logs), persistent=False)
        self.register_buffer("centre", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))
        self.register_buffer("bend", torch.ones(columns))

    @property
    def width(self) -> int:
        """Numbers in a token."""
        return 2 * len(NAMES) + len(_RATIOS) + 14

    def fit(self, features: Tensor, context: Tensor) -> None:
        """Take centre, spread and bend from training sweeps.

        Args:
            features: Shape (s, f), NaN where missing.
            context: Shape (s, c).
        """
        columns = self._columns(features, context)
        for k in range(columns.shape[1]):
            x = columns[:, k][torch.isfinite(columns[:, k])].double()
            if len(x) < _FEWEST:
                # What never comes has no spread; should it come after all, it is told in its own unit.
                continue
            if self.logs[k]:
                self.bend[k] = float(0.1 * x.abs().median()) or 1.0
                x = torch.sign(x) * torch.log1p(x.abs() / self.bend[k].double())
            self.centre[k] = float(x.mean())
            self.spread[k] = float(x.std()) or 1.0

    def along(self, features: Tensor) -> Tensor:
        """Scale features alone, and cut nothing.

        Args:
            features: Shape (..., f), NaN where missing.

        Returns:
            The same shape, NaN where missing.
        """
        f = len(NAMES)
        bent = torch.sign(features) * torch.log1p(features.abs() / self.bend[:f])
        return (torch.where(self.logs[:f], bent, features) - self.centre[:f]) / self.spread[:f]

    def back(self, scaled: Tensor) -> Tensor:
        """Turn scaled numbers into features; the inverse of `along`.

        Args:
            scaled: Shape (..., f), NaN where missing.

        Returns:
            The same shape, NaN where missing.
        """
        f = len(NAMES)
        x = scaled * self.spread[:f] + self.centre[:f]
        bent = torch.sign(x) * torch.expm1(x.abs().clamp(max=_HIGHEST)) * self.bend[:f]
        return torch.where(self.logs[:f], bent, x)

    def _columns(self, features: Tensor, context: Tensor) -> Tensor:
        step = context[..., CONTEXT.index("amplitude"), None]
        ratios = features[..., self.ratios] / step
        ratios = torch.where(step.abs() >= _SMALLEST_STEP, ratios, torch.full_like(ratios, torch.nan))
        return torch.cat([features, ratios], dim=-1)

    def forward(self, features: Tensor, context: Tensor) -> Tensor:
        """Lay out.

        Args:
            features: Shape (..., f), NaN where missing.
            context: Shape (..., c).

        Returns:
            Tokens, shape (..., width), finite.
        """
        x = self._columns(features, context)
        missing = torch.isnan(x)
        x = torch.where(missing, torch.zeros_like(x), x)
        x = torch.where(self.logs, torch.sign(x) * torch.log1p(x.abs() / self.bend), x)
        x = torch.where(missing, torch.zeros_like(x), (x - self.centre) / self.spread).clamp(-10.0, 10.0)
        return torch.cat([x, missing[..., : len(NAMES)].to(x.dtype), self.circumstances(context)], dim=-1)

    def circumstances(self, context: Tensor) -> Tensor:
        """Scale the context; times look back from the latest sweep, whose theta is asked for.

        Args:
            context: Shape (..., n, c).

        Returns:
            Shape (..., n, 14).
        """
        column = dict(zip(CONTEXT, context.unbind(-1), strict=True))
        latest = column["start"].amax(dim=-1, keepdim=True)
        amplitude, holding, history = column["amplitude"], column["holding"], column["history_level"]
        return torch.stack(
            [
                torch.asinh(amplitude / 30.0) / 2.0,
                amplitude / 200.0,
                torch.log(amplitude.abs() + 5.0) - 4.0,
                torch.asinh(holding / 30.0) / 2.0,
                column["holding_known"],
                torch.log(column["duration"] / 450.0),
                column["baseline"] / 150.0 - 1.0,
                column["tail"] / 200.0 - 1.0,
                torch.log(column["rate"] / 20.0),
                torch.asinh(history / 30.0) / 2.0,
                torch.log1p(column["history_duration"] / 100.0),
                torch.log1p(column["history_gap"] / 100.0) / 2.0,
                torch.log1p(latest - column["start"]) / 5.0,
                column["excluded"],
            ],
            dim=-1,
        )
