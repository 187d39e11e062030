"""This file is the fit ledger: posteriors of single sweeps that were learned already, one a line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from estimators.context import Context
from rig_plugin.tasks.fitted_sweep import FittedSweep
from rig_plugin.tasks.journal import Journal
from rig_plugin.tasks.single_fit import SingleFit

__all__ = ["FitLedger"]


class FitLedger:
    """Single fits by recording, half, simulations, seed and version, and by what was asked.

    It tells versions of sbi apart and nothing of ours: who changes how the cells are simulated starts another.

    Args:
        path: A file of JSON lines, made where there is none; None keeps nothing.

    Raises:
        Refusal: If a line of the file is no fit, or its folder is not there.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._journal = Journal(path, "fit", _read, _written)

    def find(self, asked: FittedSweep, simulations: int, draws: int, seed: int, version: str) -> SingleFit | None:
        """Find a fit.

        Args:
            asked: Of which sweep; one with other statistics, another protocol or area is another question.
            simulations: How many.
            draws: How many it must have.
            seed: Of simulations and training.
            version: Of who trained.

        Returns:
            The latest that has them, with as many draws, or None.
        """
        wanted = (asked.name, asked.half, asked.sweep, asked.context, simulations, seed, version)
        for known in reversed(self._journal.entries):
            each = known.asked
            has = (each.name, each.half, each.sweep, each.context, known.simulations, known.seed, known.version)
            same = np.allclose(
                [each.capacitance, *each.observed], [asked.capacitance, *asked.observed], rtol=1e-6, atol=0.0
            )
            if has == wanted and same and len(known.theta) >= draws:
                return replace(known, theta=known.theta[:draws])
        return None

    def add(self, fitted: SingleFit) -> None:
        """Keep a fit.

        Args:
            fitted: A new one.
        """
        self._journal.add(fitted)


def _written(fitted: SingleFit) -> dict[str, Any]:
    asked = fitted.asked
    return {
        "name": asked.name,
        "half": asked.half,
        "sweep": asked.sweep,
        "context": asked.context.row().tolist(),
        "capacitance": asked.capacitance,
        "observed": asked.observed.tolist(),
        "simulations": fitted.simulations,
        "used": fitted.used,
        "seed": fitted.seed,
        "version": fitted.version,
        "train_cpu_s": fitted.train_cpu_s,
        "theta": fitted.theta.tolist(),
    }


def _read(row: dict[str, Any]) -> SingleFit:
    asked = FittedSweep(
        row["name"], row["half"], row["sweep"], Context(*row["context"]), row["capacitance"], np.array(row["observed"])
    )
    theta = np.array(row["theta"], dtype=np.float64)
    return SingleFit(asked, row["simulations"], row["used"], row["seed"], row["version"], theta, row["train_cpu_s"])
