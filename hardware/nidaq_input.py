"""This file is the input of NI-DAQmx: samples in the order of their indices, and how many are missing before them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.nidaq_driver import NidaqDriver
from hardware.nidaq_output import check_rate
from hardware.nidaq_refusal import OVERWRITTEN, NidaqError, told
from hardware.nidaq_wiring import Input, Wiring

__all__ = ["NidaqInput", "reader_of"]

_BUFFER = 8.0
"""How far the program may fall behind while a command is held [s]."""
_JUMPS = 12
_FAR = 2**31
"""The first index that the driver can't be asked for."""
_Array = npt.NDArray[np.float64]


class NidaqInput:
    """One task over all inputs, clocked by the output in a sweep and by itself while a command is held.

    In a sweep the computer's buffer takes the whole of it and can't be overwritten. While a command is held the
    board goes on when it is, and the next read says how many samples that has cost.

    Args:
        driver: Where the board is.
        wiring: Which inputs.
        timeout: How long samples may be late [s].
    """

    def __init__(self, driver: NidaqDriver, wiring: Wiring, timeout: float = 1.0) -> None:
        self._driver, self._wiring, self._timeout = driver, wiring, timeout
        self._task: Any = None
        self._reader: Any = None
        self._shape: tuple[int | None, float] | None = None
        self._total: int | None = None
        self._position = self._buffer = 0
        self._is_committed = False
        self.is_running = False
        """Whether it samples for a sweep or a held command."""

    @property
    def position(self) -> int:
        """Index of the sample that is read next."""
        return self._position

    def open(self) -> None:
        """Take hold of the inputs."""
        self._task = self._driver.task()
        self._reader = reader_of(self._task, self._wiring.inputs, self._driver)

    def arm(self, count: int, rate: float) -> None:
        """Be ready for a sweep: each sample is taken when the output puts out one.

        Args:
            count: Samples of the sweep.
            rate: Sampling rate [kHz].
        """
        self._begin(count, rate, f"/{self._wiring.device}/ao/SampleClock")

    def run(self, rate: float) -> None:
        """Read without an end, by the input's own clock.

        Args:
            rate: Sampling rate [kHz].
        """
        self._begin(None, rate, "")

    def read(self, count: int) -> tuple[_Array, int]:
        """Wait for the next samples.

        Args:
            count: How many; fewer come at the end of a sweep.

        Returns:
            Volts, shape (inputs, n), and how many samples are missing before them.

        Raises:
            NidaqError: If there are none; its code tells an overflow of the board's memory from the rest.
        """
        try:
            traces = self._take(self._left(self._position, count))
        except NidaqError as error:
            if error.code != OVERWRITTEN:
                raise
            return self._jump(count, error)
        self._position += traces.shape[1]
        return traces, 0

    def restart(self) -> None:
        """Begin anew in the middle of a sweep; which samples come is known only when the output has ended."""
        with told(self._driver.device, self._driver.server):
            self._task.stop()
            self._task.start()

    @property
    def acquired(self) -> int:
        """Samples taken since the start or the last restart."""
        with told(self._driver.device, self._driver.server):
            return int(self._task.in_stream.total_samp_per_chan_acquired)

    def regain(self, ticks: int) -> tuple[_Array, int]:
        """Read what was taken since a restart, after the output has ended.

        The clock that both share has ticked its last, so that what is there is counted from the end.

        Args:
            ticks: How often the output's clock ticked in the whole sweep.

        Returns:
            As `read`, to the end of the sweep.
        """
        total, acquired = self._total or 0, self.acquired
        first = ticks - acquired
        try:
            traces = self._take(acquired)[:, max(0, self._position - first) : total - first]
        except NidaqError:
            traces = self._take(0)
        lost = total - self._position - traces.shape[1]
        self._position = total
        return traces, lost

    def stop(self) -> None:
        """End the acquisition."""
        self.is_running = False
        with told(self._driver.device, self._driver.server):
            self._task.stop()

    def release(self) -> None:
        """Let another task have the board's converter, which is one for all inputs; the next sweep takes it back."""
        if self._is_committed:
            with told(self._driver.device, self._driver.server):
                self._task.control(self._driver.constants.TaskMode.TASK_UNRESERVE)
            self._is_committed = False

    def close(self) -> None:
        """Let go of the inputs."""
        self._is_committed = False
        if self._task is not None:
            task, self._task, self._shape = self._task, None, None
            with told(self._driver.device, self._driver.server):
                task.close()

    def _begin(self, count: int | None, rate: float, clock: str) -> None:
        """Set the timing, unless it is that of the sweep before, and start."""
        words = self._driver.constants
        self._total, self._position = count, 0
        with told(self._driver.device, self._driver.server):
            if self._shape != (count, rate):
                self._shape = None
                size = count or int(_BUFFER * 1e3 * rate)
                kinds, modes = words.AcquisitionType, words.OverwriteMode
                kind = kinds.CONTINUOUS if count is None else kinds.FINITE
                self._task.timing.cfg_samp_clk_timing(1e3 * rate, clock, sample_mode=kind, samps_per_chan=size)
                check_rate(self._task, rate, self._driver)
                self._task.in_stream.input_buf_size = self._buffer = size
                self._task.in_stream.overwrite = (
                    modes.OVERWRITE_UNREAD_SAMPLES if count is None else modes.DO_NOT_OVERWRITE_UNREAD_SAMPLES
                )
                self._shape = (count, rate)
                self._is_committed = False
            if not self._is_committed:
                self._task.control(words.TaskMode.TASK_COMMIT)
                self._is_committed = True
            self._task.start()
            self.is_running = True

    def _left(self, first: int, count: int) -> int:
        return count if self._total is None else max(0, min(count, self._total - first))

    def _take(self, count: int) -> _Array:
        """Read so many samples from where the board's reading stands."""
        traces = np.empty((len(self._wiring.inputs), count))
        if count:
            with told(self._driver.device, self._driver.server):
                self._reader.read_many_sample(traces, count, timeout=self._timeout)
        return traces

    def _jump(self, count: int, error: NidaqError) -> tuple[_Array, int]:
        """Go on behind what was overwritten, with the index of the sample that is read then."""
        stream, origins = self._task.in_stream, self._driver.constants.ReadRelativeTo
        first = max(self._position + count, self.acquired - self._buffer // 2)
        step = count
        for _ in range(_JUMPS):
            size = self._left(first, count)
            if not size:
                break
            if first >= _FAR:
                raise error
            with told(self._driver.device, self._driver.server):
                stream.relative_to, stream.offset = origins.FIRST_SAMPLE, first
            try:
                traces = self._take(size)
            except NidaqError as again:
                if again.code != OVERWRITTEN:
                    raise
                first, step = first + step, 2 * step
                continue
            finally:
                with told(self._driver.device, self._driver.server):
                    stream.relative_to, stream.offset = origins.CURRENT_READ_POSITION, 0
            lost, self._position = first - self._position, first + size
            return traces, lost
        if self._total is None:
            raise error
        lost, self._position = self._total - self._position, self._total
        return self._take(0), lost


def reader_of(task: Any, inputs: Iterable[Input], driver: NidaqDriver) -> Any:  # noqa: ANN401 - the library has no types
    """Put inputs into a task.

    Args:
        task: A new one.
        inputs: In the order in which they are read.
        driver: Where the board is.

    Returns:
        What reads all of them into an array of shape (inputs, n) [V].

    Raises:
        NidaqError: If the board has no such input.
    """
    kinds = driver.constants.TerminalConfiguration
    wired = {"default": kinds.DEFAULT, "differential": kinds.DIFF, "rse": kinds.RSE, "nrse": kinds.NRSE}
    with told(driver.device, driver.server):
        for each in inputs:
            task.ai_channels.add_ai_voltage_chan(
                f"{driver.device}/{each.terminal}",
                terminal_config=wired[each.terminals],
                min_val=-each.span,
                max_val=each.span,
            )
        from nidaqmx.stream_readers import AnalogMultiChannelReader

        reader = AnalogMultiChannelReader(task.in_stream)
        reader.verify_array_shape = False
        return reader
