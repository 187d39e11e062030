"""This file is the kept sweep: what was played, what came back, and what was made of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import h5py  # type: ignore[import-untyped]
import numpy as np

from hardware.amplifier import Reading
from hardware.gain import Gain
from hardware.hdf5 import text
from hardware.kept.channel import KeptChannel, kept_channel
from hardware.kept.loss import Gap, Loss
from hardware.kept.trace import LONGEST, Trace, child, kept_trace, unit_of
from hardware.recording import RecordingError
from hardware.rig import Provenance
from hardware.track import RESERVED
from simulators.stimulus import Clamp, Dose, Epoch, Stimulus
from simulators.sweep import Junction

__all__ = ["SI", "KeptSweep", "Role", "gaps_of", "kept_sweep", "moment"]

Role = Literal["sweep", "membrane test"]

SI: dict[Clamp, dict[str, tuple[str, float]]] = {
    "current": {"response": ("volts", 1e-3), "command": ("amperes", 1e-12)},
    "voltage": {"response": ("amperes", 1e-12), "command": ("volts", 1e-3)},
}
"""Unit and conversion of each trace, stored in mV and pA."""


@dataclass(frozen=True, eq=False)
class KeptSweep:
    """One sweep, of which only the descriptions are in memory.

    Args:
        index: Number in the file, from 0.
        rate: Sampling rate [kHz].
        response: What was measured.
        command: The command sample by sample, or None where it was not kept.
        stimulus: What was put out.
        provenance: Where it came from.
        complete: Whether it was finished.
        gaps: Lost samples, which the traces hold as NaN.
        features: Value of each, NaN where it is missing; none where the sweep was not finished.
        summary: Whatever else was kept of the trial.
        others: Further channels by their names.
        role: What it is: a sweep, or a membrane test, which is kept as one.
    """

    index: int
    rate: float
    response: Trace
    command: Trace | None
    stimulus: Stimulus
    provenance: Provenance
    complete: bool
    gaps: tuple[Gap, ...]
    features: Mapping[str, float]
    summary: Mapping[str, Any]
    others: Mapping[str, KeptChannel] = field(default_factory=dict)
    role: Role = "sweep"

    @property
    def paired(self) -> int:
        """Samples of which both response and command are there: a kill between them leaves one longer."""
        return self.response.samples if self.command is None else min(self.response.samples, self.command.samples)

    @property
    def losses(self) -> list[Loss]:
        """What of it is missing."""
        where, wanted = f"{self.role} {self.index}", self.stimulus.samples(self.rate)
        found = [Loss(where, "These samples never came; NaN is in their place.", g.first, g.count) for g in self.gaps]
        traces = {"response": self.response, "command": self.command}
        for name, trace in (traces | {name: channel.trace for name, channel in self.others.items()}).items():
            holes = trace.holes if trace is not None else ()
            found += [Loss(where, f"The {name} is damaged here; NaN is in its place.", g.first, g.count) for g in holes]
        if self.paired < wanted:
            reason = f"It ended after {self.paired} of {wanted} samples."
            found.append(Loss(where, reason, self.paired, wanted - self.paired))
        elif not self.complete:
            nothing = "no features were kept" if self.role == "sweep" else "nothing was read off it"
            found.append(Loss(where, f"It has all samples, but was not finished: {nothing}."))
        return found


def kept_sweep(
    group: h5py.Group, index: int, *, version: int, thorough: bool, role: Role = "sweep"
) -> KeptSweep | None:
    """Look at one sweep, or one membrane test.

    Args:
        group: The `h5py.Group`.
        index: Its number.
        version: Of the file's format.
        thorough: As `kept_trace`.
        role: Which of the two it is.

    Returns:
        The sweep, or None where it was begun and none of its samples reached the disk.

    Raises:
        RecordingError: If a trace can't be used.
        LookupError: If a description is missing.
        ValueError: If a description can't be used.
    """
    if "response" not in group:
        return None
    described, origin = json.loads(text(group.attrs["stimulus"])), json.loads(text(group.attrs["provenance"]))
    stimulus = _stimulus(described)
    rate = float(group.attrs["rate"]) / 1e3
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"its sampling rate is {rate} kHz")
    if stimulus.samples(rate) > LONGEST:
        raise ValueError(f"its stimulus has {stimulus.samples(rate)} samples")
    traces: dict[str, Trace] = {}
    gaps = gaps_of(group, child(group, "response").shape[0])
    for name, (unit, conversion) in SI[stimulus.clamp].items():
        if name in group:
            # The first version declared every response in volts, in whichever clamp it was.
            if (version > 1 or stimulus.clamp == "current") and unit_of(child(group, name)) != (unit, conversion):
                raise RecordingError(
                    f"{group.file.filename} declares {unit_of(child(group, name))} for '{group.name}/{name}', "
                    f"({unit}, {conversion}) was wanted in {stimulus.clamp} clamp: correct it in a copy."
                )
            traces[name] = kept_trace(group, name, unit=unit, conversion=conversion, gaps=gaps, thorough=thorough)
    if not traces["response"].samples:
        return None
    others = {name: kept_channel(group, name, gaps=gaps, thorough=thorough) for name in sorted(set(group) - RESERVED)}
    complete = bool(group.attrs.get("complete", False))
    return KeptSweep(
        index=index,
        rate=rate,
        response=traces["response"],
        command=traces.get("command"),
        stimulus=stimulus,
        provenance=_provenance(origin),
        complete=complete,
        gaps=traces["response"].gaps,
        features=_features(group) if complete and "features" in group else {},
        summary=_object(child(group, "summary")) if complete and "summary" in group else {},
        others={name: channel for name, channel in others.items() if channel is not None},
        role=role,
    )


def gaps_of(group: h5py.Group, samples: int) -> tuple[Gap, ...]:
    """Read the lost samples that a sweep or segment lists.

    Args:
        group: The `h5py.Group`.
        samples: Length of its traces; what is said of samples beyond is left out.

    Returns:
        The gaps, in order.

    Raises:
        ValueError: If the list is no such list.
    """
    if "gaps" not in group:
        return ()
    dataset = child(group, "gaps")
    if dataset.ndim != 2 or dataset.shape[1] != 2 or dataset.dtype.kind not in "iu" or dataset.shape[0] > samples:
        raise ValueError(f"its gaps have the shape {dataset.shape}")
    rows = [(int(first), int(count)) for first, count in np.asarray(dataset[()]).tolist()]
    return tuple(sorted(Gap(f, min(c, samples - f)) for f, c in rows if 0 <= f < samples and c > 0))


def moment(written: str) -> datetime | None:
    """Read a time; one without a zone is taken for UTC.

    Args:
        written: ISO 8601, or nothing.

    Returns:
        The time (aware), or None.

    Raises:
        ValueError: If it is no time.
    """
    if not written:
        return None
    time = datetime.fromisoformat(written)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _stimulus(described: Mapping[str, Any]) -> Stimulus:
    if described["clamp"] not in SI:
        raise ValueError(f"its clamp is {described['clamp']}")
    epochs = [
        Epoch(float(e["level"]), float(e["duration"]), tuple(Dose(**d) for d in e.get("doses", ())))
        for e in described["epochs"]
    ]
    return Stimulus(described["clamp"], tuple(epochs), int(described["observed"]))


def _provenance(origin: Mapping[str, Any]) -> Provenance:
    return Provenance(
        moment(str(origin["start"])),
        origin["command_source"],
        origin["holding_source"],
        Junction(**origin["junction"]),
        float(origin["bridge"]),
        Reading.of(origin.get("amplifier")),
        Gain.of(origin.get("gains")),
    )


def _features(group: h5py.Group) -> dict[str, float]:
    found = child(group, "features")
    return {name: float(child(found, name)[()]) for name in found}


def _object(dataset: h5py.Dataset) -> dict[str, Any]:
    """Read a JSON object."""
    found = json.loads(text(dataset[()]))
    if not isinstance(found, dict):
        raise ValueError(f"'{dataset.name}' is no JSON object")
    return found
