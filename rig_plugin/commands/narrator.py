"""This file is the narrator: who says each decision of a script on standard error, beside the trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardware.decision import Decision
from rig_plugin.audience import Silent
from rig_plugin.commands.output import Output, tell_trials

if TYPE_CHECKING:
    from rig_plugin.plug import Plugs
    from rig_plugin.settings import Settings

__all__ = ["Narrator", "tell_experiment"]


class Narrator(Silent):
    """A listener that says decisions.

    Args:
        say: Is given each as one line; None writes it to standard error.
    """

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self._say = say or _to_standard_error

    def decided(self, decision: Decision) -> None:
        """Say it."""
        self._say(" ".join(decision.said.split()))


def tell_experiment(
    output: Output,
    settings: Settings,
    script: Path,
    out: Path | None,
    resume: Path | None,
    *,
    as_json: bool,
    plugs: Plugs | None = None,
) -> None:
    """Play a script and say each trial and each decision.

    Args:
        output: Where the trials are said.
        settings: Of the rig file.
        script: The EXPERIMENT.toml.
        out: Where to save, or None.
        resume: A recording to go on from, or None.
        as_json: One object a trial; else a row.
        plugs: What plays adaptive stages and drugs; None takes this program's own.

    Raises:
        Refusal: As `opening.attach`, or where the experiment stopped before its script was through.
    """
    from rig_plugin.former import former
    from rig_plugin.opening import attach, network
    from rig_plugin.plugs import PLUGS
    from rig_plugin.script import read_script
    from rig_plugin.scripted import Scripted

    scripted = Scripted(read_script(script), plugs or PLUGS, None if resume is None else former(resume))
    checkpoint = network(settings.network.path)
    session = attach(settings, checkpoint, out=out, listeners=(Narrator(),), scripted=scripted)
    tell_trials(output, session.trials(), as_json=as_json)


def _to_standard_error(line: str) -> None:
    click.echo(line, err=True)
