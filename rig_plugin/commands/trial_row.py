"""This file is the trial's row: what a terminal shows of a trial as it ends, and of the posterior at the end."""

from __future__ import annotations

from rig_plugin.commands.table import cell, table
from rig_plugin.trial import Trial

__all__ = ["HEADER", "posterior_table", "trial_row"]

_COLUMNS = (("trial", 5), ("step pA", 8), ("spikes", 6), ("rest mV", 8), ("used", 4), ("trust", 5), ("ms", 6))
HEADER = "  ".join(name.rjust(width) for name, width in _COLUMNS) + "  remark"


def trial_row(trial: Trial) -> str:
    """Show one trial in the columns of `HEADER`.

    Args:
        trial: What has just ended.

    Returns:
        One line, the reason of the trust badge last.
    """
    shown = trial.to_json()
    values = (
        shown["trial"],
        shown["stimulus"]["step_pA"],
        shown["features"].get("spike_count"),
        shown["features"].get("rest"),
        shown["sweeps_used"],
        shown["trust"]["score"],
        shown["latency_ms"]["total"],
    )
    cells = (cell(value).rjust(width) for value, (_, width) in zip(values, _COLUMNS, strict=True))
    return f"{'  '.join(cells)}  {shown['trust']['reason'] or ''}".rstrip()


def posterior_table(trial: Trial) -> str:
    """Show what the last trial left of every parameter.

    Args:
        trial: The last one.

    Returns:
        Median and 90 % interval of each marginal, or why there is none.
    """
    if trial.posterior is None:
        return f"No posterior: {trial.trust.reason or 'no sweep could be used.'}"
    return table(
        [
            {"parameter": name, "median": row["median"], "5 %": row["q05"], "95 %": row["q95"], "unit": row["unit"]}
            for name, row in trial.posterior.summary().items()
        ]
    )
