"""This file is the traces: the response and the stimulus of each sweep, and the channels of each segment, as series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynwb import NWBFile, TimeSeries  # type: ignore[import-untyped]
from pynwb.icephys import (  # type: ignore[import-untyped]
    CurrentClampSeries,
    CurrentClampStimulusSeries,
    VoltageClampSeries,
    VoltageClampStimulusSeries,
)

from hardware.export.amplifier import in_series, injected
from hardware.export.samples import Pour
from hardware.export.table import plain
from hardware.gain import Gain
from hardware.kept.channel import KeptChannel
from hardware.kept.loss import Loss
from hardware.kept.segment import KeptSegment
from hardware.kept.sweep import SI, KeptSweep
from simulators.stimulus import Clamp

__all__ = ["Pair", "further_series", "protocol", "response_name", "segment_series", "sweep_series"]

_RESPONSE = {"current": CurrentClampSeries, "voltage": VoltageClampSeries}
_STIMULUS = {"current": CurrentClampStimulusSeries, "voltage": VoltageClampStimulusSeries}
_MOST_TOLD = 20
_A_VOLT = {"mV/V": 1e3, "pA/V": 1e12}


@dataclass(frozen=True, eq=False)
class Pair:
    """A response with its stimulus, and how many samples of both are there.

    Args:
        response: The pynwb series.
        stimulus: The pynwb series, or None where the command was not kept.
        samples: How many.
    """

    response: Any
    stimulus: Any
    samples: int


def response_name(sweep: KeptSweep) -> str:
    """Name the series that holds the response of a sweep or a membrane test."""
    return f"{'response' if sweep.role == 'sweep' else 'membrane_test'}_{sweep.index:06d}"


def protocol(sweep: KeptSweep) -> str:
    """Describe the kind of stimulus, which a family of steps shares."""
    if sweep.role != "sweep":
        return f"membrane test in {sweep.stimulus.clamp} clamp"
    epochs = ", ".join(f"{epoch.duration:g}" for epoch in sweep.stimulus.epochs)
    return f"{sweep.stimulus.clamp} clamp, epochs of {epochs} ms, of which {sweep.stimulus.observed} is observed"


def sweep_series(sweep: KeptSweep, start: float, electrode: Any, pour: Pour) -> Pair:
    """Make the series of a sweep, or of a membrane test.

    Args:
        sweep: Which.
        start: Its first sample [s].
        electrode: The `IntracellularElectrode`.
        pour: What takes the traces along.

    Returns:
        Response and stimulus; their samples are read when the file is written.
    """
    levels = ", ".join(f"{epoch.level:g}" for epoch in sweep.stimulus.epochs)
    unit = "pA" if sweep.stimulus.clamp == "current" else "mV"
    asked = f"Epochs at {levels} {unit}; command from: {sweep.provenance.command_source}."
    same = {
        "electrode": electrode,
        "rate": sweep.rate * 1e3,
        "starting_time": start,
        "stimulus_description": protocol(sweep),
        **({"sweep_number": sweep.index} if sweep.role == "sweep" else {}),
    }
    response = _RESPONSE[sweep.stimulus.clamp](
        name=response_name(sweep),
        description=f"Response of {sweep.role} {sweep.index}, as it was measured.",
        comments=_comments(sweep.losses, known=sweep.provenance.start is not None),
        data=pour(sweep.response),
        conversion=sweep.response.conversion,
        **_as_it_stood(sweep),
        **same,
    )
    if sweep.command is None or not sweep.command.samples:
        return Pair(response, None, sweep.response.samples)
    stimulus = _STIMULUS[sweep.stimulus.clamp](
        name=f"{'' if sweep.role == 'sweep' else 'membrane_test_'}command_{sweep.index:06d}",
        description=f"Command of {sweep.role} {sweep.index}. {plain(asked)}",
        comments=f"{_holding(sweep)} Holding from: {plain(sweep.provenance.holding_source)}.",
        data=pour(sweep.command),
        conversion=sweep.command.conversion,
        # The numbers stay those of the recording, bit by bit, and what NWB counts apart is taken out by the offset.
        offset=0.0 - injected(sweep),
        **same,
    )
    return Pair(response, stimulus, sweep.paired)


def further_series(file: NWBFile, sweep: KeptSweep, start: float, pour: Pour) -> None:
    """Add the further channels of a sweep, each as a plain series.

    Args:
        file: To which.
        sweep: The sweep.
        start: Its first sample [s].
        pour: What takes the traces along.
    """
    for name, channel in sweep.others.items():
        told = _comments(sweep.losses, known=sweep.provenance.start is not None)
        file.add_acquisition(
            TimeSeries(
                name=f"{_title(name)}_{'' if sweep.role == 'sweep' else 'membrane_test_'}{sweep.index:06d}",
                description=f"Channel '{plain(name)}' of {sweep.role} {sweep.index}.",
                unit=plain(channel.trace.unit) or "unknown",
                comments=f"{_gain(channel)} {told}",
                data=pour(channel.trace),
                conversion=channel.trace.conversion,
                rate=sweep.rate * 1e3,
                starting_time=start,
            )
        )


def segment_series(file: NWBFile, segment: KeptSegment, start: float, electrode: Any, pour: Pour) -> Pair | None:
    """Add the channels of a segment.

    Args:
        file: To which.
        segment: The segment.
        start: Its first sample [s].
        electrode: The `IntracellularElectrode`.
        pour: What takes the traces along.

    Returns:
        Response and command, to be added with their table's row, where channels of these names have the units of a
        clamp; every other channel is a plain series that was added.
    """
    clamp = _clamp(segment)
    made: dict[str, Any] = {}
    for name, channel in segment.channels.items():
        series: dict[str, Any] = {
            "name": f"{_title(name)}_gap_free_{segment.index:06d}",
            "description": f"Channel '{plain(name)}' of gap-free segment {segment.index}.",
            "comments": f"{_gain(channel)} {_comments(segment.losses, known=segment.start is not None)}",
            "data": pour(channel.trace),
            "conversion": channel.trace.conversion,
            "rate": segment.rate * 1e3,
            "starting_time": start,
        }
        if clamp is not None and name in SI[clamp]:
            kind = (_RESPONSE if name == "response" else _STIMULUS)[clamp]
            made[name] = kind(electrode=electrode, stimulus_description="gap-free", **series)
        else:
            file.add_acquisition(TimeSeries(unit=plain(channel.trace.unit) or "unknown", **series))
    if "response" not in made:
        return None
    count = min(segment.channels[name].trace.samples for name in made)
    return Pair(made["response"], made.get("command"), count)


def _as_it_stood(sweep: KeptSweep) -> dict[str, float]:
    """Give the amplifier's settings; of its gain, what the samples were really scaled by, where that is known."""
    gain = _volts_per(sweep.provenance.gains.get("response"))
    return in_series(sweep) | ({} if gain is None else {"gain": gain})


