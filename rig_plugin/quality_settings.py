"""This file is the quality's settings: the table [quality] of a rig file, where a recording stops being a good one."""

from __future__ import annotations

from dataclasses import dataclass

from rig_plugin.toml_table import key

__all__ = ["QualitySettings"]


@dataclass(frozen=True)
class QualitySettings:
    """Table [quality]: what an access must be like.

    Args:
        access_warn: Access resistance from which there is a warning [MOhm].
        access_stop: Access resistance from which a cell is not to be used [MOhm].
        access_share: Largest share of the input resistance that the access may have.
        access_change: Largest change since the first test, as a share of it.
        holding: Largest current, either way, that may be needed to hold the cell [pA].
    """

    access_warn: float = key(20.0, "access_warn_MOhm", low=1.0, high=200.0)
    access_stop: float = key(30.0, "access_stop_MOhm", low=1.0, high=200.0)
    access_share: float = key(0.15, "access_share", low=0.01, high=1.0)
    access_change: float = key(0.2, "access_change", low=0.01, high=10.0)
    holding: float = key(100.0, "holding_pA", low=1.0, high=10_000.0)
