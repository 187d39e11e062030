"""This file is the stand: a device to be measured, with a simulated cell behind it and a clock that is not ours."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from hardware.model_cell import ModelCell
from hardware.rig import Rig
from rig_plugin.simulated_cell import CELLS
from simulators.electrode import Electrode
from simulators.stimulus import Stimulus

__all__ = ["HOLDING", "SimulatedStand", "Stand", "answered"]

HOLDING = 10.0
"""Holding of every sweep [pA]: other than the exit level, so that a device tells where a sweep begins and ends."""


class Stand(AbstractContextManager["Stand"], ABC):
    """A device for as long as it is measured: `with SimulatedStand() as stand`."""

    name: str
    """Of the driver."""
    channels: int
    """How many are sampled."""

    @abstractmethod
    def rig(self) -> Rig:
        """Give the driver.

        Returns:
            The rig, closed.
        """

    @abstractmethod
    def pauses(self) -> npt.NDArray[np.float64]:
        """Tell how long the cell waited between sweeps since this was asked last.

        Returns:
            Time from the last sample of each sweep to the first of the next [ms].
        """


class SimulatedStand(Stand):
    """The simulated rig in real time; it notes by this computer's clock when each sweep began."""

    name, channels = "model-cell", 2

    def __init__(self) -> None:
        self._begun: list[tuple[float, float]] = []

    def __exit__(self, *_: object) -> None:
        """There is nothing to let go of."""

    def rig(self) -> ModelCell:
        """Give the driver.

        Returns:
            The rig, closed.
        """
        return _Noting(self._begun)

    def pauses(self) -> npt.NDArray[np.float64]:
        """Tell how long the cell waited between sweeps since this was asked last.

        Returns:
            Time from the last sample of each sweep to the first of the next [ms].
        """
        begun, lasting = np.array(self._begun).reshape(-1, 2).T
        self._begun.clear()
        return np.asarray((begun[1:] - begun[:-1] - lasting[:-1]) * 1e3)


class _Noting(ModelCell):
    """A simulated rig that notes when each sweep begins and how long it lasts [s]."""

    def __init__(self, begun: list[tuple[float, float]]) -> None:
        super().__init__(answered, 20.0, seed=1, pace="real")
        self._noted = begun

    def _start(self, stimulus: Stimulus) -> None:
        super()._start(stimulus)
        self._noted.append((time.monotonic(), stimulus.duration / 1e3))


def answered(stimulus: Stimulus, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Answer as a typical cell of the network's process does.

    Args:
        stimulus: What it gets.
        rate: Sampling rate [kHz].
        rng: Source of randomness.

    Returns:
        Voltage, shape (n,) [mV].
    """
    cell = next(iter(CELLS.values()))
    return cell.simulate(cell.typical, Electrode(), stimulus, rate, rng)
