"""This file is the rehearsal: what of a script can't be played with a rig and a network, found before it begins."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.checkpoint import Checkpoint
from estimators.virtual_drug import DrugError, check_drug
from hardware.rig import Rig
from rig_plugin.criterion import CRITERIA
from rig_plugin.interval import check_interval
from rig_plugin.plug import Plugs
from rig_plugin.protocol import Clamps
from rig_plugin.script import Script, titled
from rig_plugin.settings import Settings, SettingsError
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
from rig_plugin.unread import unread
from simulators.stimulus import Stimulus

__all__ = ["rehearse", "stimuli_of"]


def stimuli_of(script: Script) -> tuple[Stimulus, ...]:
    """List the sweeps that a script names itself.

    Args:
        script: Whose families can be laid out.

    Returns:
        In the order of play; what is chosen in an adaptive stage nobody knows.
    """
    families = [stage.protocol for stage in script.stages if isinstance(stage, FamilyStage | DrugStage)]
    return tuple(stimulus for each in families for stimulus in each.stimuli())


def rehearse(script: Script, settings: Settings, checkpoint: Checkpoint, rig: Rig, plugs: Plugs) -> None:
    """Refuse a script that could not be played to its end.

    Args:
        script: Read already.
        settings: Of the rig file.
        checkpoint: The network.
        rig: Closed; nothing is put out.
        plugs: What plays adaptive stages and drugs.

    Raises:
        SettingsError: With the first fault: it names the stage and the key, and what was wanted.
    """
    for k, stage in enumerate(script.stages):
        fault = next(_faults(stage, script, settings, checkpoint, rig, plugs), None)
        if fault is not None:
            raise SettingsError(f"{script.name or 'The script'}: [{titled(k, kind_of(stage))}] {fault}")
    has_sweeps = any(isinstance(stage, FamilyStage | DrugStage | AdaptiveStage) for stage in script.stages)
    if rig.is_alive or settings.rig.pace != "max":
        check_interval(settings.protocol.interval, stimuli_of(script), is_alive=rig.is_alive and has_sweeps)


def _faults(
    stage: Stage, script: Script, settings: Settings, checkpoint: Checkpoint, rig: Rig, plugs: Plugs
) -> Iterator[str]:
    clamp = stage.clamp if isinstance(stage, MembraneTestStage | WaitStage) else "current"
    yield from _of_clamp(stage, clamp, settings, rig)
    if isinstance(stage, RestStage) and not rig.limits.low <= stage.level <= rig.limits.high:
        yield (
            f"holding_pA is {stage.level:g}, outside the limits [{rig.limits.low:g}, {rig.limits.high:g}] pA: lower it "
            "or raise the limits."
        )
    if isinstance(stage, AdaptiveStage | DrugStage):
        yield from _of_plug(stage, checkpoint, plugs)
    if isinstance(stage, DrugStage):
        yield from _of_drug(stage, checkpoint, rig)
    if isinstance(stage, FamilyStage | DrugStage):
        # The sentences on a family name its keys already.
        yield from stage.protocol.faults(rig.limits).values()
        yield from _of_domain(stage, script, checkpoint, rig)


def _of_clamp(stage: Stage, clamp: str, settings: Settings, rig: Rig) -> Iterator[str]:
    amplifier = settings.amplifier
    key = "clamp" if isinstance(stage, MembraneTestStage) else "kind"
    if isinstance(stage, WaitStage):
        key = next(name for name in stage.bounds if CRITERIA[name].clamp == clamp)
    if clamp == "voltage" and rig.is_alive and amplifier.kind is None:
        yield (
            f"{key} asks in voltage clamp, and nobody tells the amplifier's mode, so that a holding of -70 mV might be "
            "more than a nanoampere into the cell: connect a telegraph and say so in [amplifier]."
        )
    if amplifier.kind == "manual" and amplifier.mode != clamp:
        yield (
            f"{key} asks in {clamp} clamp, and [amplifier] mode is '{amplifier.mode}' by hand for the whole session: "
            "leave the stage out, or connect an amplifier that tells its mode."
        )


def _of_plug(stage: AdaptiveStage | DrugStage, checkpoint: Checkpoint, plugs: Plugs) -> Iterator[str]:
    known = {parameter.name for parameter in checkpoint.spec.parameters}
    if plugs.of(kind_of(stage)) is None:
        yield f'kind = "{kind_of(stage)}" has nobody here who plays it: leave the stage out.'
    if isinstance(stage, AdaptiveStage):
        if not stage.widths:
            yield (
                "has no parameter: name those that matter, each with the width of its 90 % interval that is narrow "
                "enough, for instance g_M = 0.05."
            )
        for name, width in stage.widths.items():
            if name not in known:
                yield f"has no key {name}, and the network infers no such parameter: it knows {_listed(known)}."
            if not width > 0.0:
                yield f"{name} is {width:g}, a positive width was wanted."
    elif stage.conductance not in known:
        yield f"conductance is '{stage.conductance}', which the network does not infer: it knows {_listed(known)}."


def _of_drug(stage: DrugStage, checkpoint: Checkpoint, rig: Rig) -> Iterator[str]:
    """Find what no posterior could mend."""
    if not isinstance(rig, Clamps) or not rig.takes_conductances:
        yield (
            "needs a dynamic clamp that can be told what to add, and this rig has none: use the simulated cortical "
            "cell or the serial device, or leave the stage out."
        )
    try:
        check_drug(checkpoint.spec, stage.conductance, stage.factor)
    except DrugError as error:
        yield str(error)


def _of_domain(stage: FamilyStage | DrugStage, script: Script, checkpoint: Checkpoint, rig: Rig) -> Iterator[str]:
    """Find sweeps of which nothing could be inferred, where the first such would end the experiment."""
    stimuli = stage.protocol.stimuli()
    refusals = unread(stimuli, checkpoint.domain, rig.rate)
    strict = script.stops.on_distrust == "stop" and isinstance(stage, FamilyStage)
    for stimulus, refusal in zip(stimuli, refusals, strict=True):
        if refusal is not None and strict:
            yield (
                f"amplitudes_pA, or start_pA to stop_pA, has {stimulus.amplitude:g} pA, at which the experiment would "
                f'stop, since on_distrust is "stop": {refusal.rstrip(".")}; change the family, or set on_distrust = '
                '"go on" in [stop].'
            )
    if refusals and None not in refusals:
        yield f"has no sweep that the network can read: {refusals[0]}"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
