"""This file is the guardian: a process beside the engine that returns the output when the engine dies or falls silent.

A board keeps its last value when the program that wrote it is killed. No code of that program can mend this, so that
another process does: it hears a heartbeat through a pipe, and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from hardware.guardian_process import ACT, BEAT, END, READY, REST
from hardware.rig import RigError

__all__ = ["Guardian"]

_ROOT = Path(__file__).resolve().parents[1]
_OFTEN = 0.05
_PATIENCE = 20.0


class Guardian:
    """The engine's end of the heartbeat.

    It is a plain child process, never forked: `sys.executable` runs `hardware.guardian_process` anew, in a session of
    its own, so that neither an interrupt from the keyboard nor the death of the engine's group reaches it.

    Args:
        exit_: What returns the output, "module:Class", a `guardian_process.Exit`.
        arguments: Of that class, as JSON takes them.
        silence: Longest time between two beats while the output may be anywhere [s].
    """

    def __init__(self, exit_: str, arguments: Mapping[str, object], silence: float = 1.0) -> None:
        self._asked = json.dumps({"exit": exit_, "arguments": dict(arguments), "silence": silence})
        self._process: subprocess.Popen[bytes] | None = None
        self._beaten = -1.0
        self._returned, self._sentence = False, "The guardian is not there."

    @property
    def pid(self) -> int | None:
        """Number of the process, or None where there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin to start the process; `wait` when it has to be there."""
        self._beaten, self._returned = -1.0, False
        path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hardware.guardian_process", self._asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def wait(self) -> None:
        """Wait until it guards.

        Raises:
            RigError: If it could not be started.
        """
        process = self._process
        said = process.stdout.readline() if process is not None and process.stdout is not None else b""
        if said != READY:
            self.end()
            raise RigError(
                "The guardian, which returns the output should this program die, could not be started: what it lacks "
                "stands above; nothing is put out without it."
            )
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, AttributeError):
                # A guardian that hangs must not make the engine wait; on Windows a full pipe takes hours of beats.
                os.set_blocking(process.stdin.fileno(), False)

    def beat(self) -> None:
        """Say that the engine lives and the output may be anywhere.

        Raises:
            RigError: If the guardian is gone, with what it has done before.
        """
        now = time.monotonic()
        if self._beaten < 0 or now - self._beaten >= _OFTEN:
            self._beaten = now
            if not self._send(BEAT):
                raise RigError(f"{self._report()} Open the rig again.")

    def rest(self) -> None:
        """Say that the output is at its exit level."""
        self._beaten = -1.0
        self._send(REST)

    def act(self) -> tuple[bool, str]:
        """Let it return the output now; it ends with that.

        Returns:
            Whether it succeeded, and a sentence that says so.
        """
        self._send(ACT)
        sentence = self._report()
        return self._returned, sentence

    def end(self) -> None:
        """Let it end, all being well; a second time does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        with process:
            with contextlib.suppress(OSError):
                os.write(process.stdin.fileno(), END) if process.stdin else None
            try:
                process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _send(self, byte: bytes) -> bool:
        """Write one byte; False where nobody is there to read it."""
        process = self._process
        if process is None or process.stdin is None or process.poll() is not None:
            return False
        try:
            os.write(process.stdin.fileno(), byte)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def _report(self) -> str:
        """Wait for its last words, or remember them, and give them as a sentence."""
        process, self._process = self._process, None
        if process is None:
            return self._sentence
        with process:
            try:
                said, _ = process.communicate(timeout=_PATIENCE)
                told = json.loads(said)
                self._returned, self._sentence = bool(told["returned"]), str(told["sentence"])
            except (subprocess.TimeoutExpired, ValueError, LookupError):
                process.kill()
                self._sentence = "The guardian died before it could say what it did."
        return self._sentence
