"""This file is the drug course: the stage of a script that gives a virtual drug, with what it decided and why."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from estimators.drug_forecast import Change, DrugForecast
from estimators.drug_score import CONTRADICTED, STRANGE, DrugScore
from estimators.virtual_drug import DrugError
from hardware.decision import Decision, Event
from rig_plugin.dosing import PHASES
from rig_plugin.drug_outlook import DrugOutlook
from rig_plugin.pharmacology import Pharmacology, table_of
from rig_plugin.plug import Course, Outcome, Scene
from rig_plugin.stages import DrugStage
from rig_plugin.trial import Trial
from simulators.gate_table import GateTable

__all__ = ["drug"]

_KIND = "drug"
_SHOWN = 4
"""Features of which the predicted change is told."""

_EVENTS: dict[str, Event] = {"contradicted": "missed", "cell changed": "missed"}


def drug(stage: DrugStage, scene: Scene) -> Course:
    """Play the family as it is, under the drug, and as it is again.

    The clamp is on only while a sweep under the drug is played, and the posterior rests on the controls alone. A drug
    that can't be given, or that is broken off for the cell's sake, ends the stage and not the experiment.

    Args:
        stage: What is wanted.
        scene: Where.

    Yields:
        What is injected and what is predicted, the sweeps, and the verdict; and how it stands whenever that changes.

    Returns:
        The verdict as a sentence, or why there is none.
    """
    heard: list[DrugForecast | DrugScore | DrugError] = []
    seed = scene.settings.rig.seed or 0
    stimuli = stage.protocol.stimuli()
    experiment = Pharmacology(scene.checkpoint, stimuli, stage.conductance, stage.factor, heard.append, seed=seed)
    playing = experiment.protocol()
    outlook = DrugOutlook(stage.conductance, stage.factor, len(stimuli))
    yield outlook.now
    control: list[Trial] = []
    trial: Trial | None = None
    said = 0
    try:
        while True:
            asked = playing.send(trial)
            for forecast in heard[said:]:
                if isinstance(forecast, DrugForecast):
                    changes = forecast.changes(table_of(control))
                    yield from _before(forecast, changes)
                    yield outlook.foresee(forecast, changes)
            said = len(heard)
            trial = yield asked
            if trial is None or trial.sweep is None or asked.phase is None:
                continue
            control += [trial] if asked.phase == PHASES[0] else []
            yield outlook.take(PHASES.index(asked.phase), trial)
    except StopIteration:
        pass
    finally:
        playing.close()
    last = heard[-1]
    if not isinstance(last, DrugScore):
        yield outlook.withhold(str(last))
        return Outcome(str(last), is_reached=False)
    yield outlook.judge(last)
    is_reached = last.verdict == "confirmed" and not last.is_strange
    event: Event = "met" if is_reached else _EVENTS.get(last.verdict, "measured")
    yield Decision(-1, _KIND, event, _told(last), "p", last.p, CONTRADICTED, "1")
    return Outcome(last.sentence, is_reached, "p", last.p, CONTRADICTED, "1")


def _before(forecast: DrugForecast, changes: tuple[Change, ...]) -> Iterator[Decision]:
    """Say what is injected, and what is predicted of it."""
    given = forecast.drug
    fixed = given.injected
    low, middle, high = forecast.bridge
    gates = (
        "without gates"
        if not fixed.gates
        else f"with the model's gates at the posterior's medians ({', '.join(map(_gate, fixed.gates))})"
    )
    yield Decision(
        -1,
        _KIND,
        "chose",
        f"The dynamic clamp injects {given.conductance} of {fixed.maximum:+.3g} nS, so {given.words}, {gates}, "
        f"reversing at {fixed.reversal:.1f} mV, {fixed.delay:g} ms late, in cycles of {fixed.cycle:g} ms, with at most "
        f"{fixed.clip:g} pA; of the access resistance the bridge leaves {middle:.2g} MOhm ({low:.2g} to {high:.2g}), "
        "through which the clamp sees the cell.",
        "conductance",
        fixed.maximum,
        unit="nS",
    )
    told = "; ".join(_change(change, forecast.contexts[change.sweep].amplitude) for change in changes[:_SHOWN])
    yield Decision(
        -1,
        _KIND,
        "predicted",
        f"Predicted under {given.words}, as changes against control: {told or 'nothing that the network measures'}.",
    )


def _gate(gate: GateTable) -> str:
    """Say how fast a gate is where it is slowest."""
    return f"exponent {gate.exponent}, time constant up to {float(np.max(gate.tau)):.3g} ms"


def _change(change: Change, step: float) -> str:
    unit = "" if change.unit == "1" else f" {change.unit}"
    return (
        f"{change.feature.replace('_', ' ')} at {step:+.4g} pA by {change.median:+.3g}{unit} ({change.low:+.3g} to "
        f"{change.high:+.3g}; the prior {change.prior_low:+.3g} to {change.prior_high:+.3g}, a repeat within "
        f"{abs(change.repeat):.2g})"
    )


def _told(score: DrugScore) -> str:
    """Say the verdict in a word, with what it rests on."""
    inside = sum(within for _, _, within in score.inside)
    back = "; ".join(
        f"{one.name.replace('_', ' ')} {one.before:.4g} before and {one.after:.4g}{'' if one.unit == '1' else ' '}"
        f"{'' if one.unit == '1' else one.unit} after"
        for one in score.returns
    )
    worst = f" Farthest off: {'; '.join(score.worst)}." if score.worst else ""
    strange = (
        f" Controls and drug together lie {score.strangeness:.2g} from what cells of the model do, of which one in "
        f"twenty lies beyond {STRANGE:g}: it is {'no' if score.is_strange else 'like a'} cell of the model."
    )
    return (
        f"Verdict: {score.verdict if score.verdict != 'cell changed' else 'the cell has changed'}. {inside} of "
        f"{len(score.inside)} features under the drug lie in the predicted 90 %. Under control: {back}.{worst}{strange}"
    )
