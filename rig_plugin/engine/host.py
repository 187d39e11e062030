"""This file is the host: what runs in the engine's process, and ends in good order however the window ends.

Started with "spawn", which every platform has. It owns the rig and the file; a pipe that ends means that the window is
gone: the running sweep is finished, the cell returned to its exit state, and the file closed.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, Union, runtime_checkable

from hardware.last_word import FOLDER
from rig_plugin.engine.letter import drug_of, open_letter, protocol_of
from rig_plugin.engine.opened import load
from rig_plugin.engine.outbox import Outbox
from rig_plugin.engine.shared import Shared
from simulators.refusal import Refusal

if TYPE_CHECKING:
    from rig_plugin.audience import Listener
    from rig_plugin.patching import Patching
    from rig_plugin.protocol_settings import ProtocolSettings
    from rig_plugin.refiner import Refiner
    from rig_plugin.session import Session
    from rig_plugin.stages import DrugStage

__all__ = ["Opener", "host"]

_LOG = logging.getLogger("rig_plugin")
_NOTHING: Mapping[str, Any] = MappingProxyType({})

Opener = Callable[["Listener"], Union["Session", "Patching"]]
"""Opens a session, or the tests that come before one, that tells a listener; importable by name, or a
`functools.partial` of such with plain arguments. Those of a rig take besides, by its name, another `protocol`."""


def host(opener: Opener, name: str, pipe: Connection, words: Path) -> None:
    """Run sessions until the window is gone.

    Args:
        opener: Opens a session.
        name: Of the memory that is shared with the window.
        pipe: To the window.
        words: Folder in which guardians of the output leave word for the window.
    """
    os.environ[FOLDER] = str(words)
    # An interrupt from the keyboard reaches both processes; the window ends by it, and the engine by the window's end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shared = Shared(name)
    outbox = Outbox(shared, pipe)
    try:
        with closing(_Desk(opener, outbox)) as desk:
            # As a rule the window takes as long to be built: what it asks meanwhile waits on the pipe.
            load(opener)
            while True:
                try:
                    letter = open_letter(pipe.recv_bytes())
                except (EOFError, OSError):
                    return
                desk.do(**letter)
    finally:
        outbox.close()
        pipe.close()
        shared.close()
        with contextlib.suppress(OSError):
            # A window that was killed can't; where there is a word in it, it stays.
            words.rmdir()


@runtime_checkable
class Gives(Protocol):
    """A session in which a virtual drug can be given."""

    def give(self, stage: DrugStage) -> None:
        """Give it when the sweep that is played or waits is over."""


class _Desk:
    """The one session at a time, and what the window asks of it."""

    def __init__(self, opener: Opener, outbox: Outbox) -> None:
        self._outbox = outbox
        self._opener: Callable[..., Session | Patching] = opener
        self._changed: dict[str, ProtocolSettings] = {}
        self._session: Session | Patching | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._names: tuple[str, ...] = ()
        self._refiner: Refiner | None = None
        self._mode = ""
        self._wish: tuple[bool, Path | None] | None = None

    def do(
        self,
        event: str,
        text: str = "",
        on: str = "",
        folder: str = "",
        names: Sequence[str] = (),
        protocol: Mapping[str, Any] = _NOTHING,
        drug: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Do what a letter asks; one that asks for what there is not is logged."""
        known: dict[str, Callable[[], None]] = {
            "start": self._start,
            "stop": self._stop,
            "note": self._note,
            "mark": partial(self._mark, text),
            "record": partial(self._record, on == "on", Path(folder) if folder else None),
            "look": partial(self._look, names),
            "gate": partial(self._gate, text),
            "go": self._go,
            "skip": self._skip,
            "play": partial(self._play, protocol),
            "give": partial(self._give, drug),
            "refine": self._refine,
        }
        if event not in known:
            _LOG.error("The window asked for '%s', which the engine does not know.", event)
            return
        known[event]()

    def close(self) -> None:
        """Let the running sweep end and wait until all is in its place."""
        session = self._session
        if session is not None:
            session.end()
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._refine_no_more()

    def _start(self) -> None:
        if self._thread is not None:
            if not self._outbox.is_over:
                return
            # The window knows that the last session is over before its thread does.
            self._thread.join()
        self._refine_no_more()
        self._outbox.is_over = False
        self._stopping.clear()
        self._wish = None
        self._thread = threading.Thread(target=self._run, name="session")
        self._thread.start()

    def _stop(self) -> None:
        # One that is still being opened ends before its first sweep.
        self._stopping.set()
        if (session := self._session) is not None:
            session.stop()

    def _note(self) -> None:
        if (session := self._session) is not None:
            session.note()

    def _mark(self, text: str) -> None:
        if (session := self._session) is not None:
            session.mark(text)

    def _record(self, on: bool, folder: Path | None) -> None:
        # One that is still being opened is told when it is.
        self._wish = (on, folder)
        if (session := self._session) is not None:
            session.record(on, folder)

    def _look(self, names: Sequence[str]) -> None:
        # A session that is opened later is told the same.
        self._names = tuple(names)
        if (session := self._session) is not None:
            self._turn(session)

    def _turn(self, session: Session | Patching) -> None:
        try:
            session.look(self._names)
        except Refusal as refusal:
            _LOG.warning("%s", refusal)

    def _gate(self, mode: str) -> None:
        # A session that is opened later is told the same.
        self._mode = mode
        if (session := self._session) is not None:
            self._stand(session)

    def _stand(self, session: Session | Patching) -> None:
        try:
            session.gate(self._mode)
        except Refusal as refusal:
            _LOG.warning("%s", refusal)

    def _play(self, protocol: Mapping[str, Any]) -> None:
        # A session that is opened later plays it.
        self._changed = {"protocol": protocol_of(protocol)}

    def _give(self, drug: Mapping[str, Any]) -> None:
        session = self._session
        if isinstance(session, Gives):
            session.give(drug_of(drug))
        else:
            _LOG.warning("A virtual drug was asked for where none can be given: start a session on a rig.")

    def _go(self) -> None:
        if (session := self._session) is not None:
            session.go()

    def _skip(self) -> None:
        if (session := self._session) is not None:
            session.skip()

    def _refine(self) -> None:
        # The last cell can be refined when its session is over.
        if self._refiner is not None:
            self._refiner.ask()

    def _refine_no_more(self) -> None:
        refiner, self._refiner = self._refiner, None
        if refiner is not None:
            refiner.close()

    def _run(self) -> None:
        # Nothing that is loaded now is garbage, and looking for some takes a tenth of the time.
        gc.disable()
        try:
            session = self._session = self._opener(self._outbox, **self._changed)
        except Refusal as refusal:
            self._outbox.ended(str(refusal))
            return
        except Exception as error:  # noqa: BLE001 - a defect ends the session, not the engine
            _LOG.exception("The session could not be opened.")
            self._outbox.ended(str(error))
            return
        finally:
            gc.enable()
        try:
            self._refiner = getattr(session, "refiner", None)
            if self._names:
                self._turn(session)
            if self._mode:
                self._stand(session)
            if self._stopping.is_set():
                session.stop()
            if self._wish is not None:
                session.record(*self._wish)
            session.run()
        except Refusal:
            # The session has told why.
            return
        except Exception:  # noqa: BLE001 - as above
            _LOG.exception("The session failed.")
        finally:
            self._session = None
            self._outbox.is_over = True
