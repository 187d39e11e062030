"""This file is the serial stand: the firmware's own code, compiled for this computer, behind a pseudo-terminal."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

import hardware
from hardware.counts import Channel
from hardware.serial_rig import SerialRig
from rig_plugin.tasks.stand import Stand
from simulators.refusal import Refusal

__all__ = ["SerialStand"]

_MILLIVOLTS, _PICOAMPERES = 0.0078125, 0.0625


class SerialStand(Stand):
    """Two channels of 20 kHz; the device notes each change of its output by its own clock."""

    name, channels = "serial", 2

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._device: subprocess.Popen[str] | None = None
        self._port = ""
        self._told = 0

    def __enter__(self) -> Self:
        """Compile and start the device.

        Raises:
            Refusal: If there is no C compiler.
        """
        compiler = shutil.which("cc")
        firmware = Path(hardware.__file__).with_name("firmware")
        sources = [*firmware.glob("*.c"), *firmware.glob("computer/*.c")]
        if compiler is None or not sources:
            self._folder.cleanup()
            raise Refusal("The firmware could not be compiled for this computer: install a C compiler named cc.")
        program = Path(self._folder.name) / "computer"
        subprocess.run([compiler, "-std=c99", "-O2", *map(str, sources), "-lm", "-o", str(program)], check=True)
        words = [f"log={self._log}", f"mV={_MILLIVOLTS}", f"pA={_PICOAMPERES}"]
        self._device = subprocess.Popen([program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._device.stdout is not None:
            self._port = self._device.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        """End the device, which ends when nobody speaks to it."""
        if self._device is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._device.communicate(timeout=5.0)
            self._device.kill()
            self._device.wait()
        self._folder.cleanup()

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "log"

    def rig(self) -> SerialRig:
        """Give the driver.

        Returns:
            The rig, closed.
        """
        return SerialRig(self._port, Channel(0, _MILLIVOLTS), Channel(1, _PICOAMPERES), _PICOAMPERES)

    def pauses(self) -> npt.NDArray[np.float64]:
        """Tell how long the output was at the exit level between sweeps since this was asked last.

        Returns:
            Time from the last sample of each sweep to the first of the next [ms].
        """
        lines = [line.split() for line in self._log.read_text().splitlines()]
        new, self._told = lines[self._told :], len(lines)
        times, levels = (np.array([int(line[k]) for line in new]) for k in (0, 1))
        ended = np.flatnonzero(levels[:-1] == 0)
        return np.asarray((times[ended + 1] - times[ended]) / 1e3)
