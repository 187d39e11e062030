"""This file is the reader of Neurodata Without Borders, version 2: current clamp with its stimulus."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.hdf5 import open_hdf5, text, trace
from hardware.pairing import Window, pairs
from hardware.plausibility import current_problem, voltage_problem
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError
from hardware.units import quantity, scale
from simulators.sweep import CommandSource, HoldingSource

__all__ = ["read_nwb"]

_CURRENT_CLAMP = ("CurrentClampSeries", "IZeroClampSeries")


def read_nwb(path: Path) -> Recording:
    """Read an NWB file with h5py, which reads files of every version and never runs code for a type it meets.

    Args:
        path: The file.

    Returns:
        The recording; its sweeps in the order of their starting times, or else of their sweep numbers.

    Raises:
        RecordingError: If it is cut off, damaged, or holds no current clamp.
    """
    with open_hdf5(path) as file:
        if "nwb_version" not in file.attrs:
            raise RecordingError(f"{path} is an HDF5 file but not NWB: give an NWB file or a recording of this program.")
        try:
            return _recording(path, file)
        except (KeyError, TypeError, AttributeError, IndexError, OSError, RuntimeError) as error:
            raise RecordingError(f"{path} lacks a part that NWB asks for ({error}): export the file again.") from error


def _recording(path: Path, file: Any) -> Recording:
    """Find the current-clamp series of one electrode and make them sweeps."""
    series = [g for g in file["acquisition"].values() if isinstance(g, h5py.Group)]
    responses = [g for g in series if _kind(g) in _CURRENT_CLAMP]
    if not responses:
        raise RecordingError(_refusal(path, series))
    notes = []
    electrodes = Counter(_electrode(g) for g in responses)
    if len(electrodes) > 1:
        chosen = electrodes.most_common(1)[0][0]
        notes.append(f"The file has {len(electrodes)} electrodes; only the sweeps of '{chosen}' are read.")
        responses = [g for g in responses if _electrode(g) == chosen]
    responses.sort(key=_order)
    stimuli = pairs(file, responses)
    started = _session_start(file)
    if len(responses) > 1 and len({_starting_time(g) for g in responses}) == 1:
        notes.append("All sweeps have the same starting time, so the intervals between them are unknown.")
        started = None
    read = [_sweep(path, k, g, stimuli.get(g.name), started) for k, g in enumerate(responses)]
    notes += [note for k, note in enumerate(r.note for r in read) if note and note not in [r.note for r in read[:k]]]
    channels = [c for k, r in enumerate(read) for c in r.channels if c not in [d for s in read[:k] for d in s.channels]]
    version = text(file.attrs["nwb_version"])
    return Recording(path, f"NWB {version}", tuple(r.sweep for r in read), tuple(channels), tuple(notes))


@dataclass(frozen=True, eq=False)
class _Read:
    """A sweep with what else was learnt from its series."""

    sweep: RecordedSweep
    channels: tuple[Channel, ...]
    note: str | None


def _sweep(path: Path, k: int, response: Any, window: Window | None, started: datetime | None) -> _Read:
    """Read one response and its stimulus; what is wrong with them goes into the sweep's problem."""
    name = response.name.rsplit("/", 1)[-1]
    channels = [Channel(_series(response), _unit(response), "response")]
    rate = _rate(response)
    values = _values(path, response)
    if quantity(_unit(response)) != "voltage":
        raise RecordingError(
            f"{path} declares '{_unit(response)}' for the current-clamp response '{name}', volts were wanted: "
            "correct the unit or the mode in the file."
        )
    problem = voltage_problem(values, name)
    command, source, holding, note = None, "unknown", "unknown", None
    if window is None:
        missing = f"The file has no stimulus for '{name}': store it as a CurrentClampStimulusSeries."
        problem = problem or missing
    else:
        values = values[window.response_start : window.response_start + (window.response_count or values.size)]
        channels.append(Channel(_series(window.stimulus), _unit(window.stimulus), "current"))
        command, source, holding, wrong = _command(path, response, window, values.size, rate)
        note = _NOTES.get(holding)
        problem = problem or wrong
    return _Read(
        RecordedSweep(
            index=k,
            response=values,
            rate=rate,
            command=None if problem and command is None else command,
            start=started + timedelta(seconds=_starting_time(response)) if started else None,
            command_source=source,  # type: ignore[arg-type]
            holding_source=holding,  # type: ignore[arg-type]
            protocol=text(response.attrs.get("stimulus_description")),
            problem=problem,
        ),
        tuple(channels),
        note,
    )


_NOTES = {
    "measured": "The stimulus series is a recorded current.",
    "header": "The stimulus series is the command, without noise; a holding current of the amplifier is not in it.",
    "amplifier": "The amplifier's bias current is added to the command.",
}


