"""This file is the refusal of NI-DAQmx: what its driver or server says, as a sentence with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hardware.rig import RigError

__all__ = ["OVERFLOWN", "OVERWRITTEN", "NidaqError", "code_of", "told"]

OVERWRITTEN = -200279
"""Samples were overwritten in the computer's buffer before they were read; the acquisition goes on."""
OVERFLOWN = (-200361, -200222, -200019)
"""The board's own memory ran over, or the acquisition stopped before it would: it has to be started anew."""

_GONE = "is not there any more: plug the board in again, wait until NI MAX shows it, and open the rig again"
_TAKEN = "is in use by another program or task: close that one, and open the rig again"
_RATE = "was refused: lower rate_kHz or read fewer channels"
_STARVED = "ran out of samples, because the computer was too slow to feed it: close other programs, or lower rate_kHz"
_REMEDIES = {
    OVERWRITTEN: "lost samples, because the program did not read them in time: close other programs, or lower rate_kHz",
    -200220: "is not known: use the name that NI MAX shows for the board",
    -200170: "has no such channel: use the names that NI MAX shows for the board's terminals",
    -201003: _GONE,
    -50405: _GONE,
    -50401: _GONE,
    -88709: _GONE,
    -88710: _GONE,
    -50103: _TAKEN,
    -200587: _TAKEN,
    -200284: "gave no samples in time: check that the board is powered and its sample clock is not taken elsewhere",
    -200077: _RATE,
    -200332: _RATE,
    -200290: _STARVED,
    -200018: _STARVED,
    -200016: _STARVED,
}
_INSTALL = "pip install 'rig-plugin[nidaq]'"


class NidaqError(RigError):
    """NI-DAQmx refused; the sentence names the board and the remedy.

    Args:
        message: The sentence.
        code: The driver's number for it, or None where there is none.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


def code_of(error: BaseException) -> int | None:
    """Give the driver's number for an error.

    Args:
        error: Any.

    Returns:
        The number, or None where it is not the driver's.
    """
    code = getattr(error, "error_code", None)
    return code if isinstance(code, int) else None


@contextmanager
def told(device: str, server: str | None) -> Iterator[None]:
    """Turn what the library raises within into a sentence.

    Args:
        device: Name of the board.
        server: Address of its server, or None.

    Yields:
        Nothing.

    Raises:
        NidaqError: In place of whatever the library raised.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise NidaqError(f"NI-DAQmx needs {error.name}, which is not installed: {_INSTALL}.") from error
    except Exception as error:
        if not (type(error).__module__.startswith("nidaqmx") or code_of(error) is not None):
            raise
        raise _sentence(error, device, server) from error


def _sentence(error: Exception, device: str, server: str | None) -> NidaqError:
    """Find the remedy for an error of the library."""
    code = code_of(error)
    if code is not None:
        where = f"{device} on {server}" if server else device
        remedy = _REMEDIES.get(code, "refused")
        return NidaqError(f"{where} {remedy} ({_first(error)}, NI-DAQmx {code}).", code)
    name = type(error).__name__
    if name in ("DaqNotFoundError", "DaqNotSupportedError"):
        return NidaqError(
            "NI-DAQmx is not installed on this computer: install NI's driver, or name an NI gRPC Device Server, "
            'server = "host:port".'
        )
    kind = getattr(getattr(error, "rpc_code", None), "name", name)
    reasons = {
        "UNAVAILABLE": "can't be reached: check that it runs, its address and port, and the network",
        "DEADLINE_EXCEEDED": "does not answer: restart it, and check the network",
        "UNIMPLEMENTED": "does not know what was asked: install a newer NI gRPC Device Server",
    }
    remedy = reasons.get(kind, f"failed ({_first(error)}): restart it")
    return NidaqError(f"The NI gRPC Device Server at {server} {remedy}.")


def _first(error: Exception) -> str:
    """Keep the first sentence of a message that goes over many lines."""
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
