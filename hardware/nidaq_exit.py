"""This file is the exit of NI-DAQmx: how the guardian returns an output that somebody else may still hold."""

from __future__ import annotations

from hardware.nidaq_driver import NidaqDriver
from hardware.nidaq_refusal import NidaqError, told

__all__ = ["NidaqExit"]


class NidaqExit:
    """One static value at one output, written from a process of its own.

    The program that died may have left its task on a server, where it goes on and holds the output: then the whole
    board is reset first, which ends whatever runs on it.

    Args:
        device: Name of the board.
        terminal: Of the output, for instance "ao0".
        command_volts: What it is left at [V].
        span: Largest magnitude that it puts out [V].
        server: Address of the board's server, or None.

    Raises:
        NidaqError: If the library is not installed.
    """

    def __init__(self, device: str, terminal: str, command_volts: float, span: float, server: str | None) -> None:
        self._terminal, self._volts, self._span = f"{device}/{terminal}", command_volts, span
        where = f" on {server}" if server else ""
        self.place = f"{self._terminal}{where} to {command_volts:g} V"
        self._driver = NidaqDriver(device, server)
        self._driver.open()

    def put(self) -> None:
        """Write the value; resets the board where that is refused.

        Raises:
            NidaqError: If the board can't be told.
        """
        try:
            self._write()
        except NidaqError as error:
            if error.code is None:
                raise
            self._driver.reset()
            self._write()

    def _write(self) -> None:
        with told(self._driver.device, self._driver.server), self._driver.task() as task:
            task.ao_channels.add_ao_voltage_chan(self._terminal, min_val=-self._span, max_val=self._span)
            from nidaqmx.stream_writers import AnalogSingleChannelWriter

            AnalogSingleChannelWriter(task.out_stream, auto_start=True).write_one_sample(self._volts)
