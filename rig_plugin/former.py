"""This file is the former recording: what one that ended before its script did says of where to go on.

It is never appended to: the script goes on in a new file that names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from estimators.context import Context
from estimators.features import NAMES
from estimators.observer import Observer
from hardware.decision import Decision
from hardware.hdf5 import open_hdf5, text
from hardware.kept.decisions import decisions
from hardware.kept.session import kept_session
from hardware.recording import RecordingError
from rig_plugin.crop import crop
from rig_plugin.script import Script, titled
from rig_plugin.since_first import SinceFirst
from rig_plugin.stages import kind_of, laid_out

__all__ = ["Former", "FormerSweep", "before", "former", "seed_of"]

_MOST = 1000
"""Recordings that go on from one another."""


@dataclass(frozen=True, eq=False)
class FormerSweep:
    """One whole sweep, as it was read when it was played.

    Args:
        row: Its features, NaN where missing.
        context: Its circumstances.
        refusal: Why it was not used, or None where it was.
    """

    row: Mapping[str, float]
    context: Context
    refusal: str | None


@dataclass(frozen=True, eq=False)
class Former:
    """A recording of a script, with those that it went on from.

    Args:
        path: Of the recording.
        script: As its metadata lay the script out; empty where it was none.
        checkpoint: SHA-256 of the network that read it, or None.
        decisions: Of this recording.
        sweeps: Of all of them that belong to the posterior, in order.
        start: When the first sweep of the cell began (aware), or None.
    """

    path: Path
    script: Mapping[str, Any]
    checkpoint: str | None
    decisions: tuple[Decision, ...]
    sweeps: tuple[FormerSweep, ...]
    start: datetime | None

    def first_left(self, script: Script) -> int:
        """Find where to go on.

        Args:
            script: That is to go on; its stages that are over have to be what they were.

        Returns:
            Number of the first stage that is not over.

        Raises:
            RecordingError: If no script was played in it, a stage that is over was another one, or all are over.
        """
        if not self.decisions:
            raise RecordingError(f"{self.path} tells of no script: give a recording that `run --script` has made.")
        over = {decision.stage for decision in self.decisions if decision.is_over}
        first = next(k for k in range(len(script.stages) + 1) if k not in over)
        was = [*self.script.get("stages", []), *len(script.stages) * [None]]
        for k, stage in enumerate(script.stages[:first]):
            if was[k] != json.loads(json.dumps(laid_out(stage))):
                raise RecordingError(
                    f"{self.path} has {titled(k, kind_of(stage))} done with other keys: take the script as it was up "
                    "to there, or begin anew without --resume."
                )
        if first >= len(script.stages):
            raise RecordingError(f"{self.path} has all {first} stages done: there is nothing to go on with.")
        return first

    def take_in(self, observer: Observer) -> int:
        """Let an observer see what was recorded, as a session would have.

        Args:
            observer: Of the same network, which has seen nothing yet.

        Returns:
            Sweeps that it uses.
        """
        used = 0
        for sweep in self.sweeps:
            row = np.array([sweep.row.get(name, np.nan) for name in NAMES])
            prediction = observer.expect(sweep.context)
            used = observer.observe(row, sweep.context, prediction, sweep.refusal).sweeps_used
        return used


def former(path: Path) -> Former:
    """Read a recording to go on from; one that a killed program left will do.

    Args:
        path: A recording of this program.

    Returns:
        What it says, with the sweeps of those that it went on from itself, as far as they are still there.

    Raises:
        RecordingError: If it, or one before it, can't be read.
    """
    chain = [path]
    while len(chain) < _MOST and (earlier := _before(chain[0])) is not None and earlier not in chain:
        chain.insert(0, earlier)
    since = SinceFirst()
    sweeps: list[FormerSweep] = []
    starts: list[datetime] = []
    for each in chain:
        sweeps += _sweeps(each, since, len(sweeps), starts)
    told = _metadata(path)
    described = told.get("protocol")
    script = described if isinstance(described, dict) and described.get("name") == "script" else {}
    made_by = told.get("checkpoint")
    return Former(
        path,
        script,
        made_by if isinstance(made_by, str) else None,
        tuple(decisions(path)),
        tuple(sweeps),
        starts[0] if starts else None,
    )


def before(path: Path) -> Former | None:
    """Read what a recording went on from.

    Args:
        path: A recording of this program.

    Returns:
        The former one, or None where it went on from none, or that is no longer there.

    Raises:
        RecordingError: As `former`.
    """
    found = _before(path)
    return None if found is None else former(found)


def seed_of(path: Path) -> int:
    """Give the seed of the draws of a recording, 0 where it does not tell."""
    seed = _metadata(path).get("seed")
    return seed if isinstance(seed, int) else 0


def _metadata(path: Path) -> dict[str, Any]:
    with open_hdf5(path) as file:
        try:
            told = json.loads(text(file["metadata"][()]))
        except (LookupError, TypeError, ValueError, OSError) as error:
            raise RecordingError(f"{path} is a damaged recording ({error}): run `recover` on it.") from error
    return told if isinstance(told, dict) else {}


def _before(path: Path) -> Path | None:
    """Find the recording that this one went on from: where it was, or beside this one."""
    named = _metadata(path).get("resumes")
    if not isinstance(named, str):
        return None
    return next((there for there in (Path(named), path.parent / Path(named).name) if there.is_file()), None)


def _sweeps(path: Path, since: SinceFirst, count: int, starts: list[datetime]) -> list[FormerSweep]:
    """Read the whole sweeps of one recording that were played for the posterior: not those under a drug."""
    with open_hdf5(path) as file:
        if not len(file["sweeps"]):
            return []
    with kept_session(path) as session:
        found = []
        for sweep in session.sweeps:
            start = sweep.provenance.start
            starts += [start] if start is not None else []
            trust = sweep.summary.get("trust")
            # What was recorded under a drug is another cell's.
            if not sweep.complete or not isinstance(trust, dict) or sweep.stimulus.is_dosed:
                continue
            context = crop(sweep.stimulus).context(sweep.rate, start=since.at(start, count + sweep.index))
            reason = None if trust.get("in_distribution") is True else str(trust.get("reason") or "It was not trusted.")
            found.append(FormerSweep(sweep.features, context, reason))
    return found
