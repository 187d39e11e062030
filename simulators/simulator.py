"""This file is the simulator: the contract of a cell made of equations."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.stimulus import Clamp, Stimulus

__all__ = ["Simulator"]


class Simulator(ABC):
    """A cell made of equations; a model writes `parameters` and `_simulate`, the checks are done here."""

    parameters: tuple[Parameter, ...]
    """What theta is, in order, with units and bounds."""

    clamps: tuple[Clamp, ...] = ("current",)
    """What it can be asked in."""

    conductances: tuple[str, ...] = ()
    """Names of the parameters that a dose may scale or add to."""

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
            Response, shape (b, n): voltage in current clamp [mV], current in voltage clamp [pA]. A cell whose
            equations blow up is NaN from there on, and the others are not touched.

        Raises:
            ValueError: If theta has the wrong shape, is NaN or leaves its bounds, the rate is not positive, or the
                stimulus is in a clamp or doses a conductance that this cell does not have.
        """
        return self._simulate(self.checked(theta, stimulus, rate), stimulus, float(rate), rng)

    def checked(self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float) -> npt.NDArray[np.float64]:
        """Refuse what can't be simulated.

        Args:
            theta: Shape (b, p).
            stimulus: What goes in.
            rate: Sampling rate [kHz].

        Returns:
            Theta as float64.

        Raises:
            ValueError: As in `simulate`.
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
        if stimulus.clamp not in self.clamps:
            raise ValueError(f"Stimulus is in {stimulus.clamp} clamp, {' or '.join(self.clamps)} clamp was wanted.")
        for name in {dose.conductance for epoch in stimulus.epochs for dose in epoch.doses}:
            if name not in self.conductances:
                there = ", ".join(self.conductances) or "none"
                raise ValueError(f"A dose names {name!r}, one of this cell's conductances was wanted: {there}.")
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(f"Sampling rate is {rate} kHz, a positive one was wanted.")
        return theta

    def courses(self, theta: npt.NDArray[np.float64], stimulus: Stimulus) -> npt.NDArray[np.float64]:
        """Tell what theta is in each epoch, with the doses that act there.

        Args:
            theta: Shape (b, p).
            stimulus: With e epochs.

        Returns:
            Shape (b, e, p).
        """
        courses = np.repeat(np.asarray(theta, dtype=np.float64)[:, None, :], len(stimulus.epochs), axis=1)
        names = [parameter.name for parameter in self.parameters]
        for k, epoch in enumerate(stimulus.epochs):
            for dose in epoch.doses:
                column = names.index(dose.conductance)
                courses[:, k, column] = dose.factor * courses[:, k, column] + dose.added
        return courses

    @abstractmethod
    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Answer, with theta and stimulus checked."""
