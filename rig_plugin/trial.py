"""This file is the trial: the one value that goes to disk, to the screen and to the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.blame import DISCREPANCY, blame
from estimators.oddity import Check, Oddity
from estimators.shift import Shift
from hardware.forepulse import membrane_before
from hardware.membrane import Membrane
from simulators.parameter import Parameter
from simulators.stimulus import Stimulus
from simulators.sweep import Sweep

__all__ = ["QUANTILES", "Latency", "Posterior", "Trial", "Trust", "laid_out"]

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws from the posterior over theta, with the parameters that name its columns.

    Args:
        parameters: One for each column.
        draws: Samples in physical units, shape (s, p); read-only.
    """

    parameters: tuple[Parameter, ...]
    draws: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        draws = np.array(self.draws, dtype=np.float64)
        draws.setflags(write=False)
        object.__setattr__(self, "draws", draws)
        if draws.ndim != 2 or draws.shape[1] != len(self.parameters):
            raise ValueError(f"Draws have shape {draws.shape}, (s, {len(self.parameters)}) was wanted.")

    def summary(self) -> dict[str, dict[str, float | str | None]]:
        """Quantiles of each marginal, and how much of its uncertainty is the model's error.

        Returns:
            {parameter: {"unit", "q05", "q25", "median", "q75", "q95", "model_error"}}.
        """
        table = np.quantile(self.draws, list(QUANTILES.values()), axis=0)
        blamed = self.blamed()
        return {
            parameter.name: {
                "unit": parameter.unit,
                **{name: float(value) for name, value in zip(QUANTILES, table[:, k], strict=True)},
                "model_error": blamed.get(parameter.name),
            }
            for k, parameter in enumerate(self.parameters)
        }

    def unconstrained(self) -> npt.NDArray[np.float64]:
        """Give the draws where every prior is the standard normal.

        Returns:
            Shape (s, p), read-only.
        """
        return self._unconstrained

    @cached_property
    def _unconstrained(self) -> npt.NDArray[np.float64]:
        # Asked for again by what compares a posterior with the one before it.
        u = np.stack([p.unconstrain(self.draws[:, k]) for k, p in enumerate(self.parameters)], axis=1)
        u.setflags(write=False)
        return u

    def blamed(self) -> dict[str, float]:
        """Tell how much of each parameter's uncertainty is the model's error.

        Returns:
            {parameter: share of its variance, 0 to 1}; empty where the network does not infer the discrepancy, or
                there are too few draws to tell.
        """
        names = [parameter.name for parameter in self.parameters]
        if DISCREPANCY not in names:
            return {}
        shares = blame(self.unconstrained(), self.draws[:, names.index(DISCREPANCY)])
        pairs = zip(names, shares, strict=True)
        return {name: float(share) for name, share in pairs if name != DISCREPANCY and np.isfinite(share)}


@dataclass(frozen=True)
class Trust:
    """Whether the numbers beside it can be believed.

    Args:
        in_distribution: Whether the observation lies inside what the network was trained on.
        score: 0 to 1, where 1 is typical: the smallest p-value of the checks that could be made.
        reason: What is wrong or worth knowing, as sentences, or None.
        checks: Those that could be made, with their p-values.
        off: Features that are off, worst first; where none is, the farthest of what the sweeps before predicted.
    """

    in_distribution: bool
    score: float
    reason: str | None = None
    checks: tuple[Check, ...] = ()
    off: tuple[Oddity, ...] = ()


@dataclass(frozen=True)
class Latency:
    """Time from the end of the sweep to each result [ms]; None where it was not computed."""

    features: float
    posterior: float | None
    total: float


