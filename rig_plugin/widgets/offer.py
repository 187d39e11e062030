"""This file is the offer: when a recording is over, one press makes a file of it that every lab can read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Literal

from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets, Signal
from simulators.refusal import Refusal

__all__ = ["Offer", "Writing"]

Writing = Callable[[Literal["export", "recover"], Path, Path], Mapping[str, object]]
"""Writes an NWB file of a recording, and says what is in it: kind, recording, and the file to make."""


class Offer(Panel):
    """A line that is there when a recording is over and until it was answered; it blocks nothing.

    Args:
        writing: What is asked for; it is called in a thread of its own.
        parent: Owner, as in Qt.
    """

    written = Signal(str, bool)

    def __init__(self, writing: Writing, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._writing = writing
        self._thread: threading.Thread | None = None
        self._session: Path | None = None
        self._kind: Literal["export", "recover"] = "export"
        self._words = QtWidgets.QLabel("")
        self._words.setObjectName("plain")
        self._words.setWordWrap(True)
        self.accept = QtWidgets.QPushButton("")
        self.decline = QtWidgets.QPushButton("Leave it")
        self.decline.setToolTip("The recording stays as it is; the same can be had later at the command line.")
        self._body.setContentsMargins(10, 4, 10, 4)
        self._top.addWidget(self._words, 1)
        for button in (self.accept, self.decline):
            self._top.addWidget(button)
        self.accept.clicked.connect(self.take_up)
        self.decline.clicked.connect(self.withdraw)
        self.written.connect(self._tell)
        self.hide()
        self.wear(self.theme)

    @property
    def is_open(self) -> bool:
        """Whether an answer is awaited."""
        return self._session is not None and self._thread is None

    def propose(self, session: Path, *, is_whole: bool) -> None:
        """Offer what a recording can become.

        Args:
            session: The recording.
            is_whole: Whether it was closed in good order; otherwise it is recovered.
        """
        if self._thread is not None:
            return
        self._session, self._kind = session, "export" if is_whole else "recover"
        verb = "Export" if is_whole else "Recover"
        fate = "is closed" if is_whole else "was not closed: what reached the disk can be recovered"
        self._words.setText(f"{session.name} {fate}.")
        self._words.setToolTip(str(session))
        self.decline.setText("Leave it")
        self.accept.setText(f"{verb} to NWB (E)")
        self.accept.setToolTip(f"Makes {_new(session).name} beside the recording, which is never changed.")
        self._show_buttons(True)
        self.show()

    def take_up(self) -> None:
        """Begin to write, where something is offered."""
        session = self._session
        if session is None or self._thread is not None:
            return
        out = _new(session)
        self._words.setText(f"writing {out.name} beside {session.name} …")
        self._show_buttons(False)
        # Not a daemon: a program that is closed now ends when the file is whole.
        self._thread = threading.Thread(target=self._write, args=(self._kind, session, out), name="export")
        self._thread.start()

    def withdraw(self) -> None:
        """Take the line away, unless a file is being written."""
        if self._thread is None:
            self._session = None
            self.hide()

    def words(self) -> str:
        """Read the line as it stands on the screen; empty where there is none."""
        return "" if self.isHidden() else self._words.text()

    def _write(self, kind: Literal["export", "recover"], session: Path, out: Path) -> None:
        try:
            said, is_good = _summary(out, self._writing(kind, session, out)), True
        except Refusal as refusal:
            said, is_good = str(refusal), False
        except Exception as error:  # noqa: BLE001 - a defect of the export is a sentence here, and the recording is safe
            said, is_good = f"{out.name} could not be written ({error}). {session.name} is as it was.", False
        self.written.emit(said, is_good)

    def _tell(self, said: str, is_good: bool) -> None:
        if self._thread is not None:
            self._thread.join()
        self._thread = self._session = None
        self._words.setText(said if is_good else f"▲ {said}")
        self.decline.setText("Close")
        self.decline.setVisible(True)
        self.show()

    def _show_buttons(self, visible: bool) -> None:
        self.accept.setVisible(visible)
        self.decline.setVisible(visible)


def _new(session: Path) -> Path:
    """Name an NWB file beside a recording that is not there yet."""
    names = chain([session.with_suffix(".nwb")], (session.with_name(f"{session.stem}-{k}.nwb") for k in count(2)))
    return next(path for path in names if not path.exists())


def _summary(out: Path, found: Mapping[str, object]) -> str:
    """Say what a file holds, and what it lacks."""
    counted = (("sweeps", "sweep"), ("segments", "gap-free stretch"), ("marks", "mark"))
    parts = [_counted(found[key], noun) for key, noun in counted if found[key]] or ["nothing but what describes it"]
    told = f"{out.name} holds {', '.join(parts)}"
    losses = found["lost"]
    if isinstance(losses, list) and losses:
        first = losses[0]
        told += f"; {found['lost_samples']} samples are missing, first in {first['where']}: {first['reason']}"
    return told if told.endswith(".") else f"{told}."


def _counted(number: object, noun: str) -> str:
    """Write a number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('ch') else 's'}"
