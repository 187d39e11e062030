"""This file is the stage: how far a patch has come, from the bath over the seal to the whole cell."""

from __future__ import annotations

import math
from typing import Literal

from hardware.membrane import Membrane

__all__ = ["Stage", "stage_of"]

Stage = Literal["bath", "sealing", "seal", "whole cell", "lost"]

_BATH, _SEAL = 50.0, 1000.0
_CELL = 10.0
_LOST = -1000.0


def stage_of(tested: Membrane) -> Stage:
    """Name the stage that a membrane test shows.

    Limits are those that ACQ4 and the Allen Institute's quality control use: 50 MOhm, 1 GOhm, 10 pF, -1 nA.

    Args:
        tested: What the test said.

    Returns:
        "whole cell" where a membrane of 10 pF or more charges, or "lost" where that takes a nanoampere to hold; else by
            the resistance between pipette and ground: "bath" below 50 MOhm, "seal" from 1 GOhm, "sealing" between.
    """
    if not math.isnan(tested.capacitance) and tested.capacitance >= _CELL:
        return "lost" if tested.clamp == "voltage" and tested.holding < _LOST else "whole cell"
    resistance = tested.resistance if math.isnan(tested.access) else tested.total
    # Noise about nothing that flows may have either sign.
    if resistance < 0.0 or resistance >= _SEAL:
        return "seal"
    return "bath" if resistance < _BATH else "sealing"
