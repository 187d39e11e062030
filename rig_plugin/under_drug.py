"""This file is the sweep under a drug: the dynamic clamp is on while it is played, and what came of it is kept apart.

Its cell is another one, so it never enters the set of sweeps that a posterior rests on: it is neither predicted nor
observed, and its trial shows the posterior as it was, with the reason.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

import numpy as np
import numpy.typing as npt

from estimators.context import Context
from estimators.observer import Observer, Verdict
from estimators.prequential import Prediction
from hardware.block import Block
from hardware.dynamic_clamp import DynamicClamp
from hardware.rig import Rig, RigError
from rig_plugin.protocol import Clamps, Request
from simulators.parameter import Parameter
from simulators.stimulus import Stimulus
from simulators.sweep import Sweep

__all__ = ["blocks", "foreseen", "judged", "kept"]


def blocks(rig: Rig, stimulus: Stimulus, request: Request) -> Generator[Block, None, None]:
    """Play a stimulus, with the request's conductances added to the cell meanwhile.

    However it ends, nothing is added afterwards.

    Args:
        rig: Open.
        stimulus: What is played.
        request: That asked for it.

    Yields:
        The rig's blocks.

    Raises:
        RigError: If the rig has no dynamic clamp, or it does not take these conductances; nothing was put out then.
    """
    if request.clamp is None:
        yield from rig.play(stimulus)
        return
    if not isinstance(rig, Clamps):
        raise RigError(
            f"A sweep was asked for with {_listed(request.clamp)} added and this rig has no dynamic clamp that can be "
            "told so: use the simulated cell or the serial device, or leave the drug out."
        )
    rig.clamp(request.clamp)
    try:
        with closing(rig.play(stimulus)) as played:  # type: ignore[type-var]
            yield from played
    finally:
        rig.clamp(None)


def foreseen(observer: Observer, coming: Context, stimulus: Stimulus) -> Prediction | None:
    """Predict a sweep from those before it, unless it is under a drug.

    Args:
        observer: Who predicts.
        coming: Circumstances of the sweep.
        stimulus: What the cell gets, with its doses.

    Returns:
        The prediction, or None.
    """
    return None if stimulus.is_dosed else observer.expect(coming)


def judged(
    observer: Observer,
    sweep: Sweep,
    parameters: Sequence[Parameter],
    row: npt.NDArray[np.float64],
    context: Context,
    prediction: Prediction | None,
    refusal: str | None,
) -> Verdict:
    """Infer from a sweep, or leave it aside where it is under a drug.

    Args:
        observer: Who infers.
        sweep: Whose stimulus tells of the drug, live and in a recording alike.
        parameters: Whose units the doses have.
        row: Its features, shape (f,).
        context: Its circumstances.
        prediction: Made before it.
        refusal: Why it can't be used, or None.

    Returns:
        What is thought of the cell now.
    """
    if sweep.stimulus is None or not sweep.stimulus.is_dosed:
        return observer.observe(row, context, prediction, refusal)
    reason = f"Recorded under a virtual drug ({_told(sweep.stimulus, parameters)}): no posterior rests on this sweep."
    return observer.aside(reason if refusal is None else f"{refusal.rstrip('.')}. {reason}")


def kept(request: Request) -> Mapping[str, object]:
    """Say what a recording keeps of the drug beside the trial.

    Args:
        request: That asked for the sweep.

    Returns:
        {"phase"} of a sweep that belongs to an experiment with a drug, and {"drug"} of one under it; else nothing.
    """
    told: dict[str, object] = {} if request.phase is None else {"phase": request.phase}
    if request.clamp is not None:
        told["drug"] = {
            "conductances": [
                {"name": one.name, "maximum_nS": one.maximum, "reversal_mV": one.reversal}
                for one in request.clamp.conductances
            ],
            "clip_pA": request.clamp.clip,
        }
    return told


def _told(stimulus: Stimulus, parameters: Sequence[Parameter]) -> str:
    """Say what is done to the cell, each conductance once."""
    units = {parameter.name: parameter.unit for parameter in parameters}
    found = {dose.conductance: dose for epoch in stimulus.epochs for dose in epoch.doses}
    said = []
    for name, dose in found.items():
        left = [f"{100.0 * dose.factor:.3g} % of {name} left"] if dose.factor != 1.0 else []
        verb = "taken away" if dose.added < 0 else "added"
        size = f"{abs(dose.added):.3g} {units.get(name, '')}".strip()
        said += [*left, *([f"{size} of {name} {verb}"] if dose.added else [])]
    return ", ".join(said) or "without effect"


def _listed(clamp: DynamicClamp) -> str:
    return ", ".join(f"{one.name} of {one.maximum:+.3g} nS" for one in clamp.conductances) or "nothing"
