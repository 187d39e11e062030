"""This file is the dyClamp: a dynamic clamp on a Teensy, told its conductances over a serial line.

The board injects by itself, cycle by cycle; from here only its conductances and its calibration are set. It is
supervised only: it has no watchdog, so what is set stays set when this program, the cable or the computer dies.

References:
    Rickert (2019), dyClamp, https://doi.org/10.5281/zenodo.2824830. Desai, Gray and Johnston (2017), eNeuro 4(5),
    https://doi.org/10.1523/ENEURO.0250-17.2017.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Self

from hardware.dyclamp_frame import Deframer, Numbers, framed, numbers
from hardware.port import Port
from hardware.rig import RigError
from simulators.limits import Limits

__all__ = ["CALIBRATION", "CONDUCTANCES", "DyClamp", "DyClampError", "Report"]

CALIBRATION = (
    "amplifier_gain", "command_sensitivity", "input_slope", "input_offset", "output_slope", "output_offset",
    "voltage_offset",
)  # fmt: skip
"""[mV/mV], [pA/V], [mV], [mV], [1], [1], [mV], in the order of the board; slopes and offsets are of its converters."""
CONDUCTANCES = ("g_shunt", "g_H", "g_Na", "OU1_mean", "OU1_D", "OU2_mean", "OU2_D", "g_EPSC")
"""[nS], the D of the two noises [nS2/ms], in the order of the board."""

_PING, _DUMP, _TOGGLE = 0, 1, 2
_CODES = 4095.0
_PATIENCE = 0.5  # [s]; the board looks for a command every 20 ms
_QUIET = 0.15  # [s]
_LATE = 0.1  # [s]
_TRIES = 4
_LARGEST = 1000.0  # [nS]
_PLAUSIBLE = 200.0  # [mV]


class DyClampError(RigError):
    """A dyClamp did not do what it was told, or what it does is not known."""


@dataclass(frozen=True)
class Report:
    """How the dynamic clamp stood at one moment, to two decimals.

    Args:
        voltage: Of the membrane [mV].
        current: That it injects [pA].
        cycle: Length of its last cycle [us].
    """

    voltage: float
    current: float
    cycle: float


class DyClamp:
    """A board with the dyClamp sketch, version 1.0.

    The sketch counts conductances up from 1 and calibration down from -1, its description the other way round; which
    of the two a board does is found by reading it, since a conductance that is written as a calibration is a wrong
    current.

    Args:
        port: The line, closed.
        limits: Which current it may be able to inject at all.
        largest: Largest conductance that may be set [nS].
        patience: How long an answer may take [s].
        clock: Monotonic time [s].

    Raises:
        DyClampError: If the largest conductance is not positive and finite.
    """

    supervised_only = True
    """It has no watchdog: nobody stops it when nobody is there."""

    def __init__(
        self,
        port: Port,
        limits: Limits,
        largest: float = _LARGEST,
        patience: float = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (math.isfinite(largest) and largest > 0):
            raise DyClampError(f"The largest conductance is {largest} nS, a positive one was wanted.")
        self._port, self._limits, self._largest = port, limits, largest
        self._patience, self._clock = patience, clock
        self._deframer = Deframer()
        self._came: list[bytes] = []
        self._sign = 1
        self._calibration: dict[str, float] = {}
        self._conductances: dict[str, float] = {}
        self._is_open = self._reporting = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def calibration(self) -> Mapping[str, float]:
        """What the board said last, by the names in `CALIBRATION`."""
        return MappingProxyType(self._calibration)

    @property
    def conductances(self) -> Mapping[str, float]:
        """What the board said last, by the names in `CONDUCTANCES`."""
        return MappingProxyType(self._conductances)

    @property
    def current_range(self) -> tuple[float, float]:
        """The smallest and largest current that its converter can give, by its calibration [pA]."""
        scale, middle = self._calibration["output_slope"], self._calibration["output_offset"]
        if not scale:
            raise DyClampError("The dyClamp's output_slope is 0, another was wanted: calibrate the board.")
        ends = [(code - middle) * self._calibration["command_sensitivity"] / scale for code in (0.0, _CODES)]
        return min(ends), max(ends)

    def open(self) -> None:
        """Find the board, read it back, and set every conductance to zero; a second time does nothing.

        Raises:
            PortError: If the port can't be opened.
            DyClampError: If no dyClamp answers, or it could inject more than the limits.
        """
        if self._is_open:
            return
        self._port.open()
        try:
            self._reporting = self._reports_already()
            if self._reporting:
                self._toggle()
                self._settle()
            self._command(_PING)
            self._read_back()
            self._zero()
            self._check_range()
        except BaseException:
            self._port.close()
            raise
        self._is_open = True

    def close(self) -> None:
        """Set every conductance to zero, see that it is, and let go; a second time does nothing.

        Raises:
            DyClampError: If the board could not be told.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._zero()
        finally:
            self._port.close()

    def zero(self) -> None:
        """Set every conductance to zero and see that it is; those that are not zero come first, 20 ms each.

        Raises:
            DyClampError: If the board could not be told.
        """
        self._check_open()
        self._zero()

    def set(self, name: str, conductance: float) -> None:
        """Set one conductance, and see that the board has this one as it was said and all else as before.

        Args:
            name: One of `CONDUCTANCES`.
            conductance: To two decimals [nS]; the sketch takes away none, so it is not negative.

        Raises:
            DyClampError: If it may not be set, or the board did not do it: then all are zero, or it could not be told.
        """
        self._check_open()
        if name not in CONDUCTANCES:
            raise DyClampError(f"The dyClamp has no conductance '{name}': it has {', '.join(CONDUCTANCES)}.")
        if not (math.isfinite(conductance) and 0 <= conductance <= self._largest):
            raise DyClampError(
                f"{name} is {conductance} nS, 0 to {self._largest:g} nS were wanted: this sketch adds conductances and "
                "can't take any away."
            )
        self._check_range()
        wanted = {**self._conductances, name: _rounded(conductance)}
        self._change(self._sign * (CONDUCTANCES.index(name) + 1), conductance, wanted, self._calibration)

    def calibrate(self, name: str, value: float) -> None:
        """Set one number of the calibration while every conductance is zero, and see that the board has it.

        Args:
            name: One of `CALIBRATION`.
            value: To two decimals.

        Raises:
            DyClampError: If it may not be set, or the board did not do it, or could now inject more than the limits.
        """
        self._check_open()
        if name not in CALIBRATION:
            raise DyClampError(f"The dyClamp has no calibration '{name}': it has {', '.join(CALIBRATION)}.")
        if not (math.isfinite(value) and abs(value) < 1e5):
            raise DyClampError(f"{name} is {value}, a number below 100,000 was wanted.")
        if any(self._conductances.values()):
            raise DyClampError("The dyClamp injects: set every conductance to zero before it is calibrated.")
        wanted = {**self._calibration, name: _rounded(value)}
        self._change(-self._sign * (CALIBRATION.index(name) + 1), value, self._conductances, wanted)
        self._check_range()

    def reports(self, patience: float) -> list[Report]:
        """Take what the board has reported since the last call; the first call switches its reports on.

        Args:
            patience: How long to wait for the first [s].

        Returns:
            The reports in order; those that no membrane can have are left out.

        Raises:
            DyClampError: If it does not answer.
            PortLost: If it is gone.
        """
        self._check_open()
        if not (self._reporting or self._reports_already()):
            self._toggle()
        self._reporting = True
        end = self._clock() + patience
        told: list[Numbers] = []
        while not told and (rest := end - self._clock()) > 0:
            self._take(rest)
            came, self._came = self._came, []
            told = [numbers(content) for content in came if content.count(b"\t") == 2]
        return [Report(*each) for each in told if abs(each[0]) <= _PLAUSIBLE]

    def _change(
        self, index: int, value: float, conductances: Mapping[str, float], calibration: Mapping[str, float]
    ) -> None:
        """Write one number and read all back; in doubt everything is set to zero."""
        try:
            self._send(framed(index, value))
            self._read_back()
            if self._conductances == conductances and self._calibration == calibration:
                return
            reason = "it has other values than it was told"
        except RigError as error:
            reason = str(error).rstrip(".")
        self._zero(is_doubtful=True)
        raise DyClampError(f"The dyClamp did not do as it was told ({reason}): all its conductances are zero now.")

    def _zero(self, *, is_doubtful: bool = False) -> None:
        """Write zeros until the board says that all are."""
        reason = ""
        for _ in range(_TRIES):
            # Those that may be more than zero, or of which nothing is known, come first.
            names = sorted(CONDUCTANCES, key=lambda name: not self._conductances.get(name, 1.0))
            zeros = [framed(self._sign * (CONDUCTANCES.index(name) + 1), 0.0) for name in names]
            try:
                if is_doubtful or reason:
                    # First of all they are said; a line feed ends what the board may have heard of something else.
                    self._port.write(b"\n" + b"".join(zeros))
                    self._settle()
                for zero in zeros:
                    self._send(zero)
                self._read_back()
                if not any(self._conductances.values()):
                    return
                reason = "it still has conductances"
            except RigError as error:
                reason = str(error).rstrip(".")
        raise DyClampError(
            f"The dyClamp could not be told to inject nothing ({reason}): switch the amplifier's external command off "
            "now, and unplug the board."
        )

    def _settle(self) -> None:
        """Wait until nothing more comes of what was said before, and forget it."""
        end = self._clock() + self._patience
        while self._clock() < end and self._port.read(_LATE):
            continue
        self._came.clear()
        self._deframer = Deframer()

    def _read_back(self) -> None:
        """Ask for all numbers, and find out which sign the board gives to which."""
        self._came.clear()
        self._send(framed(0, command=_DUMP))
        wanted = len(CALIBRATION) + len(CONDUCTANCES)
        end = self._clock() + self._patience
        found: dict[int, float] = {}
        while len(found) < wanted:
            for content in self._pairs(end):
                index, value = numbers(content)
                if int(index) in found or index != int(index):
                    raise DyClampError(f"The dyClamp said twice what its number {index:g} is.")
                found[int(index)] = value
        up, down = sum(index > 0 for index in found), sum(index < 0 for index in found)
        if {up, down} != {len(CALIBRATION), len(CONDUCTANCES)} or set(found) != {*range(-down, 0), *range(1, up + 1)}:
            raise DyClampError(
                f"The board has numbers {min(found)} to {max(found)}; {len(CALIBRATION)} of calibration and "
                f"{len(CONDUCTANCES)} conductances were wanted: load version 1.0 of the dyClamp sketch."
            )
        self._sign = 1 if up == len(CONDUCTANCES) else -1
        self._conductances = {name: found[self._sign * (k + 1)] for k, name in enumerate(CONDUCTANCES)}
        self._calibration = {name: found[-self._sign * (k + 1)] for k, name in enumerate(CALIBRATION)}

    def _pairs(self, end: float) -> list[bytes]:
        """Wait for frames with two numbers."""
        while not self._came:
            self._wait(end, "did not say all its numbers")
        came, self._came = self._came, []
        return [content for content in came if content.count(b"\t") == 1]

    def _command(self, command: int) -> None:
        self._send(framed(0, command=command))

    def _toggle(self) -> None:
        """Switch the reports on or off."""
        self._command(_TOGGLE)
        self._reporting = not self._reporting
        self._came.clear()

    def _send(self, frame: bytes) -> None:
        """Send a frame and wait for its echo, which has to be the same."""
        self._port.write(frame)
        end = self._clock() + self._patience
        while True:
            while self._came:
                content = self._came.pop(0)
                if content == frame[1:-1]:
                    return
                if content.count(b"\t") == 1:
                    raise DyClampError(
                        f"The dyClamp heard '{_shown(content)}' where '{_shown(frame[1:-1])}' was said: check the "
                        "cable."
                    )
            self._wait(end, f"did not answer to '{_shown(frame[1:-1])}'")

    def _wait(self, end: float, what: str) -> None:
        """Wait for frames, until the patience ends."""
        rest = end - self._clock()
        if rest <= 0:
            raise DyClampError(
                f"The dyClamp at {self._port.name} {what} within {self._patience:g} s: check the port, the cable and "
                "that the board runs the sketch."
            )
        self._take(rest)

    def _take(self, patience: float) -> None:
        self._came += self._deframer.feed(self._port.read(patience))

    def _reports_already(self) -> bool:
        """Listen whether the board still reports to somebody who has gone."""
        end = self._clock() + _QUIET
        while (rest := end - self._clock()) > 0:
            self._take(rest)
            if any(content.count(b"\t") == 2 for content in self._came):
                return True
        self._came.clear()
        return False

    def _check_range(self) -> None:
        low, high = self.current_range
        if low < self._limits.low or high > self._limits.high:
            raise DyClampError(
                f"The dyClamp can inject {low:.0f} to {high:.0f} pA by its calibration, beyond the limits "
                f"[{self._limits.low:g}, {self._limits.high:g}] pA: lower the amplifier's command sensitivity and "
                "calibrate, or raise the limits."
            )

    def _check_open(self) -> None:
        if not self._is_open:
            raise DyClampError("The dyClamp is closed: open it first.")


def _rounded(value: float) -> float:
    """Give a number as it comes back: through the board's single precision and two decimals."""
    single: float = struct.unpack("<f", struct.pack("<f", float(f"{value:.2f}")))[0]
    return float(f"{single:.2f}")


def _shown(content: bytes) -> str:
    return content.decode("ascii", "replace").replace("\t", " ")
