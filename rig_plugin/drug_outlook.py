"""This file is the drug's outlook: features under a virtual drug beside what was predicted of them, in their units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from estimators.drug_forecast import Change, DrugForecast, averaged
from estimators.drug_score import DrugScore
from estimators.features import NAMES
from rig_plugin.dosing import Dosing, Expected, Infusion, Span
from rig_plugin.pharmacology import table_of
from rig_plugin.trial import Trial

__all__ = ["DrugOutlook"]

Array = npt.NDArray[np.float64]

_ROWS = 12
"""Features that are shown, of all steps together; those of which no change is predicted tell nothing of the drug."""


class DrugOutlook:
    """Keeps a dosing up to date while a drug is given.

    Args:
        conductance: That the drug acts on.
        factor: What is added, in multiples of the cell's own.
        count: Sweeps of each phase.
    """

    def __init__(self, conductance: str, factor: float, count: int) -> None:
        self.now = Dosing(conductance, factor, count)
        self._places: tuple[tuple[int, int], ...] = ()
        self._forecast: DrugForecast | None = None
        self._trials: tuple[list[Trial], ...] = ([], [], [])

    def foresee(self, forecast: DrugForecast, changes: Sequence[Change]) -> Dosing:
        """Take what is predicted before the drug is given.

        Args:
            forecast: Of as many sweeps.
            changes: Its own, against the control that was recorded, the largest first.

        Returns:
            How it stands.
        """
        self._forecast = forecast
        self._places = tuple((each.sweep, NAMES.index(each.feature)) for each in changes[:_ROWS])
        fixed = forecast.drug.injected
        infusion = Infusion(
            forecast.drug.own, fixed.maximum, fixed.reversal, fixed.delay, fixed.cycle, fixed.clip,
            Span(*forecast.bridge),
        )  # fmt: skip
        units = [each.unit for each in changes[:_ROWS]]
        rows = self._rows(forecast, units, table_of(self._trials[0]), None)
        self.now = replace(self.now, infusion=infusion, expected=rows, among=len(changes))
        return self.now

    def take(self, phase: int, trial: Trial) -> Dosing:
        """Take a sweep.

        Args:
            phase: Number of its phase.
            trial: Of the sweep.

        Returns:
            How it stands.
        """
        trials = self._trials[phase]
        trials.append(trial)
        done = list(self.now.done)
        done[phase] = len(trials)
        rows = self.now.expected
        if phase == 1:
            sweep = len(trials) - 1
            rows = tuple(
                _measured(row, trial.features) if place[0] == sweep else row
                for row, place in zip(rows, self._places, strict=True)
            )
        self.now = replace(self.now, expected=rows, done=(done[0], done[1], done[2]))
        return self.now

    def judge(self, score: DrugScore) -> Dosing:
        """Take the verdict; what is shown now is what it rests on, put upon the mean of both controls.

        Args:
            score: Of the whole experiment.

        Returns:
            How it stands.
        """
        rows = self.now.expected
        if self._forecast is not None:
            before, after = table_of(self._trials[0]), table_of(self._trials[2])
            fresh = self._rows(self._forecast, [row.unit for row in rows], before, after)
            inside = {(sweep, name): within for sweep, name, within in score.inside}
            rows = tuple(
                replace(new, measured=old.measured, is_inside=inside.get((sweep, NAMES[k]), old.is_inside))
                for new, old, (sweep, k) in zip(fresh, rows, self._places, strict=True)
            )
        verdict, sentence, is_strange = score.verdict, score.sentence, score.is_strange
        self.now = replace(self.now, expected=rows, verdict=verdict, sentence=sentence, is_strange=is_strange)
        return self.now

    def withhold(self, reason: str) -> Dosing:
        """Take why there is no drug, or no verdict.

        Args:
            reason: A sentence.

        Returns:
            How it stands.
        """
        self.now = replace(self.now, verdict="withheld", sentence=reason)
        return self.now

    def _rows(
        self, forecast: DrugForecast, units: Sequence[str], before: Array, after: Array | None
    ) -> tuple[Expected, ...]:
        """Read what is predicted in the places that are shown."""
        along, back = forecast.yardstick.along, forecast.yardstick.back
        control = along(before) if after is None else averaged(along(before), along(after))
        told = (forecast.under(control), forecast.unchanged(before, after), forecast.under(control, prior=True))
        there = back(control)
        rows = []
        for (sweep, k), unit in zip(self._places, units, strict=True):
            drug, unchanged, prior = (_span(forecast, draws[:, sweep, k], k) for draws in told)
            step = forecast.contexts[sweep].amplitude
            rows.append(Expected(step, NAMES[k], unit, float(there[sweep, k]), drug, unchanged, prior))
        return tuple(rows)


def _span(forecast: DrugForecast, draws: Array, k: int) -> Span:
    """Give median and 90 % of one feature in its own unit; nothing where no draw has it."""
    known = draws[np.isfinite(draws)]
    if not known.size:
        return Span()
    table = np.zeros((3, len(NAMES)))
    table[:, k] = np.quantile(known, [0.05, 0.5, 0.95])
    low, median, high = forecast.yardstick.back(table)[:, k]
    return Span(float(low), float(median), float(high))


def _measured(row: Expected, features: Mapping[str, float]) -> Expected:
    value = float(features[row.feature])
    return replace(row, measured=value, is_inside=row.drug.holds(value) if math.isfinite(value) else None)
