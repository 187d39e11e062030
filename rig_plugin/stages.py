"""This file is the stages: what a scripted experiment is made of, each as its keys in the file say it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rig_plugin.criterion import CRITERIA
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.toml_table import key
from simulators.stimulus import Clamp

__all__ = [
    "AdaptiveStage", "DrugStage", "FamilyStage", "MembraneTestStage", "RestStage", "Stage", "Stops", "WaitStage",
    "kind_of", "laid_out",
]  # fmt: skip

_HOUR = 3600.0


@dataclass(frozen=True)
class MembraneTestStage:
    """Kind "membrane-test": test pulses again and again.

    Args:
        clamp: In which they are played.
        lasts: For how long, by the rig's clock [ms]; 0 until somebody ends the session.
    """

    clamp: str = key("voltage", "clamp", one_of=("voltage", "current"))
    lasts: float = key(1000.0, "lasts_s", low=0.0, high=24 * _HOUR, factor=1000.0)

    @property
    def has_no_end(self) -> bool:
        """Whether nothing after it is ever reached."""
        return self.lasts == 0.0


@dataclass(frozen=True)
class WaitStage:
    """Kind "wait": test pulses until one test meets every criterion that is given.

    Args:
        seal: Least seal, the best that was seen before break-in [GOhm].
        access: Largest access resistance of a whole cell [MOhm].
        holding: Largest current, either way, that holds it in voltage clamp [pA].
        rest: Highest rest of a whole cell, in current clamp [mV].
        drift: Largest change of the rest from one test to the next [mV].
        within: For how long, by the rig's clock [ms].
        otherwise: What happens where that is over: "stop" ends the experiment, "go on" goes on.
    """

    seal: float | None = key(None, "seal_GOhm", low=0.01, high=100.0)
    access: float | None = key(None, "access_MOhm", low=1.0, high=200.0)
    holding: float | None = key(None, "holding_pA", low=1.0, high=10_000.0)
    rest: float | None = key(None, "rest_mV", low=-100.0, high=-30.0)
    drift: float | None = key(None, "drift_mV", low=0.01, high=100.0)
    within: float = key(60_000.0, "within_s", low=0.1, high=24 * _HOUR, factor=1000.0)
    otherwise: str = key("stop", "otherwise", one_of=("stop", "go on"))

    @property
    def bounds(self) -> dict[str, float]:
        """{key of the criterion: its bound} of those that are given."""
        return _bounds(self)

    @property
    def clamp(self) -> Clamp:
        """Clamp that the first of its criteria is told in."""
        return next((CRITERIA[name].clamp for name in self.bounds), "voltage")


@dataclass(frozen=True)
class FamilyStage:
    """Kind "family": a family of steps, once, with the keys of [protocol].

    Args:
        protocol: The family; its interval is that of the rig file.
    """

    protocol: ProtocolSettings = ProtocolSettings()


@dataclass(frozen=True)
class AdaptiveStage:
    """Kind "adaptive": sweeps that are chosen by what was learned, until enough is known.

    Args:
        widths: Of each parameter that matters, how wide its 90 % interval may be in the end, by name [its unit].
        most: Sweeps at most.
        least: Gain below which no sweep is worth it [bits].
    """

    widths: Mapping[str, float] = field(default_factory=dict)
    most: int = key(20, "most_sweeps", low=1, high=1000)
    least: float = key(0.05, "least_gain_bits", low=0.0, high=100.0)


@dataclass(frozen=True)
class DrugStage:
    """Kind "drug": a virtual drug by dynamic clamp, with the keys of [protocol] for the family under it.

    Args:
        conductance: Name of the parameter that it acts on.
        factor: What is added, in multiples of the cell's own: -0.8 takes four fifths away.
        protocol: The family; its interval is that of the rig file.
    """

    conductance: str = key("", "conductance")
    factor: float = key(0.0, "factor", low=-1.0, high=10.0)
    protocol: ProtocolSettings = ProtocolSettings()


@dataclass(frozen=True)
class RestStage:
    """Kind "rest": a command that is held and recorded without gaps.

    Args:
        lasts: For how long [ms]; 0 until somebody ends the session.
        level: The command [pA].
    """

    lasts: float = key(10_000.0, "lasts_s", low=0.0, high=24 * _HOUR, factor=1000.0)
    level: float = key(0.0, "holding_pA")

    @property
    def has_no_end(self) -> bool:
        """Whether nothing after it is ever reached."""
        return self.lasts == 0.0

    @property
    def duration(self) -> float:
        """For how long, infinite where nobody says it [ms]."""
        return self.lasts or math.inf


Stage = MembraneTestStage | WaitStage | FamilyStage | AdaptiveStage | DrugStage | RestStage


@dataclass(frozen=True)
class Stops:
    """Table [stop]: what ends the experiment wherever it comes, but while it waits for criteria or gives a drug.

    Args:
        access: Access resistance of a whole cell from which it ends, by membrane tests in voltage clamp [MOhm].
        holding: Current, either way, from which it ends, by the same tests [pA].
        rest: Rest above which it ends, by sweeps and by tests in current clamp [mV].
        drift: Change of the rest since the first trusted sweep at the same holding from which it ends [mV].
        on_distrust: "stop" at the first sweep that is not trusted, or "go on".
    """

    access: float | None = key(None, "access_MOhm", low=1.0, high=200.0)
    holding: float | None = key(None, "holding_pA", low=1.0, high=10_000.0)
    rest: float | None = key(None, "rest_mV", low=-100.0, high=-30.0)
    drift: float | None = key(None, "drift_mV", low=0.01, high=100.0)
    on_distrust: str = key("stop", "on_distrust", one_of=("stop", "go on"))

    @property
    def bounds(self) -> dict[str, float]:
        """{key of the criterion: its bound} of those that are given."""
        return _bounds(self)


KINDS: dict[str, type[Stage]] = {
    "membrane-test": MembraneTestStage,
    "wait": WaitStage,
    "family": FamilyStage,
    "adaptive": AdaptiveStage,
    "drug": DrugStage,
    "rest": RestStage,
}


def kind_of(stage: Stage) -> str:
    """Name the kind of a stage as a script does."""
    return next(kind for kind, made in KINDS.items() if isinstance(stage, made))


def laid_out(stage: Stage) -> dict[str, Any]:
    """Lay a stage out as a recording keeps it.

    Args:
        stage: Which.

    Returns:
        A mapping that `json.dumps(..., allow_nan=False)` takes, and that two equal stages have alike.
    """
    told = asdict(stage)
    if "protocol" in told:
        told["protocol"]["amplitudes"] = list(told["protocol"]["amplitudes"])
    return {"kind": kind_of(stage), **told}


def _bounds(given: WaitStage | Stops) -> dict[str, float]:
    found = {name: getattr(given, name.rsplit("_", 1)[0], None) for name in CRITERIA}
    return {name: bound for name, bound in found.items() if bound is not None}
