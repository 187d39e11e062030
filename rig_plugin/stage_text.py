"""This file is the stage's text: what a stage of a script does, in a line for the screen."""

from __future__ import annotations

from collections.abc import Mapping

from rig_plugin.criterion import CRITERIA
from rig_plugin.dosing import PHASES
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.stages import AdaptiveStage, DrugStage, FamilyStage, MembraneTestStage, RestStage, Stage, WaitStage

__all__ = ["drug_words", "stage_text"]


def stage_text(stage: Stage) -> str:
    """Say what a stage does.

    Args:
        stage: Read and checked.

    Returns:
        Words without an end, such as "4 steps, -50 to 150 pA".

    Example:
        >>> stage_text(RestStage(2000.0, -20.0))
        '-20 pA held for 2 s'
    """
    if isinstance(stage, WaitStage):
        otherwise = "stops otherwise" if stage.otherwise == "stop" else "goes on otherwise"
        return f"{_listed(stage.bounds)}, within {stage.within / 1e3:g} s; {otherwise}"
    if isinstance(stage, MembraneTestStage):
        return f"in {stage.clamp} clamp, {_lasting(stage.lasts)}"
    if isinstance(stage, RestStage):
        return f"{stage.level:g} pA held {_lasting(stage.lasts)}"
    if isinstance(stage, FamilyStage):
        return _steps(stage.protocol)
    if isinstance(stage, AdaptiveStage):
        widths = ", ".join(f"{name} known within {width:g}" for name, width in stage.widths.items())
        return f"until {widths}; at most {stage.most} sweep{'' if stage.most == 1 else 's'}"
    return f"{drug_words(stage)}; {' - '.join(PHASES)}, {_steps(stage.protocol)} each"


def drug_words(stage: DrugStage) -> str:
    """Say what a virtual drug does.

    Args:
        stage: That gives it; its conductance and factor are looked at.

    Returns:
        Such as "80 % of g_M taken away".

    Example:
        >>> drug_words(DrugStage("g_M", -0.8))
        '80 % of g_M taken away'
    """
    verb = "added" if stage.factor > 0 else "taken away"
    return f"{100.0 * abs(stage.factor):.3g} % of {stage.conductance} {verb}"


def _listed(bounds: Mapping[str, float]) -> str:
    return " and ".join(f"{CRITERIA[key].name} {CRITERIA[key].wanted(bound)}" for key, bound in bounds.items())


def _lasting(duration: float) -> str:
    return f"for {duration / 1e3:g} s" if duration else "until somebody ends it"


def _steps(protocol: ProtocolSettings) -> str:
    heights = [stimulus.amplitude for stimulus in protocol.stimuli()]
    if len(heights) == 1:
        return f"1 step, {heights[0]:g} pA"
    return f"{len(heights)} steps, {min(heights):g} to {max(heights):g} pA"
