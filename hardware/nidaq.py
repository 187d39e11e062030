"""This file is the NI-DAQmx rig: a data acquisition board between the program and the amplifier."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from hardware.amplifier import Reading
from hardware.guardian import Guardian
from hardware.nidaq_driver import NidaqDriver
from hardware.nidaq_input import NidaqInput
from hardware.nidaq_output import NidaqOutput
from hardware.nidaq_refusal import OVERFLOWN, NidaqError
from hardware.nidaq_telegraphs import NidaqTelegraphs
from hardware.nidaq_wiring import Wiring
from hardware.rig import BLOCK, Block, Provenance, Rig, RigError
from simulators.limits import Limits
from simulators.stimulus import Stimulus
from simulators.sweep import Junction

__all__ = ["Nidaq"]

_LOG = logging.getLogger("rig_plugin")
_POLL = 0.02
_UNKNOWN = Junction()


class Nidaq(Rig):
    """Plays on an analog output and reads analog inputs on the same clock.

    The input is started first and waits for the sample clock of the output, so that sample k of every channel is
    taken in the moment in which sample k of the command goes out. Where samples are lost the sweep goes on, with a
    gap of exactly so many; the output plays from the board's own memory and never has a gap.

    Args:
        wiring: Board, terminals and gains.
        rate: Sampling rate of each channel [kHz].
        limits: What may be put out.
        exit_level: Command at which the cell is left [pA]; in voltage clamp 0.
        junction: What is known of the junction potential.
        timeout: How long samples may be late [ms].
        silence: How long the program may be silent during output before the guardian returns it [ms]; infinite has no
            guardian, for tests.

    Raises:
        RigError: If the rate is not positive, the exit level is beyond the limits or the board or needs a scale that
            only the amplifier tells, or the guardian would not wait as long as the samples.
    """

    def __init__(
        self,
        wiring: Wiring,
        rate: float = 20.0,
        limits: Limits | None = None,
        exit_level: float = 0.0,
        junction: Junction = _UNKNOWN,
        timeout: float = 500.0,
        silence: float = 1000.0,
    ) -> None:
        super().__init__()
        if not 0 < rate < np.inf:
            raise RigError(f"Rate is {rate} kHz, a positive one was wanted.")
        if exit_level and wiring.clamp == "voltage":
            raise RigError(f"The exit level is {exit_level:g} pA in voltage clamp, where the command is left at 0 mV.")
        if not 0 < timeout < silence:
            raise RigError(
                f"Samples may be late by {timeout:g} ms and the program silent for {silence:g} ms; more than 0 and "
                "less than the silence were wanted for the first."
            )
        self.rate, self.limits, self.exit_level = rate, limits or Limits(), exit_level
        if not self.limits.low <= exit_level <= self.limits.high:
            raise RigError(
                f"The exit level is {exit_level:g} pA, {self.limits.low:g} to {self.limits.high:g} pA was wanted: "
                "change it or the limits."
            )
        self.gains = wiring.gains
        self._wiring, self._said, self._junction = wiring, wiring, junction
        # No volt is no current, whatever the amplifier makes of one.
        volts = float(wiring.output.volts(np.array([exit_level]))[0]) if exit_level else 0.0
        self._driver = NidaqDriver(wiring.device, wiring.server)
        self._output = NidaqOutput(self._driver, wiring, volts)
        self._input = NidaqInput(self._driver, wiring, timeout / 1e3)
        self._telegraphs = NidaqTelegraphs(self._driver, wiring.telegraphs, timeout / 1e3)
        self._guardian: Guardian | None = None
        if silence < np.inf:
            asked = {"device": wiring.device, "terminal": wiring.output.terminal, "command_volts": volts}
            asked |= {"span": wiring.output.span, "server": wiring.server}
            self._guardian = Guardian("hardware.nidaq_exit:NidaqExit", asked, silence / 1e3)
        self._command: npt.NDArray[np.float64] | None = None
        self._level = exit_level
        self._is_whole = self._is_adrift = False
        self._blind: int | None = None
        self._failure: Exception | None = None
        self._begun: datetime | None = None

    @property
    def provenance(self) -> Provenance:
        """Where the sweep being played, or last played, comes from."""
        monitored = self._wiring.monitor is not None
        return Provenance(
            self._begun,
            "recorded channel" if monitored else "header",
            "measured" if monitored else "header",
            self._junction,
            0.0,
        )

    def telegraphs(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Sample the amplifier's analog telegraphs, which only before and after a sweep can be done.

        Returns:
            Voltages by the telegraph's name, five milliseconds of each, shape (n,) [V].

        Raises:
            RigClosed: If the rig is not open.
            RigError: If no telegraph is wired, a sweep runs, or the board does not give them.
        """
        self._check_open()
        if not self._wiring.telegraphs:
            raise RigError(
                f"No input of {self._wiring.device} is wired to a telegraph: name those of the amplifier, for instance "
                'mode_telegraph = "ai4" and gain_telegraph = "ai5" in [nidaq].'
            )
        if self._input.is_running:
            raise RigError("The board is sampling the cell: the telegraphs are read before and after a sweep.")
        self._input.release()
        return self._telegraphs.read()

    def _check(self, stimulus: Stimulus) -> None:
        if stimulus.clamp != self._wiring.clamp:
            raise RigError(
                f"The amplifier is wired for {self._wiring.clamp} clamp, a stimulus in {stimulus.clamp} clamp was "
                "asked: change its mode and the gains in the rig file."
            )
        # What the amplifier told before an earlier sweep may not hold any more; what it tells is checked as it starts.
        if self._said.output.gain is not None:
            self._said.output.volts(np.array([epoch.level for epoch in stimulus.epochs]))

    def _tune(self, reading: Reading) -> None:
        self._wiring = self._said.tuned(reading)
        self.gains = self._wiring.gains

    def _open(self) -> None:
        self._failure, self._is_adrift = None, False
        try:
            if self._guardian is not None:
                self._guardian.start()
            self._driver.open()
            self._output.open()
            self._input.open()
            self._telegraphs.open()
            if self._guardian is not None:
                self._guardian.wait()
        except BaseException:
            with contextlib.suppress(RigError):
                self._let_go()
            raise

    def _start(self, stimulus: Stimulus) -> None:
        command = stimulus.command(self.rate)
        volts = self._wiring.output.volts(command)
        self._begin(command)
        self._output.arm(volts, self.rate)
        self._input.arm(volts.size, self.rate)
        self._guard()
        self._output.start()

    def _hold(self, level: float) -> None:
        if self._wiring.clamp != "current":
            raise RigError("The amplifier is wired for voltage clamp; only a current can be held.")
        volts = float(self._wiring.output.volts(np.array([level]))[0])
        self._begin(None)
        self._level = level
        self._guard()
        self._output.hold(volts)
        self._input.run(self.rate)

    def _begin(self, command: npt.NDArray[np.float64] | None) -> None:
        if self._is_adrift:
            raise RigError(
                f"{self._wiring.device} was lost in the sweep before: see to the amplifier, then open the rig again."
            )
        self._command, self._blind, self._failure = command, None, None

    def _guard(self) -> None:
        """Have the guardian watch, just before anything is put out."""
        if self._guardian is not None:
            self._guardian.beat()
        self._begun = datetime.now(UTC)

    def _read(self) -> Block | None:
        count = max(1, int(BLOCK * self.rate))
        try:
            while not self._stopping.is_set():
                if self._guardian is not None:
                    self._guardian.beat()
                first = self._input.position
                if self._command is not None and first >= self._command.size:
                    self._is_whole = True
                    return None
                got = self._regained() if self._blind is not None else self._next(count)
                if got is not None:
                    return self._block(first + got[1], *got)
        except Exception as error:
            self._failure = error
            raise
        return None

    def _next(self, count: int) -> tuple[npt.NDArray[np.float64], int] | None:
        """Read on; None where the board's memory ran over and the rest of the sweep has to be found again."""
        try:
            return self._input.read(count)
        except NidaqError as error:
            if error.code not in OVERFLOWN:
                raise
            place = self._input.position
            if self._command is None:
                raise RigError(
                    f"The memory of {self._wiring.device} ran over at sample {place} ({place / self.rate / 1e3:.3f} s) "
                    "and how many are missing then is not known: lower rate_kHz or read fewer channels, and begin a "
                    "new recording."
                ) from error
        _LOG.warning("The memory of %s ran over at sample %d; the sweep goes on.", self._wiring.device, place)
        self._input.restart()
        self._blind = -1
        return None

    def _regained(self) -> tuple[npt.NDArray[np.float64], int] | None:
        """Wait for the end of the output, by which the samples after an overflow are counted."""
        acquired = self._input.acquired if self._output.is_done else -1
        if acquired < 0 or acquired != self._blind:
            # What the board has just taken is still on its way into the computer.
            self._blind = acquired
            self._stopping.wait(_POLL)
            return None
        self._blind = None
        return self._input.regain(0 if self._command is None else self._command.size + 1)

    def _block(self, first: int, volts: npt.NDArray[np.float64], lost: int) -> Block:
        """Turn volts into what they stand for."""
        inputs, traces = self._wiring.inputs, dict(zip(self._wiring.inputs, volts, strict=True))
        size = volts.shape[1]
        others = {name: each.scaled(traces[each]) for name, each in self._wiring.others.items()}
        if self._wiring.monitor is not None:
            command = self._wiring.monitor.scaled(traces[self._wiring.monitor])
        elif self._command is None:
            command = np.full(size, self._level)
        else:
            command = self._command[first : first + size]
        return Block(inputs[0].scaled(traces[inputs[0]]), command, lost, others)

    def _stop(self) -> None:
        """Return the output; where this program can't, the guardian tries; where nobody can, the user is told."""
        whole, self._is_whole = self._is_whole, False
        try:
            try:
                if whole:
                    self._output.finish()
                else:
                    self._output.park()
            except NidaqError as error:
                if not whole:
                    raise
                _LOG.warning("The output did not come to its end by itself: %s", error)
                self._output.park()
        except NidaqError as error:
            self._give_up(error)
        finally:
            try:
                self._input.stop()
            except NidaqError as error:
                _LOG.warning("The input could not be stopped: %s", error)
        if self._guardian is not None:
            self._guardian.rest()

    def _give_up(self, error: NidaqError) -> NoReturn:
        """Say how the output was left when it could not be returned from here."""
        said = str(self._failure or error)
        self._failure = self._failure or error
        self._is_adrift = True
        if self._guardian is not None:
            returned, sentence = self._guardian.act()
            if returned:
                raise RigError(said if sentence in said else f"{said} {sentence} Open the rig again.") from error
        raise RigError(
            f"{said} The output {self._wiring.place} could not be returned to {self.exit_level:g} pA: take the "
            "amplifier's external command away by hand."
        ) from error

    def _close(self) -> None:
        failed = self._failure
        try:
            self._output.park()
        except NidaqError as error:
            if failed is None:
                self._give_up(error)
        finally:
            with contextlib.suppress(RigError):
                self._let_go()

    def _let_go(self) -> None:
        """Close all that is open, whatever of it fails."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._driver.close)
            if self._guardian is not None:
                stack.callback(self._guardian.end)
            stack.callback(self._output.close)
            stack.callback(self._input.close)
            stack.callback(self._telegraphs.close)
