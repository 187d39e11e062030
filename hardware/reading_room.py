"""This file is the reading room: the process in which files are opened, as the one who waits for it sees it.

It is a fresh interpreter and not a fork, so it is the same on every system and may be started from any thread or from a
process that may have no children by `multiprocessing`. It gets a path as JSON; it sends JSON and bare samples.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hardware.answer import Stumble, receive, receive_object, send_object
from hardware.choice import Choice
from hardware.recording import Recording, RecordingError

__all__ = ["ReadingRoom"]

_OPENING = 120.0  # [s], an interpreter and its libraries from a cold disk behind a virus scanner
_SHORTEST = 30.0  # [s]
_PER_BYTE = 1e-6  # [s], a hundred times what a slow disk takes
_DESK = "import sys; sys.path[:] = {path!r}; from hardware.reading_desk import serve; serve()"
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}


class ReadingRoom:
    """Opens files in a process of its own, which stays for the next one; a crash is a refusal.

    The process is let go where it crashed, took too long, or a library stumbled in it: what is left in its memory then
    must not come near the next recording.

    Args:
        patience: Longest time for a file [s]; None is 30 s and a second for each megabyte.
        is_forgiving: Whether the process stays although a library stumbled in it.
    """

    def __init__(self, patience: float | None = None, *, is_forgiving: bool = False) -> None:
        self._patience, self._is_forgiving = patience, is_forgiving
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def read(self, path: Path, choice: Choice) -> Recording:
        """Read one file.

        Args:
            path: A file that is there.
            choice: Which channels are read.

        Returns:
            The recording.

        Raises:
            RecordingError: If it is refused, crashes its reader, or takes longer than any good file.
        """
        size = path.stat().st_size
        question = {"path": str(path.absolute()), "name": str(path), "size": size, **asdict(choice)}
        with self._lock:
            try:
                if self._process is not None and self._owner == os.getpid():
                    try:
                        return self._ask(self._process, path, question)
                    except (EOFError, OSError):
                        # It may have gone after its last file, or because of it: a second one knows nothing of that.
                        self.forget()
                return self._afresh(path, question)
            except Stumble:
                if not self._is_forgiving:
                    self.forget()
                raise
            except RecordingError:
                raise
            except BaseException:
                self.forget()
                raise

    def forget(self) -> None:
        """Let the process go; the next file gets a new one."""
        process, self._process = self._process, None
        atexit.unregister(self.forget)
        # A copy that was forked from the owner must neither talk into its pipes nor end its process.
        if process is not None and self._owner == os.getpid():
            _ended(process)

    def _afresh(self, path: Path, question: Mapping[str, Any]) -> Recording:
        """Read a file in a new process, so that whatever goes wrong is the file's doing."""
        process = self._process = _opened()
        self._owner = os.getpid()
        atexit.register(self.forget)
        try:
            return self._ask(process, path, question)
        except (EOFError, OSError) as error:
            status = process.wait()
            self.forget()
            raise RecordingError(
                f"{path} crashes the library that reads it (status {status}): it is damaged, copy it again."
            ) from error

    def _ask(self, process: subprocess.Popen[bytes], path: Path, question: Mapping[str, Any]) -> Recording:
        """Ask a process for a file, and end it where it does not answer in time."""
        if process.stdin is None or process.stdout is None:
            raise OSError("the reading process has no pipes")
        patience = self._patience if self._patience is not None else _SHORTEST + _PER_BYTE * question["size"]
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(patience, end)
        clock.start()
        try:
            send_object(process.stdin, question)
            return receive(process.stdout, path)
        except (EOFError, OSError, ValueError, LookupError, TypeError) as error:
            if isinstance(error, RecordingError):
                raise
            if late.is_set():
                self.forget()
                raise RecordingError(
                    f"{path} was not read within {patience:g} s, longer than any good file takes: it is damaged, "
                    "copy it again from the rig."
                ) from error
            if isinstance(error, EOFError | OSError):
                raise
            self.forget()
            raise RecordingError(
                f"{path} gives no recording ({error}): it is damaged, copy it again from the rig."
            ) from error
        finally:
            clock.cancel()
            clock.join()


def _opened() -> subprocess.Popen[bytes]:
    """Start the process and wait until it is at its desk."""
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    heard = None if os.environ.get("RIG_PLUGIN_DEBUG", "") not in ("", "0") else subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, "-c", _DESK.format(path=sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=heard,
        env={**os.environ, **_QUIET},
        creationflags=flags,
    )
    clock = threading.Timer(_OPENING, process.kill)
    clock.start()
    try:
        if process.stdout is None:
            raise EOFError
        receive_object(process.stdout)
    except (EOFError, OSError, ValueError) as error:
        status = _ended(process)
        raise RecordingError(
            f"The process that reads files did not start (status {status}): close other programs and try again, or set "
            "RIG_PLUGIN_DEBUG=1 to see why."
        ) from error
    finally:
        clock.cancel()
        clock.join()
    return process


def _ended(process: subprocess.Popen[bytes]) -> int:
    """End a process, and let go of its pipes; gives its exit status."""
    process.kill()
    status = process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            # What was still to be sent to a process that has gone can't be.
            with contextlib.suppress(OSError):
                pipe.close()
    return status
