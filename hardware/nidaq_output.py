"""This file is the output of NI-DAQmx: a stimulus from the board's buffer, or one value that stays."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.nidaq_driver import NidaqDriver
from hardware.nidaq_refusal import NidaqError, told
from hardware.nidaq_wiring import Wiring

__all__ = ["NidaqOutput", "check_rate"]

_PIECE = 250_000
"""Samples written at once: servers refuse messages of more than 4 MB."""


class NidaqOutput:
    """Two tasks on one channel, of which never more than one holds it.

    A stimulus ends with one more sample, at the exit level: the board returns by itself even if nobody is left to
    tell it, and as long as it plays, nothing in this computer has to be on time.

    Args:
        driver: Where the board is.
        wiring: Which output.
        exit_volts: What the output is left at [V].
    """

    def __init__(self, driver: NidaqDriver, wiring: Wiring, exit_volts: float) -> None:
        self._driver, self._wiring, self._exit = driver, wiring, exit_volts
        self._swept: Any = None
        self._static: Any = None
        self._shape: tuple[int, float] | None = None
        self._is_reserved = False

    def open(self) -> None:
        """Take hold of the output and put it to its exit level."""
        self._swept, self._static = self._task(), self._task()
        self.hold(self._exit)

    def arm(self, volts: npt.NDArray[np.float64], rate: float) -> None:
        """Load a stimulus into the board.

        Args:
            volts: Shape (n,) [V].
            rate: Sampling rate [kHz].

        Raises:
            NidaqError: If the board refuses it, or has no such rate.
        """
        samples = np.append(volts, self._exit)
        words = self._driver.constants
        with told(self._driver.device, self._driver.server):
            if self._shape != (samples.size, rate):
                self._shape = None
                finite = words.AcquisitionType.FINITE
                self._swept.timing.cfg_samp_clk_timing(1e3 * rate, sample_mode=finite, samps_per_chan=samples.size)
                check_rate(self._swept, rate, self._driver)
                self._swept.out_stream.output_buf_size = samples.size
                self._swept.out_stream.relative_to = words.WriteRelativeTo.FIRST_SAMPLE
            self._is_reserved = True
            for first in range(0, samples.size, _PIECE):
                if samples.size > _PIECE:
                    self._swept.out_stream.offset = first
                self._writer(self._swept, False).write_many_sample(samples[first : first + _PIECE])
            if self._shape is None:
                self._swept.control(words.TaskMode.TASK_COMMIT)
                self._shape = (samples.size, rate)

    def start(self) -> None:
        """Begin to play what was loaded."""
        with told(self._driver.device, self._driver.server):
            self._swept.start()

    @property
    def is_done(self) -> bool:
        """Whether the last sample is out."""
        with told(self._driver.device, self._driver.server):
            return bool(self._swept.is_task_done())

    def finish(self) -> None:
        """Wait until the last sample, the exit level, is out, and be ready to play again."""
        with told(self._driver.device, self._driver.server):
            self._swept.wait_until_done(timeout=1.0)
            self._swept.stop()

    def hold(self, volts: float) -> None:
        """Put out one value that stays.

        Args:
            volts: The value [V].
        """
        words = self._driver.constants
        with told(self._driver.device, self._driver.server):
            if self._is_reserved:
                self._swept.control(words.TaskMode.TASK_UNRESERVE)
                self._is_reserved, self._shape = False, None
            self._writer(self._static, True).write_one_sample(volts)

    def park(self) -> None:
        """Return to the exit level from wherever a stimulus stands."""
        with told(self._driver.device, self._driver.server):
            self._swept.stop()
        self.hold(self._exit)

    def close(self) -> None:
        """Let go of the output."""
        with told(self._driver.device, self._driver.server), contextlib.ExitStack() as stack:
            for task in filter(None, (self._swept, self._static)):
                stack.callback(task.close)
            self._swept = self._static = self._shape = None
            self._is_reserved = False

    def _writer(self, task: Any, auto_start: bool) -> Any:  # noqa: ANN401 - the library has no types
        from nidaqmx.stream_writers import AnalogSingleChannelWriter

        writer = AnalogSingleChannelWriter(task.out_stream, auto_start)
        # The shape is right by construction; to verify it takes another question to the board at every write.
        writer.verify_array_shape = False
        return writer

    def _task(self) -> Any:  # noqa: ANN401 - the library has no types
        task, channel = self._driver.task(), self._wiring.output
        with told(self._driver.device, self._driver.server):
            task.ao_channels.add_ao_voltage_chan(
                f"{self._wiring.device}/{channel.terminal}", min_val=-channel.span, max_val=channel.span
            )
        return task


def check_rate(task: Any, rate: float, driver: NidaqDriver) -> None:  # noqa: ANN401 - as above
    """Refuse a rate that the board's clock does not have: it would take its nearest and call it the other.

    Args:
        task: With its timing set.
        rate: What was asked [kHz].
        driver: Where the board is.

    Raises:
        NidaqError: If they differ.
    """
    given = task.timing.samp_clk_rate / 1e3
    if abs(given - rate) > 1e-6 * rate:
        raise NidaqError(
            f"{driver.device} can't sample at {rate:.9g} kHz, its nearest rate is {given:.9g} kHz: set rate_kHz so."
        )
