"""This file is the export process: the export apart from this one, since a damaged file can crash or hold HDF5."""

from __future__ import annotations

import json
import os
import signal
import threading
import traceback
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from rig_plugin.quiet import is_debugging, quiet
from simulators.refusal import Refusal

__all__ = ["Kind", "written"]

Kind = Literal["export", "recover"]

_PATIENCE = 60.0
_BEAT = 1.0


def written(kind: Kind, session: Path, out: Path, patience: float = _PATIENCE) -> dict[str, Any]:
    """Write an NWB file of a recording in a process of its own.

    The process says every second that it lives. HDF5 that never returns from damaged bytes keeps it from that.

    Args:
        kind: Whether damage is refused ("export") or left out and told ("recover").
        session: The recording.
        out: The file to make.
        patience: How long the process may be silent [s].

    Returns:
        As `hardware.export.nwb.export`.

    Raises:
        Refusal: If the recording or the place can't be used, or HDF5 does not survive the file.
        RuntimeError: If the export fails otherwise.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_write, args=(theirs, kind, str(session), str(out)), daemon=True)
    process.start()
    theirs.close()
    answer: dict[str, Any] = {}
    try:
        answer = _answer(ours, session, patience)
    finally:
        if not answer:
            process.kill()
        process.join()
        ours.close()
        if not answer:
            from hardware.export.partial import clear_leftovers

            clear_leftovers(out.parent, session)
    if "refusal" in answer:
        raise Refusal(answer["refusal"])
    if "defect" in answer:
        raise RuntimeError(answer["defect"])
    found: dict[str, Any] = answer["found"]
    return found


def _answer(ours: Connection, session: Path, patience: float) -> dict[str, Any]:
    """Wait for the answer, which comes after the signs of life."""
    said = b""
    while not said:
        if not ours.poll(patience):
            raise Refusal(f"{session} holds HDF5 without end: it is damaged, copy it again from the rig.")
        try:
            said = ours.recv_bytes()
        except EOFError as error:
            raise Refusal(f"{session} makes HDF5 crash: it is damaged, copy it again from the rig.") from error
    answer: dict[str, Any] = json.loads(said)
    return answer


def _write(theirs: Connection, kind: Kind, session: str, out: str) -> None:
    """Work in the other process, until the answer is sent or nobody is there to hear it."""
    # An interrupt reaches both processes; the one that the user sees ends the other.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    done = threading.Event()
    beating = threading.Thread(target=_beat, args=(theirs, done), daemon=True)
    beating.start()
    with quiet():
        answer = _worked(kind, Path(session), Path(out))
    done.set()
    beating.join()
    theirs.send_bytes(json.dumps(answer).encode())


def _worked(kind: Kind, session: Path, out: Path) -> dict[str, Any]:
    try:
        from estimators.features import MEANINGS
        from hardware.export import nwb

        work = nwb.export if kind == "export" else nwb.recover
        return {"found": work(session, out, MEANINGS)}
    except Refusal as error:
        return {"refusal": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the other process has to tell it
        if is_debugging():
            traceback.print_exception(error)
        return {"defect": f"{type(error).__name__}: {error}"}


def _beat(theirs: Connection, done: threading.Event) -> None:
    """Say that this process lives; without a listener there is nothing left to do."""
    while not done.wait(_BEAT):
        try:
            theirs.send_bytes(b"")
        except OSError:
            os._exit(1)
