"""This file is the straightening: features brought to numbers of order one, nearest to normal, with none missing.

Which monotone function straightens a feature is chosen from the training rows alone. A missing value becomes a number
that is learned with the network, beside a flag that says so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["BENDS", "Straightening"]

BENDS = ("none", "asinh", "log", "logit")
"""The monotone functions: x; asinh((x - a)/c); log x; log((x + c)/(1 - x + c))."""

_FAR = 4.0
_MOST = 20_000
_BETTER = 2e-3


class Straightening(nn.Module):
    """Lay a row of features out for a network.

    Args:
        features: Numbers in an observation.
    """

    bend: Tensor
    middle: Tensor
    soft: Tensor
    centre: Tensor
    spread: Tensor
    gaps: Tensor
    idle: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("bend", torch.zeros(features, dtype=torch.long))
        for name, value in (("middle", 0.0), ("soft", 1.0), ("centre", 0.0), ("spread", 1.0)):
            self.register_buffer(name, torch.full((features,), value, dtype=torch.float64))
        # A feature that never varied, or was never there, tells nothing, whatever it is later.
        self.register_buffer("idle", torch.zeros(features, dtype=torch.bool))
        # Where no row lacked a value, a flag would have a weight that was never trained.
        self.register_buffer("gaps", torch.zeros(features, dtype=torch.bool))
        self.imputed = nn.Parameter(torch.zeros(features))

    @property
    def width(self) -> int:
        """Numbers that the network sees."""
        return 2 * len(self.idle)

    def fit(self, x: Tensor) -> None:
        """Choose each feature's function from training rows.

        Args:
            x: Shape (n, d), NaN where missing.
        """
        x = x.double()
        self.gaps.copy_(torch.isnan(x).any(0))
        for k in range(x.shape[1]):
            there = x[:, k][torch.isfinite(x[:, k])]
            self.idle[k] = not len(there) or bool((there == there[0]).all())
            if not self.idle[k]:
                self._choose(k, there)

    def straighten(self, x: Tensor) -> Tensor:
        """Put each feature through its function; nothing here is learned, so it can be done once for all epochs.

        Args:
            x: Shape (..., d), NaN where missing.

        Returns:
            The same shape, float32, NaN where missing, else of order one.
        """
        x = x.double()
        straight = (_bent(x, self.bend, self.middle, self.soft) - self.centre) / self.spread
        # What lies far out goes on, ever slower: it must not outweigh all else, nor look like what is at the edge.
        size = straight.abs()
        far = torch.sign(straight) * (_FAR + torch.log1p((size - _FAR).clamp_min(0.0)))
        straight = torch.where(size > _FAR, far, straight)
        return torch.where(self.idle, torch.zeros_like(straight), straight).float()

    def forward(self, straight: Tensor) -> Tensor:
        """Fill the gaps.

        Args:
            straight: From `straighten`, shape (..., d).

        Returns:
            Shape (..., 2 d): the features, then the flags of those that were missing; finite.
        """
        missing = torch.isnan(straight)
        filled = torch.where(missing, self.imputed, straight)
        return torch.cat([filled, (missing & self.gaps).to(filled.dtype)], dim=-1)

    def _choose(self, k: int, x: Tensor) -> None:
        """Choose the function under which sorted values lie nearest to a normal's, the plainest if it is near."""
        x = x[torch.linspace(0, len(x) - 1, min(len(x), _MOST)).long()]
        middle, size = x.median(), (x.quantile(0.9) - x.quantile(0.1)).clamp_min(1e-300)
        candidates = [("none", 0.0, 1.0)]
        candidates += [("asinh", float(a), float(c * size)) for a in (0.0, middle) for c in (0.02, 0.1, 0.5)]
        positive = x[x > 0.0]
        if len(positive) == len(x):
            candidates.append(("log", 0.5 * float(x.min()), 1.0))
        if len(positive) and x.min() >= 0.0 and x.max() <= 1.0:
            candidates.append(("logit", 0.0, 0.5 * min(float(positive.min()), 1e-2)))
        best = -1.0
        for name, a, c in candidates:
            code = torch.tensor(BENDS.index(name))
            bent = _bent(x, code, torch.tensor(a, dtype=x.dtype), torch.tensor(c, dtype=x.dtype))
            straightness = _straightness(bent)
            if straightness > best + _BETTER:
                best = straightness
                self.bend[k], self.middle[k], self.soft[k] = code, a, c
                self.centre[k], self.spread[k] = bent.mean(), bent.std().clamp_min(1e-12)


def _bent(x: Tensor, bend: Tensor, middle: Tensor, soft: Tensor) -> Tensor:
    """Put each value through its function; those that are not needed get arguments that they can take."""
    curved = torch.asinh((x - middle) / soft)
    log = torch.log(torch.maximum(x, middle).clamp_min(1e-300))
    share = x.clamp(0.0, 1.0)
    logit = torch.log((share + soft) / (1.0 - share + soft))
    return torch.where(bend == 0, x, torch.where(bend == 1, curved, torch.where(bend == 2, log, logit)))


def _straightness(x: Tensor) -> float:
    """Correlate sorted values with a normal's: one where they are normal."""
    if float(x.std()) <= 1e-12 * float(x.abs().max()):
        return -1.0
    levels = (torch.arange(len(x), dtype=x.dtype) + 0.5) / len(x)
    pair = torch.stack([x.sort().values, torch.special.ndtri(levels)])
    return float(torch.corrcoef(pair)[0, 1])