def _holding(sweep: KeptSweep) -> str:
    """Say whether the holding is in the command."""
    if not injected(sweep):
        return "The holding is part of it."
    return "The holding is part of it but for the bias current of the response, which the offset has taken out."


def _volts_per(gain: Gain | None) -> float | None:
    """Give the amplifier's gain in V/V or V/A, where a volt is what the scale is of."""
    factor = _A_VOLT.get(gain.unit) if gain else None
    return None if gain is None or factor is None else factor / gain.value


def _title(name: str) -> str:
    """Write a channel's name as NWB allows one."""
    return plain(name).replace("/", "-").replace(":", "-")


def _gain(channel: KeptChannel) -> str:
    """Say what a channel was scaled by."""
    unit = f" {plain(channel.gain_unit)}" if channel.gain_unit else ""
    return f"Gain {channel.gain:g}{unit}, from: {plain(channel.gain_source) or 'unknown'}."


def _clamp(segment: KeptSegment) -> Clamp | None:
    """Tell the clamp by the units of response and command."""
    for clamp, traces in SI.items():
        units = {name: c.trace.unit for name, c in segment.channels.items() if name in traces}
        if "response" in units and all(unit == traces[name][0] for name, unit in units.items()):
            return clamp
    return None


def _comments(losses: Sequence[Loss], *, known: bool) -> str:
    """Say in words what is missing; all of it stands in the table of gaps."""
    told = [] if known else ["When it began is not known; it is placed after the one before it."]
    for loss in losses[:_MOST_TOLD]:
        stretch = "" if loss.first is None or loss.samples is None else f" [{loss.first}, {loss.first + loss.samples})"
        told.append(f"Missing{stretch}: {loss.reason}")
    if len(losses) > _MOST_TOLD:
        told.append(f"{len(losses) - _MOST_TOLD} more stand in the table 'lost'.")
    return plain(" ".join(told)) or "Complete, no sample was lost."
