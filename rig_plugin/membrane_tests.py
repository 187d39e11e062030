"""This file is the membrane tests: a rig plays a test pulse again and again, and each is read, staged and judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import count as numbers
from itertools import takewhile
from typing import Any

import numpy as np

from hardware.amplifier import Reading
from hardware.membrane import Membrane, membrane
from hardware.pulse import Pulse
from hardware.rig import Block, Rig, RigError, RigLost
from hardware.stage import Stage, stage_of
from rig_plugin.access import alarms
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rule import Alarm
from simulators.stimulus import Stimulus

__all__ = ["ModelCellCheck", "Tested", "membrane_tests"]

_UNITS = {
    "access": "MOhm",
    "resistance": "MOhm",
    "capacitance": "pF",
    "tau": "ms",
    "holding": "pA",
    "potential": "mV",
}


@dataclass(frozen=True)
class ModelCellCheck:
    """What is soldered to the headstage, to be held against what is measured.

    Args:
        resistance: Of the resistor that stands for the membrane [MOhm].
        capacitance: Of its capacitor [pF].
        access: Of the resistor that stands for the pipette [MOhm]; None where it has none.
    """

    resistance: float
    capacitance: float
    access: float | None = None

    def off(self, tested: Membrane) -> dict[str, float | None]:
        """Tell how far a test is off.

        Args:
            tested: The test.

        Returns:
            By name, how much more was measured than is there, as a share of what is there; None where it is unknown.
        """
        found: dict[str, float | None] = {}
        for name in ("access", "resistance", "capacitance"):
            there, measured = getattr(self, name), getattr(tested, name)
            found[name] = None if not there or not math.isfinite(measured) else measured / there - 1.0
        return found


@dataclass(frozen=True)
class Tested:
    """One test, read and judged.

    Args:
        index: Number of the test, from 0.
        membrane: What it says.
        stage: How far the patch has come.
        alarms: Rules that it breaks.
    """

    index: int
    membrane: Membrane
    stage: Stage
    alarms: tuple[Alarm, ...]

    def to_json(self, expected: ModelCellCheck | None = None) -> dict[str, Any]:
        """Lay it out as one JSON object.

        Args:
            expected: What a model cell has, or None.

        Returns:
            Every number with its unit in its key, null where it is unknown.
        """
        numbers = {f"{name}_{unit}": _finite(getattr(self.membrane, name)) for name, unit in _UNITS.items()}
        return {
            "test": self.index,
            "clamp": self.membrane.clamp,
            "stage": self.stage,
            **numbers,
            "explained": _finite(self.membrane.explained),
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "expected": None if expected is None else _expected(expected),
            "off": None if expected is None else expected.off(self.membrane),
        }


def membrane_tests(
    rig: Rig,
    pulse: Pulse,
    count: float,
    rules: QualitySettings,
    *,
    corner: float = 0.0,
    heard: Callable[[Stimulus, Block], None] = lambda stimulus, block: None,
) -> Iterator[Tested]:
    """Play and read.

    Args:
        rig: An open rig.
        pulse: To be played.
        count: How many tests; infinite until the rig is stopped.
        rules: That each is held against; a change of access is told from the first test of a whole cell, and the seal
            is the best that was seen before it.
        corner: Corner of the amplifier's low-pass where no amplifier tells it; 0 where nobody does [kHz].
        heard: Is given each block as it comes, with what the cell gets; has to return at once.

    Yields:
        The tests, as they end.

    Raises:
        RigError: If the rig can't play the pulse, or the amplifier was changed while it did.
        RigLost: If samples of a pulse were lost.
    """
    stimulus = pulse.stimulus()
    first: Membrane | None = None
    formed: float | None = None
    for index in takewhile(lambda k: k < count, numbers()):
        # What the amplifier injects itself is part of what the cell is held at.
        seen = rig.seen(stimulus)
        held = replace(pulse, holding=seen.epochs[0].level)
        blocks = []
        for block in rig.play(stimulus):
            blocks.append(block)
            heard(seen, block)
        lost = sum(block.lost for block in blocks)
        if lost:
            raise RigLost(lost)
        # A rig that was stopped ends early.
        if sum(block.response.size for block in blocks) < stimulus.samples(rig.rate):
            return
        response = np.concatenate([block.response for block in blocks])
        if rig.invalid is not None:
            raise RigError(rig.invalid)
        reading = rig.origin.amplifier or Reading()
        known = {"bridge": reading.bridge.value or 0.0, "corner": reading.corner.value or corner}
        said = membrane(held, response, rig.rate, **known)
        stage = stage_of(said)
        broken = alarms(said, first, rules, formed)
        if stage != "whole cell":
            # The next cell has a seal and an access of its own.
            first, formed = None, _formed(said, stage, formed)
        elif first is None:
            first = said
        yield Tested(index, said, stage, broken)


def _formed(said: Membrane, stage: Stage, before: float | None) -> float | None:
    """Give the best seal since the bath; None where none was seen [GOhm]."""
    if stage not in ("sealing", "seal"):
        return None
    seal = (said.resistance if math.isnan(said.access) else said.total) / 1e3
    # Where nothing flows but noise, that may have either sign.
    return max(before or 0.0, seal if seal > 0.0 else math.inf)


def _expected(check: ModelCellCheck) -> Mapping[str, float | None]:
    return {f"{name}_{_UNITS[name]}": getattr(check, name) for name in ("access", "resistance", "capacitance")}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
