"""This file is the script: an experiment from the seal to the posterior as a TOML says it, checked before it begins."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rig_plugin.criterion import CRITERIA
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.stages import (
    KINDS,
    DrugStage,
    FamilyStage,
    MembraneTestStage,
    RestStage,
    Stage,
    Stops,
    WaitStage,
    kind_of,
    laid_out,
)
from rig_plugin.toml_table import SettingsError, TomlTable, listed

__all__ = ["Script", "read_script", "titled"]

_STEPS = ("start_pA", "stop_pA", "step_pA")
_OWN = ("kind", "conductance", "factor")


@dataclass(frozen=True)
class Script:
    """An ordered list of stages, and what ends it before its time.

    Args:
        stages: In the order in which they are played.
        stops: What ends it.
        name: Of the file that it was read from.
    """

    stages: tuple[Stage, ...]
    stops: Stops = Stops()
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Lay it out as a recording keeps it.

        Returns:
            {"name", "file", "stages", "stop"}: a mapping that `json.dumps(..., allow_nan=False)` takes.
        """
        stages = [laid_out(stage) for stage in self.stages]
        return {"name": "script", "file": self.name, "stages": stages, "stop": asdict(self.stops)}


def titled(number: int, kind: str) -> str:
    """Name a stage as a sentence has it, counted from 1.

    Example:
        >>> titled(2, "family")
        'stage 3 (family)'
    """
    return f"stage {number + 1} ({kind})"


def read_script(path: Path) -> Script:
    """Read a script; what can be said without the rig is checked.

    Args:
        path: An EXPERIMENT.toml.

    Returns:
        The script.

    Raises:
        SettingsError: If the file can't be read, or a stage is of an unknown kind, has an unknown key or a value out of
            range, or can't be reached; the sentence names the stage and the key.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror}): name a script.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text, a TOML with a list of [[stage]] was wanted.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML ({error}): mend that line.") from error
    for name in tables:
        if name not in ("stage", "stop"):
            raise SettingsError(f"{path}: [{name}] is unknown: use [[stage]] or [stop]; the rest is the rig file's.")
    listing, stop = tables.get("stage", []), tables.get("stop", {})
    if not isinstance(listing, list) or not listing or not all(isinstance(each, dict) for each in listing):
        raise SettingsError(f"{path} has no list of [[stage]]: one at least was wanted, each with its kind.")
    if not isinstance(stop, dict):
        raise SettingsError(f"{path}: stop is {stop!r}, a table [stop] was wanted.")
    stages = tuple(_stage(path, k, table) for k, table in enumerate(listing))
    script = Script(stages, TomlTable(path, "stop", stop).make(Stops), path.name)
    _check_reached(path, script.stages)
    return script


def _stage(path: Path, number: int, table: Mapping[str, Any]) -> Stage:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        said = "is missing" if kind is None else f"is {kind!r}"
        raise SettingsError(f"{path}: stage {number + 1} kind {said}, {listed(map(repr, KINDS))} was wanted.")
    name = titled(number, kind)
    values = {name: value for name, value in table.items() if name != "kind"}
    if KINDS[kind] is FamilyStage:
        return FamilyStage(_family(path, name, values))
    if KINDS[kind] is DrugStage:
        own = {key: value for key, value in values.items() if key in _OWN}
        drug = TomlTable(path, name, own).make(DrugStage)
        for key in ("conductance", "factor"):
            if not getattr(drug, key):
                raise SettingsError(f"{path}: [{name}] {key} is missing, one was wanted.")
        rest = {key: value for key, value in values.items() if key not in _OWN}
        return replace(drug, protocol=_family(path, name, rest))
    made: Stage = TomlTable(path, name, values).make(KINDS[kind])
    if isinstance(made, WaitStage):
        _check_wait(path, name, made)
    return made


def _family(path: Path, name: str, values: Mapping[str, Any]) -> ProtocolSettings:
    """Read the keys of a family, of which the interval is the rig's for the whole session."""
    others = {
        "interval_s": "set it in the rig file's [protocol]",
        "gap_free_s": 'use kind = "rest"',
        "chosen_by": 'use kind = "adaptive"',
    }
    for key, remedy in others.items():
        if key in values:
            raise SettingsError(f"{path}: [{name}] {key} is not a family's: {remedy}.")
    steps = [key for key in _STEPS if key in values]
    if "amplitudes_pA" in values and steps:
        raise SettingsError(f"{path}: [{name}] has amplitudes_pA and {listed(steps)}: keep one of the two ways.")
    if values.get("amplitudes_pA") == []:
        raise SettingsError(f"{path}: [{name}] amplitudes_pA is empty, at least one amplitude was wanted.")
    return TomlTable(path, name, values).make(ProtocolSettings)


def _check_wait(path: Path, name: str, stage: WaitStage) -> None:
    """Refuse a wait for nothing, or for what no one clamp tells."""
    if not stage.bounds:
        raise SettingsError(f"{path}: [{name}] waits for nothing: give {listed(CRITERIA)}.")
    other = next((key for key in stage.bounds if CRITERIA[key].clamp != stage.clamp), None)
    if other is not None:
        first = next(iter(stage.bounds))
        raise SettingsError(
            f"{path}: [{name}] {other} is told in {CRITERIA[other].clamp} clamp, and {first} in {stage.clamp} clamp: "
            "make two stages of it."
        )


def _check_reached(path: Path, stages: Sequence[Stage]) -> None:
    """Refuse stages that are never played, or that can't end well."""
    whole: str | None = None
    for k, stage in enumerate(stages):
        name = titled(k, kind_of(stage))
        if isinstance(stage, WaitStage) and stage.seal is not None and whole is not None:
            raise SettingsError(
                f"{path}: [{name}] seal_GOhm can't be met after {whole}, which is in the whole cell: move it before."
            )
        needs_cell = not isinstance(stage, WaitStage | MembraneTestStage | RestStage)
        if isinstance(stage, WaitStage):
            needs_cell = set(stage.bounds) != {"seal_GOhm"}
        whole = whole or (name if needs_cell else None)
        if isinstance(stage, MembraneTestStage | RestStage) and stage.has_no_end and k + 1 < len(stages):
            after = titled(k + 1, kind_of(stages[k + 1]))
            raise SettingsError(f"{path}: [{name}] lasts_s is 0, without an end, so {after} can't be reached: set it.")
