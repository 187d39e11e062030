"""This file is the rule: the named rules of a good recording, how grave each is, and what is said of a broken one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["GRADES", "RULES", "Alarm", "Grade", "stopping", "warning"]

Grade = Literal["warn", "stop"]

RULES: Mapping[str, Grade] = MappingProxyType(
    {
        "lost": "stop",
        "amplifier": "stop",
        "scale": "stop",
        "voltage": "stop",
        "cell": "stop",
        "seal": "stop",
        "access_stop": "stop",
        "access_warn": "warn",
        "access_share": "warn",
        "access_change": "stop",
        "holding": "stop",
        "rest": "stop",
        "spikes_at_rest": "stop",
        "drift": "stop",
        "noise_fast": "stop",
        "noise_slow": "stop",
        "spike_height": "stop",
    }
)
"""Each rule by its name, with its grade where a rig file says no other; the graver first."""

_ALWAYS = ("lost", "amplifier", "scale", "voltage", "cell")

GRADES: tuple[str, ...] = tuple(name for name in RULES if name not in _ALWAYS)
"""Rules whose grade a rig file may change. The others tell that there is nothing to infer from."""


@dataclass(frozen=True)
class Alarm:
    """A rule that a test or a sweep breaks.

    Args:
        rule: Its name, which is that of its key in [quality] without the unit.
        grade: "warn", or "stop" where nothing measured so is to be believed.
        said: A sentence with value, limit and remedy.
    """

    rule: str
    grade: Grade
    said: str

    @property
    def text(self) -> str:
        """The sentence with the rule's name in it."""
        return f"{self.said.rstrip('.')} (rule {self.rule})."


def stopping(alarms: tuple[Alarm, ...]) -> str | None:
    """Say why a sweep is not given to a network.

    Args:
        alarms: All rules that it breaks.

    Returns:
        The sentences of those that stop, or None where none does.
    """
    return " ".join(alarm.text for alarm in alarms if alarm.grade == "stop") or None


def warning(alarms: tuple[Alarm, ...]) -> list[str]:
    """Say what is doubtful about a sweep.

    Args:
        alarms: All rules that it breaks.

    Returns:
        The sentences of those that warn.
    """
    return [alarm.text for alarm in alarms if alarm.grade == "warn"]
