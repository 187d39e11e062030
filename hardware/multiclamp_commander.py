"""This file is the MultiClamp Commander as a library: AxMultiClampMsg.dll, which answers what the telegraph leaves out.

References:
    Axon Instruments (2004), interface definition of AxMultiClampMsg.dll (AxMultiClampMsg.h, API 1.0.0.7): functions,
    error codes; values are in SI units.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any, Protocol

from hardware.amplifier import AmplifierError, Setting
from hardware.multiclamp_telegraph import HeadstageId
from simulators.stimulus import Clamp

__all__ = ["Commander", "Library", "library"]

_NO_ERROR = 6000
_HARDWARE_700A, _HARDWARE_700B = 0, 1
_SERIAL, _TEXT = 16, 256
_MOST = 64


class Library(Protocol):
    """The functions of the library, by their names; each takes a handle first and where to put an error last."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a library has no types
        """Give the function of that name."""


class Commander:
    """Asks a running MultiClamp Commander through its library; it sets nothing.

    Args:
        functions: The library.
        headstage: Which headstage is asked.
    """

    def __init__(self, functions: Library, headstage: HeadstageId) -> None:
        self._functions, self._headstage = functions, headstage
        self._handle: int | None = None

    def open(self) -> None:
        """Find the Commander and the headstage; a second time does nothing.

        Raises:
            AmplifierError: If no Commander runs, or it has no such headstage.
        """
        if self._handle is not None:
            return
        error = ctypes.c_int(_NO_ERROR)
        # A handle is a pointer, which the default of an int would cut in half.
        create = self._functions.MCCMSG_CreateObject
        create.restype = ctypes.c_void_p
        handle = create(ctypes.pointer(error))
        if not handle:
            raise AmplifierError(f"The MultiClamp Commander's library can't be used (error {error.value}).")
        self._handle = handle
        try:
            self._select()
        except AmplifierError as refused:
            self.close()
            raise AmplifierError(
                f"No MultiClamp Commander answers for {self._headstage} ({refused}): start it, and check the channel "
                "and the serial number."
            ) from refused

    def close(self) -> None:
        """Let go of the library; a second time does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._functions.MCCMSG_DestroyObject(ctypes.c_void_p(handle))

    def settings(self, clamp: Clamp) -> dict[str, Setting[float]]:
        """Ask for bridge, holding and neutralization.

        Args:
            clamp: That the headstage is in, which decides what there is to ask.

        Returns:
            {"bridge" [MOhm], "holding" [pA or mV], "neutralization" [pF]}, 0 for what is switched off; what the clamp
            does not have is left out.

        Raises:
            AmplifierError: If the Commander does not answer, or is in another mode.
        """
        mode = ctypes.c_uint(0)
        self._call("GetMode", ctypes.pointer(mode))
        if mode.value != {"voltage": 0, "current": 1}[clamp]:
            raise AmplifierError(
                f"The MultiClamp's mode changed while it was read ({mode.value} instead of {clamp} clamp): read it "
                "again."
            )
        holding = self._enabled("Holding", "Holding") * (1e3 if clamp == "voltage" else 1e12)
        if clamp == "voltage":
            return {"holding": Setting(holding, "commander")}
        return {
            "holding": Setting(holding, "commander"),
            "bridge": Setting(self._enabled("BridgeBal", "BridgeBalResist") / 1e6, "commander"),
            "neutralization": Setting(self._enabled("Neutralization", "NeutralizationCap") * 1e12, "commander"),
        }

    def _select(self) -> None:
        """Go through all headstages that the Commanders have, and select ours as they write it."""
        numbers = [ctypes.c_uint(0) for _ in range(4)]
        model, port, bus, channel = numbers
        serial = ctypes.create_string_buffer(_SERIAL)
        places = [ctypes.pointer(number) for number in (port, bus, channel)]
        self._call("FindFirstMultiClamp", ctypes.pointer(model), serial, ctypes.c_uint(_SERIAL), *places)
        for _ in range(_MOST):
            if model.value == _HARDWARE_700A:
                found = HeadstageId(channel.value, None, port.value, bus.value)
            else:
                written = serial.value.strip()
                found = HeadstageId(channel.value, int(written) if written.isdigit() else 0)
            if found.packed == self._headstage.packed and model.value in (_HARDWARE_700A, _HARDWARE_700B):
                self._call("SelectMultiClamp", model, serial, port, bus, channel)
                return
            self._call("FindNextMultiClamp", ctypes.pointer(model), serial, ctypes.c_uint(_SERIAL), *places)
        raise AmplifierError(f"it is not among the first {_MOST} headstages")

    def _enabled(self, switch: str, name: str) -> float:
        """Ask for a value, 0 where its switch is off."""
        on, value = ctypes.c_int(0), ctypes.c_double(0.0)
        self._call(f"Get{switch}Enable", ctypes.pointer(on))
        if not on.value:
            return 0.0
        self._call(f"Get{name}", ctypes.pointer(value))
        return value.value

    def _call(self, name: str, *arguments: object) -> None:
        """Call one function; it answers 0 where it failed."""
        if self._handle is None:
            raise AmplifierError("The MultiClamp Commander's library is closed: open the amplifier first.")
        error = ctypes.c_int(_NO_ERROR)
        handle = ctypes.c_void_p(self._handle)
        if not getattr(self._functions, f"MCCMSG_{name}")(handle, *arguments, ctypes.pointer(error)):
            said = ctypes.create_string_buffer(_TEXT)
            self._functions.MCCMSG_BuildErrorText(handle, error, said, ctypes.c_uint(_TEXT))
            text = said.value.decode("ascii", "replace").strip() or "no words"
            raise AmplifierError(f"The MultiClamp Commander failed at {name}: error {error.value}, {text}.")


def library(path: Path | None = None) -> Library:
    """Load the library.

    Args:
        path: Where AxMultiClampMsg.dll lies; None looks where Windows does.

    Returns:
        Its functions.

    Raises:
        AmplifierError: If this is not Windows, or the library is not there or made for another kind of Python.
    """
    if sys.platform == "win32":
        try:
            return ctypes.WinDLL(str(path or "AxMultiClampMsg.dll"))
        except OSError as error:
            raise AmplifierError(
                f"AxMultiClampMsg.dll can't be loaded ({error}): it comes with the MultiClamp Commander; name its "
                "path, and take a Python of as many bits (32 or 64)."
            ) from error
    raise AmplifierError(
        "The MultiClamp Commander runs on Windows only and this is another system: enter the settings by hand."
    )
