"""This file is the exports: what somebody takes along of a session, its figures and its tables."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from rig_plugin.draws import draws
from rig_plugin.ledger import Ledger
from rig_plugin.trial import Trial
from rig_plugin.whole_file import write_whole
from rig_plugin.widgets.caption import Caption
from rig_plugin.widgets.features import Feature
from rig_plugin.widgets.figure import Figure, figure
from rig_plugin.widgets.file_dialog import choose
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["Exports"]

_SHARP, _COPIED = 3.0, 2.0
_KINDS = {
    "svg": "Figures as vectors (*.svg)",
    "png": "Figures as pixels (*.png)",
    "csv": "Tables (*.csv)",
}


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What became of a job: a sentence, whether it is good, and what goes to the clipboard."""

    said: str
    is_good: bool
    vectors: bytes = b""
    image: QtGui.QImage | None = None


class Exports(QtCore.QObject):
    """Saves and copies without keeping anything waiting: what can't be saved is a sentence.

    A figure shows what the panel shows when it is asked for, however long the dialog stays open then.

    Args:
        panels: Those whose menus ask for figures.
        source: Rig or file.
        network: As the checkpoint calls itself.
        parameters: The network's, in order.
        features: The network's, in order.
        folder: Where files are proposed at first.
        window: Over which the dialogs stand, and with which this goes.
    """

    told = Signal(str, str)
    escaped = Signal()
    _over = Signal(object)

    def __init__(
        self,
        panels: Iterable[Panel],
        source: str,
        network: str,
        parameters: Sequence[Parameter],
        features: Sequence[Feature],
        folder: Path,
        window: QtWidgets.QWidget,
    ) -> None:
        super().__init__(window)
        self._names, self._folder, self._window = (source, network), folder, window
        self._latest: Trial | None = None
        self._recording = ""
        self._threads: list[threading.Thread] = []
        self.ledger = Ledger(parameters, features)
        self._over.connect(self._settle)
        for panel in panels:
            panel.figure_asked.connect(lambda kind, panel=panel: self.take_figure(panel, kind))
            panel.escaped.connect(self.escaped)

    def take(self, *trials: Trial) -> None:
        """Keep what the tables need of trials.

        Args:
            trials: New ones only, oldest first.
        """
        for trial in trials:
            self.ledger.enter(trial)
            self._latest = trial

    def clear(self) -> None:
        """Forget all trials: another session begins."""
        self.ledger.clear()
        self._latest = None
        self._recording = ""

    def keep_in(self, recording: Path | None) -> None:
        """Be told which file the sweeps go to; captions name it.

        Args:
            recording: The file, or None.
        """
        self._recording = recording.name if recording is not None else ""

    def take_figure(self, panel: Panel, kind: str) -> None:
        """Save or copy a panel as it is.

        Args:
            panel: Which.
            kind: "svg", "png" or "copy".
        """
        made = figure(panel, self._caption(panel.heading))
        if kind == "copy":
            self._begin(partial(_copied, made, panel.heading))
            return
        self._ask(f"Save the figure of {panel.heading}", kind, panel.heading, partial(_drawn, made, kind))

    def save_table(self) -> None:
        """Ask where to, and save the trials so far as a table."""
        self._save_pieces("Save the table of trials", "trials", self.ledger.pieces)

    def save_draws(self) -> None:
        """Ask where to, and save the newest trial's draws as a table."""
        trial = self._latest
        if trial is None:
            self.told.emit("nothing to save before the first sweep is over", "text")
            return
        self._save_pieces(f"Save the draws of trial {trial.index}", "draws", partial(draws, trial))

    def finish(self) -> None:
        """Wait until everything that was asked for is written."""
        for thread in self._threads:
            thread.join()

    def _save_pieces(self, title: str, what: str, pieces: Callable[[], Iterable[bytes]]) -> None:
        try:
            # What there is now: the session goes on while the dialog is open.
            made = pieces()
        except Refusal as refusal:
            self.told.emit(str(refusal), "caution")
            return
        self._ask(title, "csv", what, lambda: made)

    def _ask(self, title: str, kind: str, what: str, make: Callable[[], Iterable[bytes]]) -> None:
        """Let a place be chosen, and write there."""
        trial = "" if self._latest is None else f"-trial-{self._latest.index}"
        stem = Path(self._recording).stem or self._names[0]
        name = f"{_plain(stem)}-{_plain(what)}{trial}.{kind}"
        dialog = choose(
            self._window, title, _KINDS[kind], partial(self._place, kind, make), wanted="new",
            proposed=self._folder / name,
        )  # fmt: skip
        dialog.setDefaultSuffix(kind)

    def _place(self, kind: str, make: Callable[[], Iterable[bytes]], path: Path) -> None:
        if path.suffix.lower() != f".{kind}":
            path = path.with_name(f"{path.name}.{kind}")
            if path.exists():
                self.told.emit(f"{path} is there already; choose it in the dialog to replace it", "caution")
                return
        self._folder = path.parent
        self._begin(partial(_written, path, make))

    def _begin(self, job: Callable[[], _Outcome]) -> None:
        # Not a daemon: a program that is closed now ends when the file is whole.
        thread = threading.Thread(target=self._run, args=(job,), name="save")
        self._threads.append(thread)
        thread.start()

    def _run(self, job: Callable[[], _Outcome]) -> None:
        try:
            outcome = job()
        except Refusal as refusal:
            outcome = _Outcome(str(refusal), False)
        except Exception as error:  # noqa: BLE001 - a defect here is a sentence, and the session goes on
            outcome = _Outcome(f"nothing was saved ({type(error).__name__}: {error}); the session goes on", False)
        # Without a window there is nobody left to be told; the file is there.
        with contextlib.suppress(RuntimeError):
            self._over.emit(outcome)

    def _settle(self, outcome: _Outcome) -> None:
        for thread in [each for each in self._threads if not each.is_alive()]:
            thread.join()
            self._threads.remove(thread)
        clipboard = QtWidgets.QApplication.clipboard()
        if outcome.image is not None and clipboard is not None:
            data = QtCore.QMimeData()
            data.setImageData(outcome.image)
            data.setData("image/svg+xml", QtCore.QByteArray(outcome.vectors))
            clipboard.setMimeData(data)
        self.told.emit(outcome.said, "text" if outcome.is_good else "caution")

    def _caption(self, heading: str) -> str:
        trial, now = self._latest, datetime.now().astimezone()
        sweep = None if trial is None else trial.sweep
        moment = sweep.start if sweep is not None and sweep.start is not None else now
        number = None if trial is None else trial.index
        return Caption(heading, *self._names, moment, number, self._recording).text


def _drawn(made: Figure, kind: str) -> list[bytes]:
    """Write a figure in the form that was asked for."""
    if kind == "svg":
        return [made.svg()]
    buffer = QtCore.QBuffer()
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    made.image(_SHARP).save(buffer, "PNG")
    return [bytes(buffer.data().data())]


def _copied(made: Figure, heading: str) -> _Outcome:
    return _Outcome(f"figure of {heading} copied", True, made.svg(), made.image(_COPIED))


def _written(path: Path, make: Callable[[], Iterable[bytes]]) -> _Outcome:
    size = write_whole(path, make())
    return _Outcome(f"{path.name} is written ({max(size // 1000, 1)} kB) in {path.parent}", True)


def _plain(words: str) -> str:
    """Leave what every file system takes in a name."""
    return re.sub(r"[^\w]+", "-", words.replace("–", "-")).strip("-")[:60] or "rig-plugin"
