"""This file is the simulator: the contract of a cell made of equations."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.stimulus import Stimulus

__all__ = ["Simulator"]


class Simulator(ABC):
    """A cell made of equations; a model writes `parameters` and `_simulate`, the checks are done here."""

    parameters: tuple[Parameter, ...]
    """What theta is, in order, with units and bounds."""

    def simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Answer a stimulus, starting from rest at its first level.

        Args:
            theta: Shape (b, p), in the order and units of `parameters`.
            stimulus: What goes in.
            rate: Sampling rate [kHz].
            rng: Source of randomness; the same state gives the same answer.

        Returns:
            Response, shape (b, n): voltage in current clamp [mV].

        Raises:
            ValueError: If theta has the wrong shape, is NaN or leaves its bounds, the rate is not positive, or the
                stimulus is in another clamp.
        """
        theta = np.asarray(theta, dtype=np.float64)
        if theta.ndim != 2 or theta.shape[1] != len(self.parameters):
            raise ValueError(f"Theta has shape {theta.shape}, (b, {len(self.parameters)}) was wanted.")
        for k, parameter in enumerate(self.parameters):
            outside = ~((theta[:, k] >= parameter.low) & (theta[:, k] <= parameter.high))
            if outside.any():
                raise ValueError(
                    f"{parameter.name} is {theta[outside, k][0]:g} {parameter.unit}, between {parameter.low:g} and "
                    f"{parameter.high:g} {parameter.unit} was wanted."
                )
        if stimulus.clamp != "current":
            raise ValueError(f"Stimulus is in {stimulus.clamp} clamp, a current [pA] was wanted.")
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(f"Sampling rate is {rate} kHz, a positive one was wanted.")
        return self._simulate(theta, stimulus, float(rate), rng)

    @abstractmethod
    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Answer, with theta and stimulus checked."""