@dataclass(frozen=True, eq=False)
class Trial:
    """One sweep and all that was made of it.

    Args:
        index: Number of the trial in this session, from 0.
        file_sweep: Number of the sweep in the file that was replayed, or None.
        sweep: What was put out and answered; None where a replayed sweep could not be read as one.
        features: Value of each feature, NaN where it is missing.
        posterior: Draws given all sweeps so far, or None where they can't be used or trusted.
        sweeps_used: How many sweeps the posterior rests on.
        trust: The badge beside the numbers.
        latency: How long it took.
        next_stimulus: What the protocol or the design would play next, as a mapping, or None.
        predictive: What the sweeps before this one predicted of its features, {feature: (5 %, 50 %, 95 %)}.
        shifts: Parameters that have changed in the session, the surest first; None where the network does not track.
    """

    index: int
    file_sweep: int | None
    sweep: Sweep | None
    features: Mapping[str, float]
    posterior: Posterior | None
    sweeps_used: int
    trust: Trust
    latency: Latency
    next_stimulus: Mapping[str, Any] | None = None
    predictive: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    shifts: tuple[Shift, ...] | None = None

    @cached_property
    def membrane(self) -> Membrane | None:
        """What the pulse before the step says of membrane, bridge and rest; None where the sweep has none."""
        return None if self.sweep is None else membrane_before(self.sweep)

    def to_json(self) -> dict[str, Any]:
        """Lay the trial out as one JSON object: every key is there, what is unknown is None, never NaN.

        Only a network that tracks adds one, "changes": a list of what has changed, as `Shift.to_json` has it.

        Returns:
            A mapping that `json.dumps(..., allow_nan=False)` takes.
        """
        return {
            "trial": self.index,
            "file_sweep": self.file_sweep,
            "stimulus": _stimulus(self.sweep),
            "membrane": _membrane(self.membrane),
            "features": {name: _number(value) for name, value in self.features.items()},
            "posterior": self.posterior.summary() if self.posterior else None,
            "sweeps_used": self.sweeps_used,
            "trust": {
                "in_distribution": self.trust.in_distribution,
                "score": _number(self.trust.score),
                "reason": self.trust.reason,
            },
            "next_stimulus": dict(self.next_stimulus) if self.next_stimulus else None,
            "latency_ms": {
                "features": _number(self.latency.features),
                "posterior": _number(self.latency.posterior),
                "total": _number(self.latency.total),
            },
            **({} if self.shifts is None else {"changes": [shift.to_json() for shift in self.shifts]}),
        }


def laid_out(stimulus: Stimulus) -> dict[str, Any]:
    """Lay a stimulus out as the command line and the window have it.

    Args:
        stimulus: Which.

    Returns:
        A mapping that `json.dumps` takes; the step is told in current clamp only.
    """
    return {
        "clamp": stimulus.clamp,
        "holding_pA": stimulus.holding if stimulus.clamp == "current" else None,
        "step_pA": stimulus.amplitude if stimulus.clamp == "current" else None,
        "onset_ms": stimulus.onset,
        "duration_ms": stimulus.step_duration,
        "epochs": [{"level": epoch.level, "duration_ms": epoch.duration} for epoch in stimulus.epochs],
    }


def _number(value: float | None) -> float | int | None:
    """Give a number as JSON has it: None for what is missing, an integer where it is a count."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def _membrane(said: Membrane | None) -> dict[str, float | int | None] | None:
    """Describe what the pulse before the step says; of the access, what the bridge leaves."""
    if said is None:
        return None
    return {
        "resistance_MOhm": _number(said.resistance),
        "capacitance_pF": _number(said.capacitance),
        "tau_ms": _number(said.tau),
        "residual_MOhm": _number(said.access),
        "holding_pA": _number(said.holding),
        "potential_mV": _number(said.potential),
    }


def _stimulus(sweep: Sweep | None) -> dict[str, Any]:
    """Describe what was put out, or say with None that it is unknown."""
    stimulus = sweep.stimulus if sweep else None
    held = sweep is not None and sweep.clamp == "current" and sweep.holding_source != "unknown"
    nothing = dict.fromkeys(("step_pA", "onset_ms", "duration_ms", "epochs"))
    return (laid_out(stimulus) if stimulus else nothing) | {
        "clamp": sweep.clamp if sweep else None,
        "holding_pA": stimulus.holding if stimulus and held else None,
        "source": sweep.command_source if sweep else None,
    }
