"""This file is the reader of Neurodata Without Borders, version 2: current clamp with its stimulus."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware import series
from hardware.choice import Choice, chosen
from hardware.exported import ExportedSweep, exported, exported_tests
from hardware.hdf5 import LONGEST, open_hdf5, scalar, text
from hardware.pairing import Window, pairs
from hardware.plausibility import current_problem, voltage_problem
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError, Role
from hardware.units import quantity
from simulators.sweep import CommandSource, HoldingSource

__all__ = ["read_nwb"]

_CURRENT_CLAMP = ("CurrentClampSeries", "IZeroClampSeries")
_AS_IT_IS = Choice()
_MOST_SWEEPS = 20_000
_MOST_SAMPLES = 400_000_000  # two traces of an hour at 50 kHz
_NOTES = {
    "measured": "The stimulus series is a recorded current.",
    "unknown": "The stimulus series is the command, without noise; a holding current of the amplifier is not in it.",
    "amplifier": "The amplifier's bias current is added to the command.",
}


def read_nwb(path: Path, choice: Choice = _AS_IT_IS) -> Recording:
    """Read an NWB file with h5py, which reads files of every version and never runs code for a type it meets.

    Args:
        path: The file.
        choice: Which channels are read.

    Returns:
        The recording; its sweeps in the order of their starting times, or else of their sweep numbers.

    Raises:
        RecordingError: If it is cut off, damaged, or holds no current clamp.
    """
    with open_hdf5(path) as file:
        if "nwb_version" not in file.attrs:
            raise RecordingError(f"{path} is HDF5 but not NWB: give an NWB file or a recording of this program.")
        try:
            return _recording(path, file, choice)
        except RecordingError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, OSError, RuntimeError, OverflowError) as error:
            raise RecordingError(f"{path} lacks a part that NWB asks for ({error}): export the file again.") from error


def _recording(path: Path, file: h5py.File, choice: Choice) -> Recording:
    """Find the current-clamp series of one electrode and make them sweeps."""
    groups = [g for g in file["acquisition"].values() if isinstance(g, h5py.Group)]
    tests = exported_tests(file)
    groups = [g for g in groups if series.title(g) not in tests]
    responses = [g for g in groups if series.kind(g) in _CURRENT_CLAMP]
    if not responses and tests:
        raise RecordingError(f"{path} holds {len(tests)} membrane tests and no sweep: give a file with sweeps.")
    if not responses:
        raise RecordingError(_refusal(path, groups))
    ours = exported(file)
    # Gap-free stretches, which stand beside the sweeps in an exported file, are no sweeps of a family.
    responses = [g for g in responses if series.title(g) in ours] or responses
    presented = [g for g in file.get("stimulus/presentation", {}).values() if isinstance(g, h5py.Group)]
    listed = _listed(responses, presented)
    responses, notes = _responses(path, responses, listed, choice.channel)
    responses.sort(key=series.order)
    started = _session_start(file)
    if len(responses) > 1 and len({series.starting_time(g) for g in responses}) == 1:
        notes.append("All sweeps have the same starting time, so the intervals between them are unknown.")
        started = None
    stimuli = pairs(file, responses)
    if choice.current_channel is not None:
        wanted = listed[chosen(choice.current_channel, listed, "current", path)].name
        stimuli = pairs(file, responses, wanted)
        notes.append(f"The current is read from '{wanted}', as was asked for.")
    none: list[Window | None] = [None]
    rows = [(g, window) for g in responses for window in stimuli.get(g.name, none)]
    _check_lengths(path, rows)
    sweeps = [_sweep(path, k, g, window, started, ours.get(series.title(g))) for k, (g, window) in enumerate(rows)]
    sources = dict.fromkeys(s.holding_source for s in sweeps if s.command is not None)
    notes += [_NOTES[s] for s in sources if s in _NOTES]
    roles: dict[str, Role] = {series.label(w.stimulus): "current" for _, w in rows if w}
    roles |= {series.label(g): "response" for g in responses}
    return Recording(
        path,
        f"NWB {text(file.attrs['nwb_version'])}",
        tuple(sweeps),
        tuple(Channel(c.name, c.unit, roles.get(c.name, "other")) for c in listed),
        tuple(notes),
        f"declared as {series.kind(responses[0])}, and by its unit, {series.unit(responses[0])}",
    )


def _listed(responses: Sequence[h5py.Group], presented: Sequence[h5py.Group]) -> tuple[Channel, ...]:
    """List each electrode's responses and stimuli once; the order is the file's, whatever is chosen."""
    stimuli = [g for g in presented if quantity(series.unit(g)) == "current"]
    return tuple(dict.fromkeys(Channel(series.label(g), series.unit(g)) for g in [*responses, *stimuli]))


def _responses(
    path: Path, responses: list[h5py.Group], listed: Sequence[Channel], asked: str | None
) -> tuple[list[h5py.Group], list[str]]:
    """Keep the sweeps of one electrode: the one that was asked for, or that with the most."""
    if asked is not None:
        wanted = listed[chosen(asked, listed, "voltage", path)].name
        return [g for g in responses if series.label(g) == wanted], []
    electrodes = Counter(series.electrode(g) for g in responses)
    if len(electrodes) == 1:
        return responses, []
    most = electrodes.most_common(1)[0][0]
    note = f"The file has {len(electrodes)} electrodes; only the sweeps of '{most}' are read."
    return [g for g in responses if series.electrode(g) == most], [note]


def _check_lengths(path: Path, rows: Sequence[tuple[h5py.Group, Window | None]]) -> None:
    """Refuse what would not fit in memory before anything is read: rows of a table can repeat one series for ever."""
    # One trace that is too long is told by its name when it is read.
    lengths = [s["data"].size for g, w in rows for s in (g, w.stimulus if w else None) if s]
    samples = sum(n for n in lengths if n <= LONGEST)
    if len(rows) > _MOST_SWEEPS or samples > _MOST_SAMPLES:
        raise RecordingError(
            f"{path} claims {len(rows)} sweeps with {samples} samples, at most {_MOST_SWEEPS} with {_MOST_SAMPLES} "
            "are read: it is damaged, or a part of it has to be exported."
        )


def _sweep(
    path: Path,
    k: int,
    group: h5py.Group,
    window: Window | None,
    started: datetime | None,
    known: ExportedSweep | None,
) -> RecordedSweep:
    """Read one response and its stimulus; what is wrong with them goes into the sweep's problem."""
    name, rate = series.title(group), series.rate(group)
    if quantity(series.unit(group)) != "voltage":
        raise RecordingError(
            f"{path} declares '{series.unit(group)}' for the current-clamp response '{name}', volts were wanted: "
            "correct the unit or the mode in the file."
        )
    response = series.values(group, path)
    if window is not None and window.response_count is not None:
        response = response[window.response_start : window.response_start + window.response_count]
    if not response.size:
        raise RecordingError(f"{path} has a table that points beyond the end of '{name}': export the file again.")
    current = _current(path, group, window, response.size, rate, is_ours=known is not None)
    start = started + timedelta(seconds=series.starting_time(group)) if started else None
    sweep = RecordedSweep(
        index=k,
        response=response,
        rate=rate,
        command=current.command,
        start=start + timedelta(milliseconds=window.response_start / rate) if start and window else start,
        command_source=current.source,
        holding_source=current.holding,
        protocol=text(group.attrs.get("stimulus_description")),
        problem=voltage_problem(response, name) or current.problem,
    )
    return known.of(sweep) if known else sweep


