"""This file is the benchmark of virtual pharmacology: whether cells under a virtual drug do what was predicted of them.

Each cell plays a family of steps, from which the posterior comes; then some of them under a clamp that takes most of
g_M away, or as much of that as the posterior says the cell can bear, and again without. Cells of the network's model
tell how often 90 % intervals hold, with the model's error as the network was taught it and without any. Others of them,
without any, fix the level at which one sound cell in twenty is an alarm, and cells of other models tell how many are
one: by the drug, by the prequential score of the family alone, and by both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.designs import draw_set
from estimators.drug_forecast import DrugForecast
from estimators.drug_score import DrugScore, score
from estimators.observer import Observer
from estimators.virtual_drug import DrugError, prescribe
from rig_plugin import opening
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.specimen import Kind, Specimen

__all__ = ["Outcome", "experiment", "measure", "summarized"]

Array = npt.NDArray[np.float64]

_SEED = 20_261_123
_SWEEPS, _DRUGGED = 6, (1, 3, 5)
_DRAWS = 120
_HALVINGS = 4
_LEAST = 1e-6
_ALARMS = 0.05
_LOW, _HIGH, _CAUGHT = 0.87, 0.93, 0.80
_GROUPS: tuple[tuple[str, Kind], ...] = (
    ("calibration", "model"),
    ("model", "model"),
    ("adex", "adex"),
    ("compartments", "compartments"),
    ("erring", "erring"),
)


@dataclass(frozen=True)
class Outcome:
    """What came of one cell.

    Args:
        refusal: Why it got no drug, or None.
        session: p-value of the prequential score over the family; 0 where most of its sweeps could not be used, with
            which a cell is refused before either score is asked.
        drug: What the drug said, or None where it got none.
    """

    refusal: str | None
    session: float
    drug: DrugScore | None

    def evidence(self, by: str) -> float:
        """Give the evidence against the model, more for stranger cells.

        Args:
            by: "session", "drug", "change" or "both".

        Returns:
            Negative logarithm of the session's p-value, logarithm of the strangeness of the experiment with the drug,
                or of the misfit of the change alone, or the sum of the first two; least where there was no drug.
        """
        session = -float(np.log(self.session))
        # The share of the posterior's draws ends at one of them; the distance itself goes on.
        drug = float(np.log(_LEAST if self.drug is None else self.drug.strangeness + _LEAST))
        change = float(np.log(_LEAST if self.drug is None else self.drug.misfit + _LEAST))
        return {"session": session, "drug": drug, "change": change, "both": session + drug}[by]


def measure(
    peers: bool = True, cells: int = 40, network: Path | None = None, conductance: str = "g_M", factor: float = -0.8
) -> list[dict[str, Any]]:
    """Measure.

    Args:
        peers: There are none.
        cells: Of each kind; of the network's own model without an error twice as many.
        network: A checkpoint; the first that ships without it.
        conductance: That the drug acts on.
        factor: What is added, in multiples of the cell's own.

    Returns:
        Figures: coverage of 90 % on cells of the model, with the error that the network was taught and without any, and
            its standard error over cells (aims 87 % and 93 %); of those with it, CRPS of posterior, prior and no change
            and the share of each verdict; and shares of alarms by each score.
    """
    checkpoint = opening.network(network)
    outcomes: dict[str, list[Outcome]] = {}
    for number, (name, kind) in enumerate(_GROUPS):
        begun = time.monotonic()
        outcomes[name] = [
            experiment(checkpoint, kind, np.random.default_rng([_SEED, number, k]), conductance, factor)
            for k in range(cells)
        ]
        click.echo(f"{name}: {cells} cells, {time.monotonic() - begun:.0f} s", err=True)
    return summarized(outcomes)


def experiment(
    checkpoint: Checkpoint, kind: Kind, rng: np.random.Generator, conductance: str = "g_M", factor: float = -0.8
) -> Outcome:
    """Do it to one cell.

    Args:
        checkpoint: The network.
        kind: Of the cell.
        rng: Source of randomness.
        conductance: That the drug acts on.
        factor: What is added, in multiples of the cell's own.

    Returns:
        What came of it.
    """
    family = _family(checkpoint, rng)
    drugged = [family[k] for k in _DRUGGED]
    specimen = Specimen(kind, checkpoint, [*family, *drugged, *drugged], rng)
    rows = specimen.play(range(_SWEEPS))
    observer = Observer(checkpoint, int(rng.integers(2**31)))
    used, session, draws = 0, 1.0, None
    for row, context in zip(rows, family, strict=True):
        verdict = observer.observe(row, context, observer.expect(context))
        used, draws = verdict.sweeps_used, verdict.draws
        session = next((check.p for check in verdict.checks if check.name == "session"), session)
    if used < _SWEEPS // 2:
        return Outcome("Most of its sweeps could not be used.", 0.0, None)
    forecast, refusal = _forecast(checkpoint, draws, drugged, conductance, factor)
    if forecast is None:
        return Outcome(refusal, session, None)
    under = specimen.play(range(_SWEEPS, _SWEEPS + 3), forecast.drug.injected)
    after = specimen.play(range(_SWEEPS + 3, _SWEEPS + 6))
    return Outcome(None, session, score(forecast, rows[list(_DRUGGED)], under, after, rng))


def _forecast(
    checkpoint: Checkpoint, draws: Array | None, contexts: Sequence[Context], conductance: str, factor: float
) -> tuple[DrugForecast | None, str | None]:
    """Make a drug and predict it; one that is refused is halved, as the refusal says, up to three times."""
    refusal = None
    for halvings in range(_HALVINGS):
        try:
            drug = prescribe(checkpoint.spec, draws, conductance, factor * 0.5**halvings)
            forecast = DrugForecast(checkpoint, np.asarray(draws), drug, contexts, 0, _DRAWS)
            forecast.check()
        except DrugError as error:
            refusal = str(error)
            continue
        return forecast, None
    return None, refusal


def _family(checkpoint: Checkpoint, rng: np.random.Generator) -> list[Context]:
    """Draw a family as in training, with a baseline in which a clamp settles and nothing before it."""
    designs = checkpoint.spec.designs
    table = draw_set(designs, rng, _SWEEPS, "family")
    rows = [Context(*(float(row[CONTEXT.index(name)]) for name in CONTEXT)) for row in table]
    plain = {"history_level": 0.0, "history_duration": 0.0, "history_gap": 0.0, "holding_known": 1.0, "rate": 20.0}
    return [replace(row, baseline=designs.baseline[1], tail=100.0, **plain) for row in rows]


def summarized(outcomes: dict[str, list[Outcome]]) -> list[dict[str, Any]]:
    """Lay out what came of all cells.

    Args:
        outcomes: Of each cell, by the name of its group.

    Returns:
        Figures.
    """
    rows = [
        _coverage("coverage_90", outcomes["erring"]),
        _coverage("coverage_90_without_error", [*outcomes["calibration"], *outcomes["model"]]),
    ]
    given = [outcome.drug for outcome in outcomes["erring"] if outcome.drug is not None]
    for name in ("posterior", "prior", "no change"):
        values = [drug.scores[name] for drug in given if np.isfinite(drug.scores[name])]
        value = float(np.mean(values)) if values else None
        rows.append(Figure(f"crps_{name.replace(' ', '_')}", value, "1", len(values)).row())
    for verdict in ("confirmed", "contradicted", "not decided", "cell changed"):
        share = float(np.mean([drug.verdict == verdict for drug in given])) if given else None
        rows.append(Figure(f"{verdict.replace(' ', '_')}", share, "1", len(given)).row())
    for by in ("drug", "change", "session", "both"):
        rows += _alarms(outcomes, by)
    for name, some in outcomes.items():
        rows.append(
            Figure(f"without_drug_{name}", float(np.mean([o.drug is None for o in some])), "1", len(some)).row()
        )
    return rows


def _coverage(name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Tell how much of what was recorded lies in 90 %, cell by cell."""
    shares = np.array([outcome.drug.coverage for outcome in outcomes if outcome.drug is not None])
    shares = shares[np.isfinite(shares)]
    value = float(shares.mean()) if len(shares) else None
    error = float(shares.std() / np.sqrt(len(shares))) if len(shares) else None
    met = None if value is None else _LOW <= value <= _HIGH
    row = Figure(name, value, "1", len(shares), aim=_LOW, better="more").row()
    return row | {"error": error, "aim_most": _HIGH, "met": met}


