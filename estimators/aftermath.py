"""This file is the aftermath: how sure of the true theta a posterior would be, and how wide, once a sweep is in.

Where all parameters matter, the flow's own density tells. Of fewer, the density is a normal in the unconstrained space
with the mean and the covariance that the flow's draws have there: any normalized density makes the gain a lower bound.
The draws come from noise that has exactly the mean and covariance of a standard normal, so that the moments are exact
as far as the flow is linear; the same noise serves all posteriors, so that they can be compared.

References:
    Barber & Agakov (2003), The IM algorithm: a variational approach to information maximization. NIPS 16.
    Foster et al. (2019), Variational Bayesian optimal experimental design. arXiv:1903.05480
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from estimators.flow import FlowPosterior

__all__ = ["Aftermath", "nearest_entropy", "normal", "whitened"]

_FEWEST = 16
_SPARE = 3
_JITTER = 1e-6
_NEIGHBOUR = 4


class Aftermath:
    """Score posteriors about the parameters that matter.

    Args:
        p: Parameters of the network.
        columns: Those that matter, in order.
        generator: Source of the noise.
    """

    def __init__(self, p: int, columns: Sequence[int], generator: torch.Generator) -> None:
        self._columns = None if len(columns) == p else list(columns)
        self._noise = whitened(max(_FEWEST, p + _SPARE), p, generator)
        self._p = p

    @torch.inference_mode()
    def __call__(self, posterior: FlowPosterior, u: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Score.

        Args:
            posterior: Of batch shape (b,).
            u: Theta that is true of each, unconstrained, shape (b, p).
            noise: Standard normal numbers for the entropies, shape (b, p).

        Returns:
            Log density of what matters of the truth, and the entropy of what matters [nat], both of shape (b,).
        """
        if self._columns is None:
            drawn = posterior.from_noise(noise[None])[0]
            # Of the noise's own density the mean is known: only the volume has to be averaged.
            entropy = -posterior.log_prob(drawn) - 0.5 * (noise**2).sum(-1) + 0.5 * self._p
            return posterior.log_prob(u), entropy
        drawn = posterior.from_noise(self._noise[:, None].expand(-1, len(u), -1))[..., self._columns]
        return normal(drawn, u[:, self._columns])


def whitened(half: int, p: int, generator: torch.Generator) -> Tensor:
    """Draw noise, each row with its mirror image, whose mean is 0 and covariance 1, exactly.

    Args:
        half: Rows before mirroring, p at least.
        p: Columns.
        generator: Source of randomness.

    Returns:
        Shape (2 half, p).
    """
    raw = torch.randn(half, p, generator=generator, dtype=torch.float64)
    rows = torch.linalg.qr(raw).Q * math.sqrt(half)
    return torch.cat([rows, -rows]).float()


def normal(drawn: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Score the truth under the normal with the moments of draws.

    Args:
        drawn: Shape (k, b, d), more than d draws.
        u: Shape (b, d).

    Returns:
        Log density of each truth, and the entropy of each normal [nat], both of shape (b,).
    """
    d = drawn.shape[-1]
    mean = drawn.mean(dim=0)
    centred = (drawn - mean).transpose(0, 1).double()
    covariance = centred.transpose(1, 2) @ centred / len(drawn)
    diagonal = torch.diagonal(covariance, dim1=-2, dim2=-1)
    diagonal += _JITTER + _JITTER * diagonal
    factor = torch.linalg.cholesky(covariance)
    volume = torch.diagonal(factor, dim1=-2, dim2=-1).log().sum(-1)
    away = torch.linalg.solve_triangular(factor, (u - mean).double().unsqueeze(-1), upper=False).squeeze(-1)
    log_density = -0.5 * (away**2).sum(-1) - volume - 0.5 * d * math.log(2.0 * math.pi)
    return log_density, volume + 0.5 * d * (1.0 + math.log(2.0 * math.pi))


def nearest_entropy(drawn: Tensor) -> float:
    """Estimate an entropy from draws by how far each is from its fourth-nearest neighbour.

    Args:
        drawn: Shape (k, d), more than four.

    Returns:
        The entropy [nat], at most that of the normal with the same moments.

    References:
        Kozachenko & Leonenko (1987), Problems of Information Transmission 23, 95-101.
    """
    k, d = drawn.shape
    centred = (drawn - drawn.mean(dim=0)).double()
    factor = torch.linalg.cholesky(centred.T @ centred / k + _JITTER * torch.eye(d, dtype=torch.float64))
    volume = float(factor.diagonal().log().sum())
    white = torch.linalg.solve_triangular(factor, centred.T, upper=False).T
    away = torch.cdist(white, white).topk(_NEIGHBOUR + 1, largest=False).values[:, -1].clamp_min(1e-12)
    ball = 0.5 * d * math.log(math.pi) - math.lgamma(0.5 * d + 1.0)
    counted = torch.digamma(torch.tensor([float(k), float(_NEIGHBOUR)], dtype=torch.float64))
    found = float(counted[0] - counted[1]) + ball + d * float(away.log().mean())
    return min(found, 0.5 * d * (1.0 + math.log(2.0 * math.pi))) + volume
