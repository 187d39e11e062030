"""This file is the pretraining run: `rig-plugin pretrain` in a process of its own, as a window follows and ends it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rig_plugin.widgets.qt import QtCore, Signal

__all__ = ["PretrainingRun", "Progress", "arguments"]

_PATIENCE = 2_000


@dataclass(frozen=True)
class Progress:
    """How far it is.

    Args:
        stage: What is being done.
        share: Of this stage, 0 to 1; None where it is not told.
        left: Time left in this stage [s], or None.
        held_out: Log probability of cells that were held out, or None.
        epoch: To which that belongs, counted from the training's first, or None.
    """

    stage: str
    share: float | None
    left: float | None
    held_out: float | None
    epoch: int | None = None


def arguments(spec: Path, out: Path, workers: int) -> list[str]:
    """Write what has to be typed for it.

    Args:
        spec: What for.
        out: The checkpoint.
        workers: Processes that simulate.

    Returns:
        After the name of Python.
    """
    return ["-m", "rig_plugin", "pretrain", str(spec), "--out", str(out), "--workers", str(workers), "--json"]


class PretrainingRun(QtCore.QObject):
    """One run at a time. What is ended can be gone on with: the same spec and the same place take it up.

    Args:
        command: What is run, for a spec, a place and a number of workers; another one for tests.
        parent: Owner, as in Qt.
    """

    progressed = Signal(object)
    ended = Signal(str, bool)

    def __init__(self, command: Sequence[str] = (), parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._process: QtCore.QProcess | None = None
        self._is_cancelled = False
        self._since: tuple[str, float, float] = ("", 0.0, 0.0)
        self.out: Path | None = None

    @property
    def is_running(self) -> bool:
        """Whether a network is being made."""
        return self._process is not None

    def start(self, spec: Path, out: Path, workers: int) -> None:
        """Begin, or go on where the same was ended before.

        Args:
            spec: What for.
            out: The checkpoint.
            workers: Processes that simulate.
        """
        if self.is_running:
            return
        self.out, self._is_cancelled = out, False
        self._since = ("", 0.0, 0.0)
        process = self._process = QtCore.QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        environment = QtCore.QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        process.setProcessEnvironment(environment)
        program, *words = [*self._command, str(spec), str(out)] if self._command else [
            sys.executable, *arguments(spec, out, workers)
        ]  # fmt: skip
        process.start(program, words)

    def cancel(self) -> None:
        """End it; what was made so far is kept beside the checkpoint's place."""
        if self._process is not None:
            self._is_cancelled = True
            # Windows asks windows to close, of which this process has none. What it keeps is whole at any moment.
            if sys.platform == "win32":
                self._process.kill()
            else:
                self._process.terminate()

    def close(self) -> None:
        """End it and wait for that, as the window closes."""
        process = self._process
        if process is None:
            return
        self.cancel()
        if not process.waitForFinished(_PATIENCE):
            process.kill()
            process.waitForFinished(_PATIENCE)

    def _read(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            told = _progress(bytes(process.readLine()))
            if told is not None:
                self.progressed.emit(self._timed(*told))

    def _timed(self, progress: Progress, seconds: float | None) -> Progress:
        """Estimate the time left by what was done since this run began: what an earlier one did took it no time."""
        if progress.left is not None or progress.share is None or seconds is None:
            return progress
        if self._since[0] != progress.stage:
            self._since = (progress.stage, progress.share, seconds)
        _, share, begun = self._since
        if progress.share <= share or seconds <= begun:
            return progress
        return replace(progress, left=(seconds - begun) * (1.0 - progress.share) / (progress.share - share))

    def _fail(self, error: object) -> None:
        if error == QtCore.QProcess.ProcessError.FailedToStart:
            self._end("The process could not be started: is Python where it was when this program began?", False)

    def _finish(self, code: int, _: object) -> None:
        process = self._process
        if process is None:
            return
        self._read()
        said = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
        if self._is_cancelled:
            self._end("Ended; begun again with the same spec and place it goes on from there.", False)
        elif code == 0 and self.out is not None:
            self._end(f"{self.out.name} is made.", True)
        else:
            self._end(said[-1] if said else f"It ended with status {code}: try it at the command line.", False)

    def _end(self, said: str, is_made: bool) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self.ended.emit(said, is_made)


def _progress(line: bytes) -> tuple[Progress, float | None] | None:
    """Read one line, with the time since the run began [s]; what is none of progress tells nothing."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("event") != "progress":
        return None
    done, whole = _number(told.get("epoch", told.get("cells"))), _number(told.get("of"))
    share = min(done / whole, 1.0) if done is not None and whole else None
    is_training = told.get("stage") == "train"
    progress = Progress(
        str(told.get("stage", "")),
        share,
        _number(told.get("seconds_left")),
        _number(told.get("held_out_log_prob")) if is_training else None,
        round(done) if is_training and done is not None else None,
    )
    return progress, _number(told.get("seconds"))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
