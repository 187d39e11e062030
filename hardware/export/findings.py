"""This file is the findings: what was made of the sweeps, and what the user noted, as tables of a processing module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.decision import Decision
from hardware.export.table import flattened, plain, table
from hardware.export.traces import response_name
from hardware.kept.loss import Loss
from hardware.kept.marks import Mark
from hardware.kept.session import KeptSession
from hardware.kept.sweep import KeptSweep

__all__ = ["findings"]

_MISSING = float("nan")
_SWEEP = "Number of the sweep, from 0; its series end in it."
_QUANTILES = {
    "q05": "5 % quantile of the marginal posterior, in the parameter's unit.",
    "q25": "25 % quantile of the marginal posterior, in the parameter's unit.",
    "median": "Median of the marginal posterior, in the parameter's unit.",
    "q75": "75 % quantile of the marginal posterior, in the parameter's unit.",
    "q95": "95 % quantile of the marginal posterior, in the parameter's unit.",
    "model_error": "Share of the variance that is the model's own error, 0 to 1; NaN where it was not inferred.",
}
_TRUST = {
    "sweep": _SWEEP,
    "in_distribution": "Whether the observation lies inside what the network was trained on.",
    "score": "0 to 1, where 1 is typical: the smallest p-value of the checks that could be made.",
    "reason": "What is wrong or worth knowing, as sentences.",
    "sweeps_used": "How many sweeps the posterior rests on.",
    "latency_features": "Time from the end of the sweep to its features [ms].",
    "latency_posterior": "Time from the features to the posterior [ms]; NaN where there is none.",
    "latency_total": "Time from the end of the sweep to the posterior [ms].",
}
_MARKS = {
    "sample": "Samples received since the session began.",
    "sweep": "Number of the sweep, -1 for none.",
    "time": "When, ISO 8601.",
    "note": "What the user wrote.",
}
_DECISIONS = {
    "stage": "Number of the stage in the script, from 0; -1 for the script as a whole.",
    "kind": "Kind of the stage.",
    "event": "Began, measured, met, missed, chose, late, predicted, ended, stopped, finished, or taken over.",
    "said": "The decision with its reason, as a sentence.",
    "criterion": "Key of the criterion in the script, or nothing.",
    "measured": "What was held against the criterion, in its unit; NaN where it is unknown.",
    "bound": "Where the criterion lies, in its unit; NaN where there is none.",
    "unit": "Unit of both.",
    "sample": "Samples received since the session began.",
    "sweeps": "Sweeps that had begun.",
    "time": "When, ISO 8601.",
}
_TESTS = {
    "test": "Number of the test, from 0; its series end in it.",
    "response": "Name of the series in acquisition.",
    "start": "When the first sample was taken, ISO 8601; empty where that is not known.",
    "complete": "Whether the test was finished, so that something was read off it.",
    "clamp": "Clamp mode: current or voltage.",
    "stage": "How far the patch had come: bath, sealing, seal, whole cell or lost.",
    "access_MOhm": "Series resistance between amplifier and cell [MOhm]; NaN where the test can't tell it, as below.",
    "resistance_MOhm": "Of the membrane [MOhm].",
    "capacitance_pF": "Of the membrane [pF].",
    "tau_ms": "Time constant of the settling [ms].",
    "holding_pA": "Current at rest in voltage clamp, command at rest in current clamp [pA].",
    "potential_mV": "Command at rest in voltage clamp, voltage at rest in current clamp [mV].",
    "explained": "Share of the settling's variance that one exponential explains.",
    "alarms": "Rules that it breaks, as sentences.",
}
_MEASURED = [name for name in _TESTS if "_" in name or name == "explained"]
_LOST = {
    "where": "Sweep, membrane test or segment.",
    "first_sample": "Index of the first sample that is missing; -1 where there is none at all.",
    "samples": "How many are missing; -1 where that is not known.",
    "reason": "Why.",
}
_TAKEN = {"features", "posterior", "sweeps_used", "trust", "latency_ms", "stimulus", "marks", "trial"}


def findings(session: KeptSession, losses: Sequence[Loss], meanings: Mapping[str, str]) -> list[Any]:
    """Make the tables.

    Args:
        session: The recording.
        losses: All that is missing.
        meanings: What each feature means, with its unit.

    Returns:
        The `DynamicTable` of everything of which there is something.
    """
    read = [sweep for sweep in session.sweeps if sweep.features or sweep.summary]
    names = list(dict.fromkeys(name for sweep in read for name in sweep.features))
    told = {"sweep": _SWEEP} | {plain(n): meanings.get(n, f"Feature '{plain(n)}' of the sweep.") for n in names}
    made = [
        table(
            "features", "What was read off each sweep; NaN where it has no such thing.", told, _features(read, names)
        ),
        table(
            "posterior",
            "Marginal posterior of each parameter, given all sweeps up to this one.",
            {"sweep": _SWEEP, "parameter": "Name of the parameter.", "unit": "Its unit."} | _QUANTILES,
            [row for sweep in read for row in _posterior(sweep)],
        ),
        table("trust", "Whether the posterior can be believed, and how long it took.", _TRUST, [*map(_trust, read)]),
        table("marks", "Moments that the user marked.", _MARKS, [*map(_mark, session.marks)]),
        table("decisions", "What a script decided, and why.", _DECISIONS, [*map(_decision, session.decisions)]),
        table("membrane_tests", "What was read off each membrane test.", _TESTS, [*map(_test, session.tests)]),
        table("lost", "What the recording lacks; traces hold NaN there.", _LOST, [*map(_lost, losses)]),
        table(
            "notes_of_trials",
            "Whatever else was kept of each trial.",
            {"sweep": _SWEEP, "key": "Names that lead to the value, joined by dots.", "value": "The value, as text."},
            [row for sweep in read for row in _others(sweep)],
        ),
        table(
            "metadata",
            "What describes the session: rig, network, protocol, gains, and what the user said.",
            {"key": "Names that lead to the value, joined by dots.", "value": "The value, as text."},
            [{"key": key, "value": value} for key, value in flattened(session.metadata)],
        ),
    ]
    return [made_table for made_table in made if made_table is not None]


def _features(sweeps: Sequence[KeptSweep], names: Sequence[str]) -> list[dict[str, Any]]:
    if not names:
        return []
    return [
        {"sweep": sweep.index} | {plain(name): sweep.features.get(name, _MISSING) for name in names} for sweep in sweeps
    ]


def _posterior(sweep: KeptSweep) -> Iterator[dict[str, Any]]:
    for name, marginal in _mapping(sweep.summary.get("posterior")).items():
        marginal = _mapping(marginal)
        row = {"sweep": sweep.index, "parameter": plain(name), "unit": plain(marginal.get("unit") or "")}
        yield row | {key: _number(marginal.get(key)) for key in _QUANTILES}


def _trust(sweep: KeptSweep) -> dict[str, Any]:
    trust, latency = _mapping(sweep.summary.get("trust")), _mapping(sweep.summary.get("latency_ms"))
    return {
        "sweep": sweep.index,
        "in_distribution": trust.get("in_distribution") is True,
        "score": _number(trust.get("score")),
        "reason": plain(trust.get("reason") or ""),
        "sweeps_used": _number(sweep.summary.get("sweeps_used")),
        "latency_features": _number(latency.get("features")),
        "latency_posterior": _number(latency.get("posterior")),
        "latency_total": _number(latency.get("total")),
    }


def _test(test: KeptSweep) -> dict[str, Any]:
    said, start = test.summary, test.provenance.start
    alarms = said.get("alarms")
    told = [str(_mapping(alarm).get("text", "")) for alarm in alarms] if isinstance(alarms, list) else []
    return {
        "test": test.index,
        "response": response_name(test),
        "start": start.isoformat() if start else "",
        "complete": test.complete,
        "clamp": test.stimulus.clamp,
        "stage": plain(said.get("stage") or ""),
        **{name: _number(said.get(name)) for name in _MEASURED},
        "alarms": plain(" ".join(told)),
    }


def _others(sweep: KeptSweep) -> Iterator[dict[str, Any]]:
    for key, value in flattened({k: v for k, v in sweep.summary.items() if k not in _TAKEN}):
        yield {"sweep": sweep.index, "key": key, "value": value}


def _mark(mark: Mark) -> dict[str, Any]:
    return {"sample": mark.sample, "sweep": mark.sweep, "time": plain(mark.time), "note": plain(mark.text)}


def _decision(decision: Decision) -> dict[str, Any]:
    told = {name: getattr(decision, name) for name in _DECISIONS}
    return {name: plain(value) if isinstance(value, str) else value for name, value in told.items()}


def _lost(loss: Loss) -> dict[str, Any]:
    first, samples = (-1 if value is None else value for value in (loss.first, loss.samples))
    return {"where": plain(loss.where), "first_sample": first, "samples": samples, "reason": plain(loss.reason)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float:
    """Read a number of a JSON object, NaN where there is none."""
    try:
        return float(value) if isinstance(value, int | float) else _MISSING
    except OverflowError:
        return _MISSING
