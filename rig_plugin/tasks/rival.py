"""This file is the rival: sbi's fit to one sweep of each half of a family, and how its predictions of the others fare.

It takes tens of minutes a half with the paper's 100,000 simulations, so what is learned is kept in a ledger.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import numpy as np

from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.fit_ledger import FitLedger
from rig_plugin.tasks.fitted_sweep import chosen
from rig_plugin.tasks.half import Half
from rig_plugin.tasks.single_fit import SingleFit, fit, foretold, reproduced, rheobases
from rig_plugin.tasks.tally import Tally
from simulators.refusal import Refusal

__all__ = ["Rival"]

_PEER = "sbi"
_SEED = 0
_TROUBLES = (Refusal, ImportError, RuntimeError, ValueError, AssertionError)
"""Half a family without a sweep to fit, and what sbi raises where its training or its rejection of draws fails."""


class Rival:
    """A laboratory that fits sbi to one sweep.

    Args:
        simulations: For each fit.
        draws: Of each posterior.
        out: The ledger, which is gone on with; None for none.

    Raises:
        Refusal: If the file is no ledger of fits.
    """

    def __init__(self, simulations: int, draws: int, out: Path | None = None) -> None:
        self._simulations, self._draws = simulations, draws
        self._ledger = FitLedger(out)

    def figures(self, family: Cell, both: Sequence[Half], ours: Tally) -> list[dict[str, Any]]:
        """Fit each half and hold what comes of it against the other.

        Args:
            family: The recording.
            both: Its halves.
            ours: How our own predictions of the same sweeps came out.

        Returns:
            Figures: our interval score of the counts beside its; its own share inside 90 % intervals, half-width of
                the counts over what is wanted, rheobase off, interval score, and share of the seven statistics of the
                fitted sweeps that its own simulations hold; processor seconds of training. Where it could not be
                measured they are empty and say why.
        """
        try:
            said = version(_PEER)
        except PackageNotFoundError:
            return _told(ours, None, (), "not installed")
        try:
            fits = [self._fit(family, half, number, said) for number, half in enumerate(both)]
        except _TROUBLES as error:
            return _told(ours, None, (), " ".join(f"could not be measured: {type(error).__name__}: {error}".split()))
        return _told(ours, _tally(family, both, fits), fits, said)

    def _fit(self, family: Cell, half: Half, number: int, said: str) -> SingleFit:
        """Look a fit up, or make it, keep it and tell it."""
        asked = chosen(family, half.seen, number)
        known = self._ledger.find(asked, self._simulations, self._draws, _SEED, said)
        if known is not None:
            return known
        train = importlib.import_module(f"rig_plugin.peers.{_PEER}").train
        made = fit(asked, self._simulations, self._draws, _SEED, said, train)
        self._ledger.add(made)
        told = f"{family.name}  half {number + 1}  fit to the sweep of {asked.context.amplitude:.0f} pA"
        click.echo(f"{told}  {self._simulations} simulations  {made.train_cpu_s:.0f} s", err=True)
        return made


def _tally(family: Cell, both: Sequence[Half], fits: Sequence[SingleFit]) -> Tally:
    """Compare what the fits say with what was recorded."""
    tally = Tally()
    for half, fitted in zip(both, fits, strict=True):
        told = foretold(fitted, family)
        for sweep in half.asked:
            tally.add(told[sweep], family.rows[sweep])
        tally.miss(family, rheobases(told, family.currents))
    return tally


def _told(ours: Tally, theirs: Tally | None, fits: Sequence[SingleFit], said: str) -> list[dict[str, Any]]:
    """Lay out both; one that is missing keeps its place."""
    held = [bool(each) for fitted in fits for each in reproduced(fitted)]
    score = theirs.score if theirs else None
    n = {name: len(getattr(theirs, name)) if theirs else 0 for name in ("inside", "widths", "off", "scores")}
    rows = (
        ("inside_90_sbi", theirs.share if theirs else None, "1", n["inside"]),
        ("count_half_width_over_wanted_sbi", theirs.half_width if theirs else None, "1", n["widths"]),
        ("rheobase_off_sbi", max(theirs.off) if theirs else None, "steps", n["off"]),
        ("count_interval_score_sbi", score, "1", n["scores"]),
        ("fitted_statistics_inside_90_sbi", float(np.mean(held)) if held else None, "1", len(held)),
        ("train_cpu_s_sbi", float(np.mean([each.train_cpu_s for each in fits])) if fits else None, "s", len(fits)),
    )
    against = Figure(
        "count_interval_score_against_sbi",
        ours.score,
        "1",
        len(ours.scores),
        _PEER,
        said,
        there=score,
        aim=score,
    )
    return [against.row(), *(Figure(*row, peer=_PEER, peer_version=said).row() for row in rows)]
