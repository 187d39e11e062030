"""This file is the vital sign: one number of a membrane test, as it is called, measured and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hardware.membrane import Membrane
from rig_plugin.quality import DEAD
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.remark import BRIDGE
from simulators.stimulus import Clamp

__all__ = ["SIGNS", "Grade", "VitalSign"]

Grade = Literal["warn", "stop"]


@dataclass(frozen=True)
class VitalSign:
    """A number of a membrane test.

    Args:
        name: As it is shown.
        key: Of the field of a `Membrane`.
        unit: As it is shown.
        decimals: That one test deserves.
        least: Smallest span of its strip, so that noise stays small [unit].
        rules: Names of the alarms that are about it, with the word that stands beside the value then.
        meaning: One sentence.
    """

    name: str
    key: str
    unit: str
    decimals: int
    least: float
    rules: Mapping[str, str]
    meaning: str

    def limits(self, clamp: Clamp, rules: QualitySettings) -> tuple[tuple[float, Grade], ...]:
        """Give where the rules that have a fixed limit begin.

        Args:
            clamp: In which the test was made.
            rules: Of the rig file.

        Returns:
            Limits with what lies beyond them: "warn" or "stop".
        """
        known: Mapping[tuple[Clamp, str], tuple[tuple[float, Grade], ...]] = {
            ("current", "potential"): ((rules.highest_rest, "warn"), (DEAD, "stop")),
            ("current", "access"): ((-BRIDGE, "warn"), (BRIDGE, "warn")),
            ("voltage", "access"): ((rules.access_warn, "warn"), (rules.access_stop, "stop")),
            ("voltage", "holding"): ((-rules.holding, "stop"), (rules.holding, "stop")),
        }
        return known.get((clamp, self.key), ())

    def of(self, tested: Membrane) -> float:
        """Read it off a test.

        Args:
            tested: The test.

        Returns:
            The number; NaN where the test can't tell.
        """
        return float(getattr(tested, self.key))


_NONE: Mapping[str, str] = MappingProxyType({})
_ACCESS = MappingProxyType(
    {"access_stop": "too high", "access_change": "changed", "access_warn": "high", "access_share": "share"}
)
_REST = MappingProxyType({"rest_stop": "dead", "rest_warn": "high"})

_RIN = VitalSign("Rin", "resistance", "MOhm", 0, 20.0, _NONE, "Input resistance: of the membrane, without the access.")
_TAU = VitalSign("tau", "tau", "ms", 1, 2.0, _NONE, "Time constant of the settling.")
_CM = VitalSign("Cm", "capacitance", "pF", 0, 10.0, _NONE, "Capacitance of the membrane.")

SIGNS: Mapping[Clamp, tuple[VitalSign, ...]] = MappingProxyType(
    {
        "current": (
            _RIN,
            _TAU,
            _CM,
            VitalSign(
                "bridge", "access", "MOhm", 1, 4.0, MappingProxyType({"bridge": "off"}),
                "Series resistance that the bridge leaves: the median of the last pulses before a step.",
            ),
            VitalSign("Vm", "potential", "mV", 1, 4.0, _REST, "Voltage at the holding, before the pulse."),
            VitalSign("holding", "holding", "pA", 0, 20.0, _NONE, "Current before the pulse."),
        ),
        "voltage": (
            VitalSign("access", "access", "MOhm", 1, 4.0, _ACCESS, "Series resistance between amplifier and cell."),
            _RIN,
            _CM,
            _TAU,
            VitalSign(
                "holding", "holding", "pA", 0, 20.0, MappingProxyType({"holding": "leaks"}),
                "Current that it takes to hold the cell.",
            ),
        ),
    }
)  # fmt: skip
"""Of each clamp, in the order in which they are shown."""
