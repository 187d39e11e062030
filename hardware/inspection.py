"""This file is the inspection: what `rig-plugin inspect` says of a file, even of one that is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from hardware.epochs import plateaus
from hardware.family import NoStepError, observe, shared_epochs
from hardware.passage import History, Passage
from hardware.reading import read
from hardware.recording import RecordedSweep, Recording, RecordingError
from hardware.replay import Replay
from simulators.sweep import Sweep

__all__ = ["Counting", "describe", "inspect"]

Counting = Callable[[Sweep, History | None], int | None]
"""Counts the spikes in the step of a sweep."""

_JUNCTION = "The junction potential is not in the file and taken as 0 mV: E_leak and V_T move with it one to one."
_HOLDING = (
    "The amplifier's own holding current is not in the file: it is unknown, E_leak the effective one, at holding."
)


def inspect(path: Path | str, counting: Counting | None = None) -> dict[str, object]:
    """Describe a file.

    Args:
        path: Any file that exists.
        counting: Counts the spikes of a sweep; without it they are unknown.

    Returns:
        {"file", "format", "channels", "rate_kHz", "sweeps", "usable_sweeps", "duration_ms", "clamp", "clamp_source",
        "stimulus_source", "holding_source", "holding_pA", "junction", "protocols", "spikes", "problems"}; what is
        unknown is None. A file that is refused has its reason as its problem.

    Raises:
        RecordingError: If there is no such file, or it can't be opened.
    """
    path = Path(path)
    try:
        return describe(read(path), counting)
    except RecordingError as error:
        if not path.is_file():
            raise
        return _described(path, None, (), [str(error)], None)


def describe(recording: Recording, counting: Counting | None = None) -> dict[str, object]:
    """Describe a recording.

    Args:
        recording: What was read.
        counting: As `inspect`.

    Returns:
        As `inspect`.
    """
    rig = Replay(recording, speed="max")
    refusals = list(dict.fromkeys(p.refusal for p in rig.stimuli if p.refusal))
    played = [(k, p) for k, p in enumerate(rig.stimuli) if p.stimulus is not None]
    known = []
    if any(recording.sweeps[k].junction.state == "unknown" for k, _ in played):
        known.append(_JUNCTION)
    if any(recording.sweeps[k].holding_source == "unknown" for k, _ in played):
        known.append(_HOLDING)
    spikes: list[int | None] | None = None
    if counting is not None:
        spikes = [None] * len(rig.stimuli)
        for k, passage in played:
            spikes[k] = counting(rig.sweep(k), passage.history)
    return _described(recording.path, recording, rig.stimuli, [*recording.problems, *refusals, *known], spikes)


def _described(
    path: Path,
    recording: Recording | None,
    passages: tuple[Passage, ...],
    problems: list[str],
    spikes: list[int | None] | None,
) -> dict[str, object]:
    """Lay out the object; every key is always there."""
    sweeps = recording.sweeps if recording else ()
    channels = recording.channels if recording else ()
    junctions = [s.junction for s in sweeps]
    holdings = [
        round(p.stimulus.holding, 3)
        for sweep, p in zip(sweeps, passages, strict=True)
        if p.stimulus is not None and sweep.holding_source != "unknown"
    ]
    return {
        "file": path.name,
        "format": recording.format if recording else None,
        "channels": [{"channel": k, "name": c.name, "unit": c.unit, "role": c.role} for k, c in enumerate(channels)],
        "rate_kHz": _only([s.rate for s in sweeps]),
        "sweeps": len(sweeps),
        "usable_sweeps": sum(p.stimulus is not None for p in passages),
        "duration_ms": _only([s.duration for s in sweeps]),
        "clamp": _only([s.clamp for s in sweeps]),
        "clamp_source": recording.clamp_source if recording else None,
        "stimulus_source": _only([s.command_source for s in sweeps]),
        "holding_source": _only([s.holding_source for s in sweeps]),
        "holding_pA": _only(holdings),
        "junction": {
            "state": _only([j.state for j in junctions]),
            "potential_mV": _only([j.potential for j in junctions if j.potential is not None]),
        },
        "protocols": _protocols(sweeps, passages),
        "spikes": spikes,
        "problems": problems,
    }


def _only(values: Sequence[float] | Sequence[str]) -> float | str | list[float | str] | None:
    """Give the one value that all sweeps have, else the list of them."""
    if not values:
        return None
    return values[0] if len(set(values)) == 1 else list(values)


def _protocols(sweeps: tuple[RecordedSweep, ...], passages: tuple[Passage, ...]) -> list[dict[str, object]]:
    """Describe the epochs of each protocol and the one observed."""
    described: list[dict[str, object]] = []
    known = sorted((s for s in sweeps if s.command is not None and not s.problem), key=lambda s: s.protocol)
    steps = {p.file_sweep: p.stimulus for p in passages}
    for name, group in groupby(known, key=lambda s: s.protocol):
        members = list(group)
        found = [plateaus(s.command, s.rate) for s in members if s.command is not None]
        try:
            observed: int | None = observe(members, found).observed
        except NoStepError:
            observed = None
        described.append(
            {
                "name": name,
                "sweeps": [s.index for s in members],
                "epochs": [
                    {
                        "epoch": k,
                        "start_ms": e.start,
                        "end_ms": e.stop,
                        "level_pA": [min(e.levels), max(e.levels)],
                        "constant": e.constant,
                        "observed": k == observed,
                    }
                    for k, e in enumerate(shared_epochs(members, found))
                ],
                "observed_epoch": observed,
                "step_pA": [s.amplitude if (s := steps[m.index]) else None for m in members],
            }
        )
    return described
