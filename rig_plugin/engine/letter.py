"""This file is the letter: what goes between engine and window as JSON, so that neither has to trust what it unpacks.

Arrays are not in it: it says where on the shared rings they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.shift import Shift
from hardware.membrane import Membrane
from rig_plugin.engine.trust_letter import told_trust, trust_of
from rig_plugin.membrane_tests import Tested
from rig_plugin.proposal import Candidate, Proposed
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.rule import Alarm
from rig_plugin.stages import DrugStage
from rig_plugin.trial import Latency, Posterior, Trial
from simulators.parameter import Parameter
from simulators.stimulus import Dose, Epoch, Stimulus
from simulators.sweep import Junction, Sweep

__all__ = [
    "drug_of", "open_letter", "proposal_of", "protocol_of", "seal", "stimulus_of", "sweep_of", "test_of",
    "told_stimulus", "told_test", "told_trial", "trial_of",
]  # fmt: skip

Array = npt.NDArray[np.float64]


def seal(event: str, **rest: object) -> bytes:
    """Write a letter.

    Args:
        event: What it is about.
        rest: What it says; numbers, texts, lists and mappings.

    Returns:
        Its bytes.
    """
    return json.dumps({"event": event, **rest}, allow_nan=False).encode()


def open_letter(letter: bytes) -> dict[str, Any]:
    """Read a letter.

    Args:
        letter: As `seal` made it.

    Returns:
        What it says, with its event.
    """
    return dict(json.loads(letter))


def told_stimulus(stimulus: Stimulus) -> dict[str, Any]:
    """Lay a stimulus out for a letter."""
    return asdict(stimulus)


def stimulus_of(told: Mapping[str, Any]) -> Stimulus:
    """Read a stimulus from a letter."""
    epochs = [Epoch(e["level"], e["duration"], tuple(Dose(**dose) for dose in e["doses"])) for e in told["epochs"]]
    return Stimulus(told["clamp"], tuple(epochs), told["observed"])


def protocol_of(told: Mapping[str, Any]) -> ProtocolSettings:
    """Read a protocol's settings from a letter, in which they lie as `asdict` has them."""
    return ProtocolSettings(**{**told, "amplitudes": tuple(told["amplitudes"])})


def drug_of(told: Mapping[str, Any]) -> DrugStage:
    """Read a virtual drug from a letter, in which it lies as `asdict` has it."""
    return DrugStage(**{**told, "protocol": protocol_of(told["protocol"])})


def told_trial(trial: Trial) -> dict[str, Any]:
    """Lay a trial out for a letter, but for the arrays."""
    return {
        "index": trial.index,
        "file_sweep": trial.file_sweep,
        "features": {name: _number(value) for name, value in trial.features.items()},
        "sweeps_used": trial.sweeps_used,
        "trust": told_trust(trial.trust),
        "latency": asdict(trial.latency),
        "next_stimulus": trial.next_stimulus and dict(trial.next_stimulus),
        "predictive": {name: [_number(end) for end in ends] for name, ends in trial.predictive.items()},
        "sweep": trial.sweep and _told_sweep(trial.sweep),
        "membrane": trial.membrane and _told_membrane(trial.membrane),
        "shifts": None if trial.shifts is None else [asdict(shift) for shift in trial.shifts],
    }


def trial_of(
    told: Mapping[str, Any], parameters: Sequence[Parameter], draws: Array | None, sweep: Sweep | None
) -> Trial:
    """Read a trial from a letter.

    Args:
        told: As `told_trial` laid it out.
        parameters: What the draws are of.
        draws: From the posterior, shape (s, p), or None where it was withheld.
        sweep: What was put out and answered, or None where it could not be read as a sweep.

    Returns:
        The trial.
    """
    trial = Trial(
        index=told["index"],
        file_sweep=told["file_sweep"],
        sweep=sweep,
        features={name: _float(value) for name, value in told["features"].items()},
        posterior=None if draws is None else Posterior(tuple(parameters), draws),
        sweeps_used=told["sweeps_used"],
        trust=trust_of(told["trust"]),
        latency=Latency(**told["latency"]),
        next_stimulus=told["next_stimulus"],
        predictive={name: (_float(a), _float(b), _float(c)) for name, (a, b, c) in told["predictive"].items()},
        shifts=None if told["shifts"] is None else tuple(_shift_of(each) for each in told["shifts"]),
    )
    # It was read from the pulse already, which takes longer than the window has for a frame.
    vars(trial)["membrane"] = told["membrane"] and _membrane_of(told["membrane"])
    return trial


def told_test(tested: Tested) -> dict[str, Any]:
    """Lay a membrane test out for a letter."""
    return asdict(tested) | {"membrane": _told_membrane(tested.membrane)}


def test_of(told: Mapping[str, Any]) -> Tested:
    """Read a membrane test from a letter."""
    found = tuple(Alarm(**alarm) for alarm in told["alarms"])
    return Tested(told["index"], _membrane_of(told["membrane"]), told["stage"], found)


def proposal_of(told: Mapping[str, Any]) -> Proposed:
    """Read a proposal from a letter, in which it lies as `asdict` has it."""
    weighed = [Candidate(stimulus_of(each["stimulus"]), each["gain"], each["error"]) for each in told["candidates"]]
    return Proposed(**{**told, "stimulus": stimulus_of(told["stimulus"]), "candidates": tuple(weighed)})


def _told_membrane(said: Membrane) -> dict[str, Any]:
    """Lay a membrane out; what it can't tell is None, be it missing or without end."""
    return {name: _number(value) if isinstance(value, float) else value for name, value in asdict(said).items()}


def _membrane_of(told: Mapping[str, Any]) -> Membrane:
    """Read a membrane from a letter."""
    return Membrane(told["clamp"], **{name: _float(value) for name, value in told.items() if name != "clamp"})


def _shift_of(told: Mapping[str, Any]) -> Shift:
    """Read a shift from a letter, in which it lies as `asdict` has it."""
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Shift(**fields)


def _told_sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "rate": sweep.rate,
        "stimulus": sweep.stimulus and told_stimulus(sweep.stimulus),
        "clamp": sweep.clamp,
        "start": sweep.start and sweep.start.isoformat(),
        "command_source": sweep.command_source,
        "holding_source": sweep.holding_source,
        "junction": asdict(sweep.junction),
        "bridge": sweep.bridge,
        "has_command": sweep.command is not None,
    }


def sweep_of(told: Mapping[str, Any], response: Array, command: Array) -> Sweep:
    """Read a sweep from a letter.

    Args:
        told: As `told_trial` laid it out.
        response: Its samples, shape (n,).
        command: As many; not looked at where the sweep has none.

    Returns:
        The sweep.
    """
    return Sweep(
        response=response,
        rate=told["rate"],
        stimulus=stimulus_of(told["stimulus"]) if told["stimulus"] else None,
        command=command if told["has_command"] else None,
        clamp=told["clamp"],
        start=datetime.fromisoformat(told["start"]) if told["start"] else None,
        command_source=told["command_source"],
        holding_source=told["holding_source"],
        junction=Junction(**told["junction"]),
        bridge=told["bridge"],
    )


def _number(value: float) -> float | None:
    """Write what JSON has no number for as None."""
    return float(value) if math.isfinite(value) else None


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
