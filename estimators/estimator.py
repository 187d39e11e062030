"""This file is the estimator: called on an observation, it gives the posterior over theta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.flow import Flow, FlowPosterior
from estimators.scaling import Scaling
from estimators.sweep_set import SweepSet
from simulators.parameter import Parameter

__all__ = ["Architecture", "SweepSetEstimator", "pad"]


@dataclass(frozen=True)
class Architecture:
    """Sizes of a network, as the checkpoint keeps them."""

    width: int
    layers: int
    transforms: int
    hidden: int
    bins: int
    context: int = 96
    windows: int = 0


class SweepSetEstimator(nn.Module):
    """The posterior over a cell's parameters, given any number of sweeps.

    Args:
        parameters: What is inferred.
        architecture: Sizes of the network.
    """

    def __init__(self, parameters: Sequence[Parameter], architecture: Architecture) -> None:
        super().__init__()
        self.parameters_of_cell = tuple(parameters)
        self.architecture = architecture
        self.scaling = Scaling()
        self.encoder = SweepSet(
            self.scaling.width, architecture.width, architecture.context, architecture.layers, architecture.windows
        )
        self.flow = Flow(
            len(self.parameters_of_cell),
            architecture.context,
            architecture.transforms,
            architecture.hidden,
            architecture.bins,
        )

    def forward(self, features: Tensor, context: Tensor, there: Tensor) -> FlowPosterior:
        """Give the posterior in unconstrained space, where the prior is the standard normal.

        Args:
            features: Shape (b, n, f), NaN where missing.
            context: Shape (b, n, c).
            there: Which sweeps are not padding, shape (b, n), bool.

        Returns:
            A distribution of batch shape (b,).
        """
        posterior: FlowPosterior = self.flow(self.encoder(self.scaling(features, context), there))
        return posterior

    def constrain(self, u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map unconstrained draws to physical units, inside every bound.

        Args:
            u: Shape (..., p).

        Returns:
            The same shape.
        """
        # Far out in a tail, rounding may take a value past its bound by its last digit.
        columns = [np.clip(p.constrain(u[..., k]), p.low, p.high) for k, p in enumerate(self.parameters_of_cell)]
        return np.stack(columns, axis=-1)

    def draw(
        self,
        features: npt.NDArray[np.float64],
        context: npt.NDArray[np.float64],
        count: int,
        generator: torch.Generator,
    ) -> npt.NDArray[np.float64]:
        """Draw theta for one cell; no draw is ever rejected.

        Args:
            features: Its sweeps in order, shape (n, f), NaN where missing.
            context: Shape (n, c).
            count: Draws wanted.
            generator: Source of randomness.

        Returns:
            Shape (count, p), in physical units.

        Raises:
            ValueError: If shapes are not those of this network's sweeps.
        """
        with torch.inference_mode():
            noise = torch.randn(count, 1, len(self.parameters_of_cell), generator=generator)
            draws = self.density(features, context).from_noise(noise)[:, 0]
        return self.constrain(draws.double().numpy())

    def density(self, features: npt.NDArray[np.float64], context: npt.NDArray[np.float64]) -> FlowPosterior:
        """Give the posterior of one cell in unconstrained space.

        Args:
            features: Its sweeps in order, shape (n, f), NaN where missing.
            context: Shape (n, c).

        Returns:
            A distribution of batch shape (1,), without a gradient.

        Raises:
            ValueError: If shapes are not those of this network's sweeps.
        """
        if features.ndim != 2 or features.shape[1] != len(NAMES) or context.shape != (len(features), len(CONTEXT)):
            raise ValueError(
                f"Features have shape {features.shape} and contexts {context.shape}; "
                f"(n, {len(NAMES)}) and (n, {len(CONTEXT)}) were wanted."
            )
        with torch.inference_mode():
            posterior: FlowPosterior = self(
                torch.as_tensor(features, dtype=torch.float32)[None],
                torch.as_tensor(context, dtype=torch.float32)[None],
                torch.ones(1, len(features), dtype=torch.bool),
            )
        return posterior


def pad(
    features: Sequence[npt.NDArray[np.float32]], context: Sequence[npt.NDArray[np.float32]]
) -> tuple[Tensor, Tensor, Tensor]:
    """Put sets of different size into one batch.

    Args:
        features: One array (n, f) a set.
        context: One array (n, c) a set.

    Returns:
        Features (b, N, f), contexts (b, N, c), and which rows are there, (b, N).
    """
    sizes = np.array([len(table) for table in features])
    there = np.arange(sizes.max()) < sizes[:, None]
    padded_features = np.zeros((*there.shape, len(NAMES)), dtype=np.float32)
    padded_context = np.zeros((*there.shape, len(CONTEXT)), dtype=np.float32)
    # Padding repeats a harmless context, so that its scaled numbers stay finite.
    padded_context[..., CONTEXT.index("duration")] = 450.0
    padded_context[..., CONTEXT.index("rate")] = 20.0
    padded_features[there] = np.concatenate(features)
    padded_context[there] = np.concatenate(context)
    return torch.from_numpy(padded_features), torch.from_numpy(padded_context), torch.from_numpy(there)
