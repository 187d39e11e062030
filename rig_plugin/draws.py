"""This file is the draws: the samples of one posterior as a table, one row a draw."""

from __future__ import annotations

from collections.abc import Iterator

from rig_plugin.comma_line import comma_line
from rig_plugin.trial import Trial
from rig_plugin.widgets.verdict import verdict
from simulators.refusal import Refusal

__all__ = ["DrawsError", "draws", "titled"]

_ROWS = 256


class DrawsError(Refusal):
    """A trial has no draws to give; the message says why."""


def titled(name: str, unit: str) -> str:
    """Name a column with its unit.

    Args:
        name: Of the quantity.
        unit: As it is shown; "1" for a pure number.

    Returns:
        The name, and the unit in brackets.

    Example:
        >>> titled("C", "pF"), titled("kinetics", "1")
        ('C [pF]', 'kinetics')
    """
    return name if unit in ("", "1") else f"{name} [{unit}]"


def draws(trial: Trial) -> Iterator[bytes]:
    """Write the posterior's draws.

    Args:
        trial: With a posterior that is not withheld.

    Returns:
        Pieces of a CSV file: names with units, then the draws as they are.

    Raises:
        DrawsError: If the posterior was withheld.
    """
    posterior = trial.posterior
    if posterior is None or verdict(trial) == "withheld":
        reason = trial.trust.reason or "No reason was given."
        raise DrawsError(f"Trial {trial.index} has no draws to save: its posterior is withheld. {reason}")
    head = comma_line([titled(each.name, each.unit) for each in posterior.parameters])
    table = posterior.draws

    def pieces() -> Iterator[bytes]:
        yield head
        for first in range(0, len(table), _ROWS):
            yield b"".join(comma_line(row) for row in table[first : first + _ROWS].tolist())

    return pieces()