@dataclass(frozen=True, eq=False)
class _Current:
    """The injected current with its sources, or why it is unknown."""

    command: npt.NDArray[np.float64] | None = None
    source: CommandSource = "unknown"
    holding: HoldingSource = "unknown"
    problem: str | None = None


def _current(
    path: Path, response: h5py.Group, window: Window | None, samples: int, rate: float, *, is_ours: bool
) -> _Current:
    """Read the injected current of one sweep; a noisy one was measured, one without noise was only asked for.

    In a file of this program the bias current never is a part of the stimulus, and with it the recording's own numbers
    are there again; in others a current that was measured has it.
    """
    if window is None:
        return _Current(
            problem=f"The file has no stimulus for '{series.title(response)}': store it as CurrentClampStimulusSeries."
        )
    stimulus, name, unit = window.stimulus, series.title(window.stimulus), series.unit(window.stimulus)
    if quantity(unit) != "current":
        return _Current(problem=f"Stimulus '{name}' is declared in '{unit}', amperes were wanted: correct the file.")
    bias = series.number(response, "bias_current")
    command = series.values(stimulus, path, bias if is_ours else 0.0)
    if window.stimulus_count is not None:
        command = command[window.stimulus_start : window.stimulus_start + window.stimulus_count]
    if command.size != samples or not math.isclose(series.rate(stimulus), rate, rel_tol=1e-6):
        return _Current(
            problem=f"Stimulus '{name}' has {command.size} samples at {series.rate(stimulus):g} kHz and its response "
            f"{samples} at {rate:g} kHz: store both at the same rate and length."
        )
    problem = current_problem(command, name)
    if problem:
        return _Current(problem=problem)
    if is_ours or np.count_nonzero(np.diff(command)) > 0.02 * command.size:
        return _Current(command, "recorded channel", "measured")
    return _Current(command + bias * 1e12, "header", "amplifier" if bias else "unknown")


def _refusal(path: Path, groups: Sequence[h5py.Group]) -> str:
    """Say what a file without current clamp holds instead, and whether that is what it claims to be."""
    clamped = [g for g in groups if series.kind(g) == "VoltageClampSeries"]
    if not clamped:
        kinds = ", ".join(sorted({series.kind(g) for g in groups})) or "nothing"
        return f"{path} holds no CurrentClampSeries but {kinds}: give a file with current-clamp sweeps."
    first = clamped[0]
    median = float(np.median(series.values(first, path)))
    claim = f"{path} is voltage clamp: it holds {len(clamped)} VoltageClampSeries and no CurrentClampSeries"
    if quantity(series.unit(first)) == "current" and abs(median) > 1e6:
        return (
            f"{claim}, but '{series.title(first)}' would be a current of {median / 1e12:.3g} amperes, which looks like "
            f"a membrane potential of {median / 1e9:.3g} mV with the wrong mode and unit: "
            "export it again as CurrentClampSeries in volts."
        )
    return f"{claim}: a current-clamp recording was wanted."


def _session_start(file: h5py.File) -> datetime | None:
    """Tell when the session started; a time without a zone is taken for UTC, because only intervals are used."""
    try:
        start = datetime.fromisoformat(text(scalar(file["session_start_time"])))
    except (KeyError, ValueError):
        return None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