def _command(
    path: Path, response: Any, window: Window, samples: int, rate: float
) -> tuple[npt.NDArray[np.float64] | None, CommandSource, HoldingSource, str | None]:
    """Read the injected current of one sweep; a noisy one was measured, one without noise was only asked for."""
    stimulus, name = window.stimulus, window.stimulus.name.rsplit("/", 1)[-1]
    if quantity(_unit(stimulus)) != "current":
        return None, "unknown", "unknown", (
            f"Stimulus '{name}' is declared in '{_unit(stimulus)}', amperes were wanted: correct it in the file."
        )
    count = window.stimulus_count or samples
    command = _values(path, stimulus)[window.stimulus_start : window.stimulus_start + count]
    if command.size != samples or not math.isclose(_rate(stimulus), rate, rel_tol=1e-6):
        return None, "unknown", "unknown", (
            f"Stimulus '{name}' has {command.size} samples at {_rate(stimulus):g} kHz and its response {samples} at "
            f"{rate:g} kHz: store both at the same rate and length."
        )
    problem = current_problem(command, name)
    if problem:
        return None, "unknown", "unknown", problem
    if np.count_nonzero(np.diff(command)) > 0.02 * command.size:
        return command, "recorded channel", "measured", None
    bias = _scalar(response, "bias_current") * 1e12
    if bias:
        return command + bias, "header", "amplifier", None
    return command, "header", "header", None


def _values(path: Path, series: Any) -> npt.NDArray[np.float64]:
    """Read the data of a series in mV or pA: stored number x conversion + offset, in the declared unit."""
    data = series["data"]
    conversion = float(data.attrs.get("conversion", 1.0))
    offset = float(data.attrs.get("offset", 0.0))
    unit = _unit(series)
    factor = scale(unit) if quantity(unit) else 1.0
    # The two factors are joined first: 1e-12 x 1e12 is exactly 1, and a stored 130 pA stays 130 pA.
    return trace(data, path) * (conversion * factor) + offset * factor


def _refusal(path: Path, series: list[Any]) -> str:
    """Say what a file without current clamp holds instead, and whether that is what it claims to be."""
    clamped = [g for g in series if _kind(g) == "VoltageClampSeries"]
    if not clamped:
        kinds = ", ".join(sorted({_kind(g) for g in series})) or "nothing"
        return f"{path} holds no CurrentClampSeries but {kinds}: give a file with current-clamp sweeps."
    first = clamped[0]
    median = float(np.median(_values(path, first)))
    name, count = first.name.rsplit("/", 1)[-1], len(clamped)
    claim = f"{path} is voltage clamp: it holds {count} VoltageClampSeries and no CurrentClampSeries"
    if quantity(_unit(first)) == "current" and abs(median) > 1e6:
        return (
            f"{claim}, but '{name}' would be a current of {median / 1e12:.3g} amperes, which is a membrane potential "
            f"of {median / 1e9:.3g} mV with the wrong mode and unit: export it again as CurrentClampSeries in volts."
        )
    return f"{claim}: a current-clamp recording was wanted."


def _kind(group: Any) -> str:
    return text(group.attrs.get("neurodata_type"))


def _series(group: Any) -> str:
    """Name the channel of a series: its electrode and kind, so that a hundred sweeps make one channel."""
    return f"{_electrode(group)} {_kind(group)}".strip()


def _electrode(group: Any) -> str:
    """Name a series' electrode: the end of the link by which it points to one."""
    link = group.get("electrode", getlink=True)
    return str(link.path).rsplit("/", 1)[-1] if isinstance(link, h5py.SoftLink) else ""


def _unit(group: Any) -> str:
    return text(group["data"].attrs.get("unit"))


def _scalar(group: Any, name: str) -> float:
    """Read an optional number, 0 where it is missing or NaN."""
    value = group.get(name)
    number = float(value[()]) if value is not None else 0.0
    return number if math.isfinite(number) else 0.0


def _starting_time(group: Any) -> float:
    """Tell when a series starts [s after the session]."""
    if "timestamps" in group:
        return float(group["timestamps"][0])
    return _scalar(group, "starting_time")


def _rate(group: Any) -> float:
    """Tell the sampling rate [kHz]."""
    if "starting_time" in group:
        rate = float(group["starting_time"].attrs["rate"]) / 1e3
    else:
        times = group["timestamps"][:1000]
        rate = 1e-3 / float(np.median(np.diff(times)))
    if not (math.isfinite(rate) and rate > 0):
        raise RecordingError(f"'{group.name}' has a sampling rate of {rate} kHz, a positive one was wanted.")
    return rate


def _order(group: Any) -> tuple[float, int, str]:
    return _starting_time(group), int(group.attrs.get("sweep_number", 0)), group.name


def _session_start(file: Any) -> datetime | None:
    """Tell when the session started; a time without a zone is taken for UTC, because only intervals are used."""
    try:
        start = datetime.fromisoformat(text(file["session_start_time"][()]))
    except (KeyError, ValueError):
        return None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