def _alarms(outcomes: dict[str, list[Outcome]], by: str) -> list[dict[str, Any]]:
    """Tell how many usable cells of each group are alarms, at the level of the cells that it is calibrated on."""
    told = {name: [one.evidence(by) for one in some if one.session > 0.0] for name, some in outcomes.items()}
    level = _level(told["calibration"])
    rows = []
    strangers = [*told["adex"], *told["compartments"]]
    for name, some in (("model", told["model"]), ("adex", told["adex"]), ("compartments", told["compartments"])):
        aim = _CAUGHT if by == "drug" and name != "model" else None
        rows.append(Figure(f"flagged_{name}_by_{by}", _above(some, level), "1", len(some), aim=aim, better="more"))
    aim = _CAUGHT if by == "drug" else None
    rows.append(Figure(f"flagged_by_{by}", _above(strangers, level), "1", len(strangers), aim=aim, better="more"))
    return [row.row() for row in rows]


def _above(evidence: Sequence[float], level: float) -> float | None:
    """Give the share that is above a level, None of nothing."""
    return float((np.asarray(evidence) > level).mean()) if evidence else None


def _level(evidence: Sequence[float]) -> float:
    """Give the evidence that one sound cell in twenty exceeds; without any cell, what none exceeds."""
    if not evidence:
        return float("inf")
    ranked: npt.NDArray[np.float64] = np.sort(np.asarray(evidence))
    return float(ranked[min(len(ranked) - 1, int(np.ceil((1.0 - _ALARMS) * (len(ranked) + 1))) - 1)])
