"""This file is the experiment: a script as it is played over one session, with each decision and its reason."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hardware.decision import Decision, Event
from hardware.pulse import CURRENT, VOLTAGE, Pulse
from rig_plugin.criterion import CRITERIA, seal_of, told
from rig_plugin.dosing import Dosing
from rig_plugin.membrane_tests import Tested
from rig_plugin.plug import Course, Outcome, Plugs, Scene
from rig_plugin.probe import Probe
from rig_plugin.protocol import Asked, BrokenOff, Fixed, family
from rig_plugin.script import Script, titled
from rig_plugin.stages import (
    AdaptiveStage,
    DrugStage,
    FamilyStage,
    MembraneTestStage,
    RestStage,
    Stage,
    WaitStage,
    kind_of,
)
from rig_plugin.stretch import Hold
from rig_plugin.trial import Trial
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus

__all__ = ["Experiment", "ExperimentStopped"]

_SAME = 1.0
"""Holding currents that differ by less are one [pA]."""

Part = Generator[Stimulus | Asked | Decision | Dosing, Trial | None, Outcome]


class ExperimentStopped(Refusal):
    """An experiment ended before its script did; the message says in which stage, and why."""


@dataclass(eq=False)
class _Tests:
    """Tests of one stage as they come."""

    duration: float
    wanted: dict[str, float]
    stops: dict[str, float]
    begun: datetime | None = None
    count: int = 0
    last: Tested | None = None
    seal: float = math.nan
    rest: float = math.nan
    found: dict[str, float] = field(default_factory=dict)
    broken: str | None = None

    def hear(self, tested: Tested, moment: datetime) -> bool:
        """Take a test; tell whether it was the last that is wanted."""
        self.begun = self.begun or moment
        self.count, self.last = self.count + 1, tested
        self.found = self._read(tested)
        self.broken = next((k for k, b in self.stops.items() if _breaks(k, self.found[k], b)), None)
        is_met = bool(self.wanted) and self.is_met
        return self.broken is not None or is_met or moment - self.begun >= timedelta(milliseconds=self.duration)

    @property
    def is_met(self) -> bool:
        """Whether the last test meets all that is waited for."""
        return all(CRITERIA[key].holds(self.found.get(key, math.nan), bound) for key, bound in self.wanted.items())

    def _read(self, tested: Tested) -> dict[str, float]:
        said, is_whole = tested.membrane, tested.stage == "whole cell"
        if tested.stage in ("sealing", "seal"):
            self.seal = max(0.0 if math.isnan(self.seal) else self.seal, seal_of(tested))
        in_voltage = is_whole and said.clamp == "voltage"
        rest = said.potential if is_whole and said.clamp == "current" else math.nan
        drift, self.rest = rest - self.rest, rest
        return {
            "seal_GOhm": self.seal,
            "access_MOhm": said.access if in_voltage else math.nan,
            "holding_pA": said.holding if in_voltage else math.nan,
            "rest_mV": rest,
            "drift_mV": drift,
        }


class Experiment:
    """A script on its way.

    Args:
        script: What is played.
        scene: Where.
        plugs: What plays the stages whose sweeps somebody else chooses.
        first: Number of the first stage that is played; those before it are over.
        before: Sentence on each stage that is over.
    """

    def __init__(self, script: Script, scene: Scene, plugs: Plugs, first: int = 0, before: str = "") -> None:
        self._script, self._scene, self._plugs = script, scene, plugs
        self._first, self._before = first, before
        self._at = first
        self._last: Trial | None = None
        self._rest: tuple[float, float] | None = None

    def protocol(self) -> Fixed:
        """Play the stages in order.

        Yields:
            What is asked for, and each decision when it is made; where it is broken off, in which stage that was.

        Raises:
            ExperimentStopped: If a criterion is not met, or one of [stop] is broken; the decision was yielded.
        """
        try:
            yield from self._through()
        except BrokenOff as broken:
            kind = kind_of(self._script.stages[self._at])
            where = f"{titled(self._at, kind)}, which is not over"
            said = f"Somebody ended the session in {where}."
            if broken.reason is not None:
                said = f"The session failed in {where}: {broken.reason}"
            yield Decision(self._at, kind, "stopped", said)

    def _through(self) -> Fixed:
        stages = self._script.stages
        for k, stage in enumerate(stages[: self._first]):
            yield Decision(k, kind_of(stage), "taken over", f"{titled(k, kind_of(stage)).capitalize()} {self._before}")
        for k, stage in enumerate(stages[self._first :], self._first):
            self._at, kind = k, kind_of(stage)
            yield Decision(k, kind, "began", f"{titled(k, kind).capitalize()} of {len(stages)} begins.")
            outcome = yield from self._play(k, stage)
            said = f"{titled(k, kind).capitalize()} is over: {outcome.said}"
            yield Decision(
                k, kind, "ended", said, outcome.criterion, outcome.measured, outcome.bound, outcome.unit
            )  # fmt: skip
        yield Decision(-1, "", "finished", f"All {len(stages)} stages of the script are over.")

    def _play(self, k: int, stage: Stage) -> Part:
        if isinstance(stage, MembraneTestStage):
            return (yield from self._test(k, stage))
        if isinstance(stage, WaitStage):
            return (yield from self._wait(k, stage))
        if isinstance(stage, RestStage):
            yield Hold(stage.level, stage.duration)
            return Outcome(f"{stage.level:g} pA were held for {stage.duration / 1e3:g} s.")
        if isinstance(stage, FamilyStage):
            return (yield from self._watched(k, kind_of(stage), _once(stage)))
        return (yield from self._plugged(k, stage))

    def _plugged(self, k: int, stage: AdaptiveStage | DrugStage) -> Part:
        kind = kind_of(stage)
        play = self._plugs.of(kind)
        if play is None:
            raise ExperimentStopped(f"Nobody plays {titled(k, kind)}.")
        return (yield from self._watched(k, kind, play(stage, replace(self._scene, last=self._last))))

    def _test(self, k: int, stage: MembraneTestStage) -> Part:
        tests = _Tests(stage.lasts or math.inf, {}, self._told(stage.clamp))
        yield self._probe(stage.clamp, tests)
        yield Decision(k, kind_of(stage), "measured", _described(tests))
        if tests.broken is not None:
            yield from self._stop(k, stage, tests.broken, tests.found[tests.broken])
        return Outcome(f"{tests.count} test{'s' if tests.count != 1 else ''} in {stage.clamp} clamp were made.")

    def _wait(self, k: int, stage: WaitStage) -> Part:
        tests = _Tests(stage.within, stage.bounds, {})
        yield self._probe(stage.clamp, tests)
        missed = []
        for key, bound in stage.bounds.items():
            criterion, measured = CRITERIA[key], tests.found.get(key, math.nan)
            event: Event = "met" if criterion.holds(measured, bound) else "missed"
            missed += [criterion.name] if event == "missed" else []
            yield told(criterion, measured, bound, k, kind_of(stage), event)
        if not missed:
            return Outcome(f"test {tests.count} met all that was waited for.")
        said = f"{' and '.join(missed)} did not come within {stage.within / 1e3:g} s"
        if stage.otherwise == "stop":
            yield from self._end(Decision(k, kind_of(stage), "stopped", f"{said[0].upper()}{said[1:]}."))
        return Outcome(f"{said}, and the script goes on all the same.", is_reached=False)

    def _probe(self, clamp: str, tests: _Tests) -> Probe:
        settings = self._scene.settings
        pulse: Pulse = VOLTAGE if clamp == "voltage" else replace(CURRENT, holding=settings.protocol.holding)
        corner = settings.electrode.corner if settings.rig.kind == "model-cell" else 0.0
        return Probe(pulse, settings.quality, tests.hear, corner)

    def _told(self, clamp: str) -> dict[str, float]:
        """Give the bounds of [stop] that a test in this clamp tells; a drift is one of sweeps."""
        bounds = self._script.stops.bounds
        return {key: bound for key, bound in bounds.items() if CRITERIA[key].clamp == clamp and key != "drift_mV"}

    def _watched(self, k: int, kind: str, course: Course) -> Part:
        """Play sweeps, each of which is held against [stop] when its trial is there."""
        with contextlib.closing(course):
            trial: Trial | None = None
            while True:
                try:
                    asked = course.send(trial)
                except StopIteration as end:
                    outcome: Outcome = end.value
                    return outcome
                except Refusal as refusal:
                    yield from self._end(Decision(k, kind, "stopped", str(refusal)))
                    raise
                # Who chooses does not know which stage that is.
                trial = yield replace(asked, stage=k, kind=kind) if isinstance(asked, Decision) else asked
                if trial is None:
                    continue
                self._last = trial
                # A cell under a drug is another one, by intention.
                if kind != "drug":
                    yield from self._judge(k, kind, trial)

    def _judge(self, k: int, kind: str, trial: Trial) -> Generator[Decision, None, None]:
        stops, stage = self._script.stops, self._script.stages[k]
        if stops.on_distrust == "stop" and not trial.trust.in_distribution:
            reason = trial.trust.reason or "No reason was given."
            yield from self._end(
                Decision(k, kind, "stopped", f"Sweep {trial.index} is not trusted: {reason}", "on_distrust")
            )
        rest = trial.features.get("rest", math.nan)
        holding = trial.sweep.stimulus.holding if trial.sweep and trial.sweep.stimulus else math.nan
        if self._rest is None and math.isfinite(rest) and trial.trust.in_distribution:
            self._rest = (holding, rest)
        same = self._rest is not None and abs(holding - self._rest[0]) <= _SAME
        drift = rest - self._rest[1] if self._rest is not None and same else math.nan
        for key, measured in (("rest_mV", rest), ("drift_mV", drift)):
            if key in stops.bounds and _breaks(key, measured, stops.bounds[key]):
                yield from self._stop(k, stage, key, measured)

    def _stop(self, k: int, stage: Stage, key: str, measured: float) -> Generator[Decision, None, None]:
        bound = self._script.stops.bounds[key]
        yield from self._end(
            told(CRITERIA[key], measured, bound, k, kind_of(stage), "stopped", f" ([stop] {key})")
        )  # fmt: skip

    def _end(self, decision: Decision) -> Generator[Decision, None, None]:
        """Say why, and end; the session leaves the cell at its exit level."""
        yield decision
        where = f"{titled(decision.stage, decision.kind)} of {len(self._script.stages)}"
        level = self._scene.rig.exit_level
        raise ExperimentStopped(
            f"The experiment stopped in {where}, with the cell at its exit level of {level:g} pA. {decision.said}"
        )


def _once(stage: FamilyStage) -> Course:
    """Play a family until it is through."""
    stimuli = stage.protocol.stimuli()
    playing = family(stimuli)
    trial: Trial | None = None
    passed = 0
    for _ in stimuli:
        asked = playing.send(trial)
        if isinstance(asked, Probe | Decision | Dosing):
            continue
        trial = yield asked
        passed += trial is None
    left = f", {passed} of which were passed over" if passed else ""
    return Outcome(f"its {len(stimuli)} sweep{'s are' if len(stimuli) != 1 else ' is'} through{left}.")


def _breaks(key: str, measured: float, bound: float) -> bool:
    """Tell whether a number is known and bad."""
    return not math.isnan(measured) and not CRITERIA[key].holds(measured, bound)


def _described(tests: _Tests) -> str:
    """Say what the last test of a stage measured."""
    if tests.last is None:
        return "No test was made."
    said = tests.last.membrane
    numbers = (
        ("access", said.access, "MOhm"),
        ("input resistance", said.resistance, "MOhm"),
        ("capacitance", said.capacitance, "pF"),
        ("holding", said.holding, "pA"),
        ("potential", said.potential, "mV"),
    )
    shown = ", ".join(f"{name} {value:.3g} {unit}" for name, value, unit in numbers if math.isfinite(value))
    alarms = " ".join(alarm.text for alarm in tests.last.alarms)
    return f"The last test, in {said.clamp} clamp: {tests.last.stage}, {shown}. {alarms}".strip()
