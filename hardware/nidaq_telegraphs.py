"""This file is the telegraphs of NI-DAQmx: the voltages by which an amplifier tells how it stands, between sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.nidaq_driver import NidaqDriver
from hardware.nidaq_input import reader_of
from hardware.nidaq_refusal import told
from hardware.nidaq_wiring import Input

__all__ = ["NidaqTelegraphs"]

_RATE = 20_000.0
"""Of each telegraph: slow enough for a converter that goes from one to the next [Hz]."""
_COUNT = 100
"""Five milliseconds: of so many samples a single stray one is no turned switch."""


class NidaqTelegraphs:
    """A task of its own over the telegraphs' inputs, by the input's own clock.

    They are read on demand and not with the sweep: before it their voltages are needed while nothing may run yet, and
    a converter that also visits four more inputs during the sweep has less time for the cell's.

    Args:
        driver: Where the board is.
        inputs: By the telegraph's name; may be none.
        timeout: How long samples may be late [s].
    """

    def __init__(self, driver: NidaqDriver, inputs: Mapping[str, Input], timeout: float = 1.0) -> None:
        self._driver, self._inputs, self._timeout = driver, dict(inputs), timeout
        self._task: Any = None
        self._reader: Any = None

    def open(self) -> None:
        """Take hold of the inputs."""
        if not self._inputs:
            return
        self._task = self._driver.task()
        self._reader = reader_of(self._task, self._inputs.values(), self._driver)
        finite = self._driver.constants.AcquisitionType.FINITE
        with told(self._driver.device, self._driver.server):
            self._task.timing.cfg_samp_clk_timing(_RATE, sample_mode=finite, samps_per_chan=_COUNT)

    def read(self) -> dict[str, npt.NDArray[np.float64]]:
        """Sample all of them at once, while no sweep runs.

        Returns:
            Five milliseconds of each by its name, shape (n,) [V].

        Raises:
            NidaqError: If the board does not give them.
        """
        volts = np.empty((len(self._inputs), _COUNT))
        with told(self._driver.device, self._driver.server):
            self._task.start()
            try:
                self._reader.read_many_sample(volts, _COUNT, timeout=self._timeout)
            finally:
                self._task.stop()
        return dict(zip(self._inputs, volts, strict=True))

    def close(self) -> None:
        """Let go of the inputs."""
        if self._task is not None:
            task, self._task = self._task, None
            with told(self._driver.device, self._driver.server):
                task.close()
