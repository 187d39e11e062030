"""This file is the inspection: what `rig-plugin inspect` says of a file, even of one that is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from hardware.epochs import plateaus
from hardware.family import NoStepError, observe, shared_epochs
from hardware.passage import Passage
from hardware.reading import read
from hardware.recording import RecordedSweep, Recording, RecordingError
from hardware.replay import Replay

__all__ = ["inspect"]


def inspect(path: Path | str) -> dict[str, object]:
    """Describe a file.

    Args:
        path: Any file that exists.

    Returns:
        {"file", "format", "channels", "rate_kHz", "sweeps", "usable_sweeps", "duration_ms", "clamp",
        "stimulus_source", "holding_source", "protocols", "problems"}; what is unknown is None. A file that is
        refused has its reason as its problem.

    Raises:
        RecordingError: If there is no such file, or it can't be opened.
    """
    path = Path(path)
    try:
        recording = read(path)
        passages = Replay(recording, speed="max").stimuli
    except RecordingError as error:
        if not path.is_file():
            raise
        return _described(path, None, (), [str(error)])
    refusals = list(dict.fromkeys(p.refusal for p in passages if p.refusal))
    return _described(path, recording, passages, [*recording.problems, *refusals])


def _described(
    path: Path, recording: Recording | None, passages: tuple[Passage, ...], problems: list[str]
) -> dict[str, object]:
    """Lay out the object; every key is always there."""
    sweeps = recording.sweeps if recording else ()
    channels = recording.channels if recording else ()
    return {
        "file": path.name,
        "format": recording.format if recording else None,
        "channels": [{"name": c.name, "unit": c.unit, "role": c.role} for c in channels],
        "rate_kHz": _only([s.rate for s in sweeps]),
        "sweeps": len(sweeps),
        "usable_sweeps": sum(p.stimulus is not None for p in passages),
        "duration_ms": _only([s.duration for s in sweeps]),
        "clamp": _only([s.clamp for s in sweeps]),
        "stimulus_source": _only([s.command_source for s in sweeps]),
        "holding_source": _only([s.holding_source for s in sweeps]),
        "protocols": _protocols(sweeps, passages),
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
                    }
                    for k, e in enumerate(shared_epochs(members, found))
                ],
                "observed_epoch": observed,
                "step_pA": [s.amplitude if (s := steps[m.index]) else None for m in members],
            }
        )
    return described
