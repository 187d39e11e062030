"""This file is the reading desk: what runs in the process that opens files, between bounds that it can't move.

Where the system has such bounds, the process can neither write a file nor take more memory than a good file of that
size needs; where it has none (Windows), sizes are checked by the readers alone, and time by who waits.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from hardware.answer import receive_object, send, send_object
from hardware.choice import Choice
from hardware.formats import reader_of
from hardware.recording import Recording, RecordingError

__all__ = ["serve"]

_IDLE = 60.0  # [s], after which nobody is expected any more
_LIBRARIES = 2 << 30  # bytes of address space
_PER_BYTE = 100  # int16 to float64 by four, gzip by four, and some copies


def serve() -> None:
    """Answer for one file after the other, until the pipe ends or nobody asks any more."""
    answers = _sole_output()
    _bound_for_good()
    send_object(answers, {"ready": True})
    while True:
        idle = threading.Timer(_IDLE, os._exit, (0,))
        idle.daemon = True
        idle.start()
        try:
            question = receive_object(sys.stdin.buffer)
        except EOFError:
            return
        finally:
            idle.cancel()
        _bound_memory(question["size"])
        try:
            recording = _read(question)
            send(answers, recording)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's file causes is the file's fault
            send_object(answers, {"refusal": _sentence(error, question), "stumbled": _stumbled(error)})


def _read(question: Mapping[str, str]) -> Recording:
    path = Path(question["path"])
    return reader_of(path)(path, Choice(question["channel"], question["current_channel"]))


def _sentence(error: Exception, question: Mapping[str, str]) -> str:
    """Say why a file is refused, with nothing in it that a terminal would obey."""
    name = question["name"]
    if isinstance(error, RecordingError):
        said = str(error)
    elif isinstance(error, MemoryError):
        said = f"{name} asks for more memory than any file of its size needs: it is damaged, copy it again."
    else:
        said = f"{name} is damaged ({type(error).__name__}: {error}): copy it again from the rig."
    said = said.replace(question["path"], name)
    said = "".join(c if c.isprintable() else " " for c in said)
    return said if len(said) <= 1000 else f"{said[:900]} ... {said[-90:]}"


def _stumbled(error: Exception) -> bool:
    """Tell whether libhdf5 may have left something behind: a refusal by our own rules and Python's errors do not."""
    return "h5py" in sys.modules and (not isinstance(error, RecordingError) or error.__cause__ is not None)


def _sole_output() -> IO[bytes]:
    """Keep the pipe for the answers: what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _bound_for_good() -> None:
    """Give up what a reader never needs: writing, a core dump, and a part in the terminal's interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        import ctypes

        # No window that tells of a crash and waits for an answer.
        ctypes.windll.kernel32.SetErrorMode(0x0001 | 0x0002)
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _bound_memory(size: int) -> None:
    """Allow the memory that a file of this size can need."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _LIBRARIES + _PER_BYTE * size
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
