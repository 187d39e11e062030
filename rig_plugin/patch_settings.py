"""This file is the patch's settings: the table [patch], how a simulated patch comes about and goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from rig_plugin.toml_table import key

__all__ = ["FAULTS", "PatchSettings"]

FAULTS = ("none", "dead", "dying", "leaky", "silent", "clogging")


@dataclass(frozen=True)
class PatchSettings:
    """Table [patch]: what a simulated pipette meets, in its own time; without it, one good cell from the start.

    Args:
        bath: Time in the bath before the pipette touches [ms].
        sealing: Time that the seal takes to form [ms].
        seal: Time from the seal to break-in [ms].
        lasts: Time from break-in until the cell is lost and the next is approached [ms]; 0 is for ever.
        pipette: Resistance in the bath [MOhm].
        sealed: Resistance of the seal [GOhm].
        fault: What is wrong with every cell: "dead" and "silent" from break-in; "dying", and a pipette that is
            "clogging", more and more; "leaky", a seal that lets 2 nS by.
    """

    bath: float = key(0.0, "bath_s", low=0.0, high=3600.0, factor=1000.0)
    sealing: float = key(0.0, "sealing_s", low=0.0, high=3600.0, factor=1000.0)
    seal: float = key(0.0, "seal_s", low=0.0, high=3600.0, factor=1000.0)
    lasts: float = key(0.0, "lasts_s", low=0.0, high=86_400.0, factor=1000.0)
    pipette: float = key(5.0, "pipette_MOhm", low=2.0, high=50.0)
    sealed: float = key(3.0, "seal_GOhm", low=0.1, high=90.0)
    fault: str = key("none", "fault", one_of=FAULTS)
