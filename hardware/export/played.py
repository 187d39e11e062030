"""This file is what was played: the tables by which an exported sweep is again what it was in the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.export.table import plain, table
from hardware.export.traces import response_name
from hardware.gain import Gain
from hardware.kept.sweep import KeptSweep

__all__ = ["played"]

_NO_GAIN = Gain(float("nan"), "", "")
_SWEEP = "Number of the sweep, from 0; its series end in it."
_SWEEPS = {
    "sweep": _SWEEP,
    "response": "Name of the series in acquisition.",
    "start": "When the first sample was taken, ISO 8601; empty where that is not known.",
    "complete": "Whether the sweep was finished; of one that was not, what is there was exported.",
    "samples": "How many samples are there.",
    "samples_wanted": "How many samples the stimulus has.",
    "clamp": "Clamp mode: current or voltage.",
    "observed_epoch": "Epoch of the stimulus that is the step, from 0.",
    "command_source": "Where the command came from: recorded channel, header or unknown.",
    "holding_source": "Where the holding came from: measured, amplifier, header or unknown.",
    "junction_state": "Junction potential: corrected, uncorrected (by a known value) or unknown.",
    "junction_potential": "What has to be subtracted from the response [mV]; NaN where that is not known.",
    **{
        f"{name}_gain{part}": f"{said} of the {name} of this sweep{rest}"
        for name in ("response", "command")
        for part, said, rest in (
            ("", "Scale", ": what one unit at the device stood for; NaN where that is not known."),
            ("_unit", "Unit of the scale", ", for instance mV/V; empty where it is not known."),
            ("_source", "Who said the scale", ", for instance telegraph or rig file; empty where nobody did."),
        )
    },
    "bridge": "Series resistance still to be subtracted, times the command, from the response [GOhm].",
}
_EPOCHS = {
    "sweep": _SWEEP,
    "level": "Command, holding included [pA in current clamp, mV in voltage clamp].",
    "duration": "Length [ms].",
}
_DOSES = {
    "sweep": _SWEEP,
    "epoch": "Number of the epoch in the sweep, from 0.",
    "conductance": "Name of the conductance on which the virtual drug acts.",
    "factor": "What is left of the cell's own.",
    "added": "What comes on top, in the parameter's unit.",
}


def played(sweeps: Sequence[KeptSweep]) -> list[Any]:
    """Make the tables.

    Args:
        sweeps: Of the recording.

    Returns:
        The `DynamicTable` of the sweeps, their epochs, and the virtual drugs where there were some.
    """
    made = [
        table("sweeps", "Each sweep, and where it came from.", _SWEEPS, [*map(_sweep, sweeps)]),
        table("epochs", "Stretches of constant command of each sweep, in order.", _EPOCHS, _epochs(sweeps)),
        table("doses", "Virtual drugs that act during an epoch.", _DOSES, _doses(sweeps)),
    ]
    return [made_table for made_table in made if made_table is not None]


def _sweep(sweep: KeptSweep) -> dict[str, Any]:
    origin, potential = sweep.provenance, sweep.provenance.junction.potential
    return {
        "sweep": sweep.index,
        "response": response_name(sweep),
        "start": origin.start.isoformat() if origin.start else "",
        "complete": sweep.complete,
        "samples": sweep.paired,
        "samples_wanted": sweep.stimulus.samples(sweep.rate),
        "clamp": sweep.stimulus.clamp,
        "observed_epoch": sweep.stimulus.observed,
        "command_source": plain(origin.command_source),
        "holding_source": plain(origin.holding_source),
        "junction_state": plain(origin.junction.state),
        "junction_potential": float("nan") if potential is None else float(potential),
        "bridge": origin.bridge,
        **_gains(origin.gains),
    }


def _gains(gains: Mapping[str, Gain]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in ("response", "command"):
        gain = gains.get(name, _NO_GAIN)
        row |= {
            f"{name}_gain": gain.value,
            f"{name}_gain_unit": plain(gain.unit),
            f"{name}_gain_source": plain(gain.source),
        }
    return row


def _epochs(sweeps: Sequence[KeptSweep]) -> list[dict[str, Any]]:
    return [
        {"sweep": sweep.index, "level": epoch.level, "duration": epoch.duration}
        for sweep in sweeps
        for epoch in sweep.stimulus.epochs
    ]


def _doses(sweeps: Sequence[KeptSweep]) -> list[dict[str, Any]]:
    return [
        {
            "sweep": sweep.index,
            "epoch": k,
            "conductance": plain(dose.conductance),
            "factor": float(dose.factor),
            "added": float(dose.added),
        }
        for sweep in sweeps
        for k, epoch in enumerate(sweep.stimulus.epochs)
        for dose in epoch.doses
    ]
