"""This file is the lab note: what a trial says of the cell, as text for the lab book."""

from __future__ import annotations

from datetime import datetime

from rig_plugin.trial import Posterior, Trial
from rig_plugin.widgets.number import fixed, interval
from rig_plugin.widgets.verdict import verdict

__all__ = ["lab_note"]


def lab_note(trial: Trial, source: str, network: str, recording: str | None = None, now: datetime | None = None) -> str:
    """Write a posterior down: medians and 90 % intervals with the digits that they deserve, and what to think of them.

    Of a withheld posterior there is the reason and no number.

    Args:
        trial: The newest one.
        source: Rig or file.
        network: As the checkpoint calls itself.
        recording: File that the sweeps are kept in, or None.
        now: When it is written, where the sweep does not say when it began.

    Returns:
        Lines of text, columns set apart by blanks.
    """
    sweep = trial.sweep
    moment = sweep.start if sweep is not None and sweep.start is not None else now or datetime.now().astimezone()
    kept = f", kept in {recording}" if recording else ""
    given = "1 sweep" if trial.sweeps_used == 1 else f"{trial.sweeps_used} sweeps"
    lines = [f"{moment:%Y-%m-%d %H:%M:%S}  {source}, trial {trial.index}{kept}"]
    reason = trial.trust.reason or "No reason was given."
    if trial.posterior is None or verdict(trial) == "withheld":
        return "\n".join([*lines, f"Network {network}: posterior withheld. {reason}"]) + "\n"
    lines.append(f"Network {network}, posterior given {given}: median, 90 % interval")
    lines += _table(trial.posterior)
    lines.append(f"Trust: {verdict(trial)}, score {fixed(trial.trust.score, 2)}")
    return "\n".join([*lines, *([trial.trust.reason] if trial.trust.reason else [])]) + "\n"


def _table(posterior: Posterior) -> list[str]:
    """Write one line a parameter."""
    rows = []
    for k, parameter in enumerate(posterior.parameters):
        median, ends = interval(posterior.draws[:, k])
        rows.append((parameter.name, median, ends, "" if parameter.unit == "1" else parameter.unit))
    names, medians, intervals = (max(len(row[k]) for row in rows) for k in range(3))
    return [
        f"  {name:<{names}}  {median:>{medians}}  {ends:<{intervals}}  {unit}".rstrip()
        for name, median, ends, unit in rows
    ]
