"""This file is the reader of Axon binary files, versions 1 and 2."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hardware.epochs import middle_mean, plateaus
from hardware.plausibility import current_problem, voltage_problem
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError
from hardware.units import quantity, scale
from simulators.sweep import CommandSource, HoldingSource

if TYPE_CHECKING:
    import pyabf  # type: ignore[import-untyped]

__all__ = ["read_abf"]

_Trace = npt.NDArray[np.float64]


def read_abf(path: Path) -> Recording:
    """Read an ABF file: the membrane potential, and the current from a recorded channel or else from the header.

    A recorded current is preferred because the header only says what was asked for, at a scale that nobody
    checked. Where both are there and the recorded one does not follow the header's steps, it belongs to another
    cell, and the header is used.

    Args:
        path: The file.

    Returns:
        The recording.

    Raises:
        RecordingError: If the file is cut off or damaged, or is not a recording in current clamp.
    """
    holding = _check_sizes(path)
    with _silence():
        import pyabf

        try:
            abf = pyabf.ABF(str(path), cacheStimulusFiles=False)
            if holding is not None:
                # pyabf 2.3.8 takes the epochs' first levels for the holding of an ABF1.
                abf.holdingCommand = holding
            return _recording(path, abf)
        except RecordingError:
            raise
        except Exception as error:
            raise RecordingError(
                f"{path} has the signature of an ABF file but is damaged ({error}): copy it again from the rig."
            ) from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's prints and warnings from a standard output that carries JSON."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _check_sizes(path: Path) -> list[float] | None:
    """Refuse a file whose header promises more than it holds, before anything is allocated by those numbers.

    Returns:
        The holding level of each output of an ABF1; None for an ABF2, where the library reads it right.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(2048)
    if len(head) < 512:
        raise RecordingError(f"{path} ends after {size} bytes, within the header of an ABF file: copy it again.")
    holding = None
    if head[:4] == b"ABF2":
        sections = [struct.unpack_from("<IIq", head, 76 + 16 * k) for k in range(18)]
        end = max((512 * block + each * count for block, each, count in sections if block), default=0)
        points, episodes = sections[10][2], struct.unpack_from("<I", head, 12)[0]
        counts = [count for _, _, count in sections]
    else:
        if len(head) < 2048:
            raise RecordingError(f"{path} ends after {size} bytes, within the header of an ABF file: copy it again.")
        points, ignored, episodes = struct.unpack_from("<ihi", head, 10)
        width = 4 if struct.unpack_from("<h", head, 100)[0] else 2
        end = 512 * struct.unpack_from("<i", head, 40)[0] + width * (ignored + points)
        counts = [points]
        holding = list(struct.unpack_from("<4f", head, 1394))
    if end > size:
        raise RecordingError(
            f"{path} is truncated: its header promises {end} bytes and it holds {size}; copy it again from the rig."
        )
    if min(counts) < 0 or points <= 0 or not 0 <= episodes <= points:
        raise RecordingError(
            f"{path} has a damaged header ({points} samples in {episodes} sweeps): copy it again from the rig."
        )
    return holding


def _recording(path: Path, abf: pyabf.ABF) -> Recording:
    """Turn what the library read into sweeps."""
    if abf.nOperationMode == 1:
        raise RecordingError(
            f"{path} was recorded by events, with sweeps of different lengths: "
            "record it in episodic mode, or export its sweeps as NWB."
        )
    traces, units = _traces(abf), [str(u) for u in abf.adcUnits]
    vm = _vm(path, abf, traces)
    dac, notes = _dac(abf, vm)
    currents = [k for k, unit in enumerate(units) if quantity(unit) == "current"]
    header = [_header_command(abf, k, dac) for k in abf.sweepList]
    measured = currents[0] if currents else None
    if measured is not None and dac is not None and not _follows(traces[measured], header, abf.dataRate / 1e3):
        notes.append(
            f"Channel '{abf.adcNames[measured]}' does not follow the steps of the command '{abf.dacNames[dac]}', "
            "so it belongs to another cell: the current of the header is used."
        )
        measured = None
    if measured is not None:
        commands: list[_Trace | None] = list(traces[measured])
        name = str(abf.adcNames[measured])
        notes.append(f"The current is read from the recorded channel '{name}' in {units[measured]}.")
    else:
        commands = header
        name = str(abf.dacNames[dac]) if dac is not None else "of the header"
    roles = {vm: "response", measured: "current"}
    channels = [
        Channel(str(n), u, roles.get(k, "other"))  # type: ignore[arg-type]
        for k, (n, u) in enumerate(zip(abf.adcNames, units, strict=True))
    ]
    if dac is not None and measured is None:
        channels.append(Channel(str(abf.dacNames[dac]), str(abf.dacUnits[dac]), "command"))
    sweeps = [_sweep(abf, k, traces[vm][k], commands[k], name, measured is not None) for k in abf.sweepList]
    sweeps = [replace(s, problem=voltage_problem(s.response, str(abf.adcNames[vm])) or s.problem) for s in sweeps]
    return Recording(path, f"ABF{abf.abfVersion['major']}", tuple(sweeps), tuple(channels), tuple(notes))


def _traces(abf: pyabf.ABF) -> list[list[_Trace]]:
    """Lay out the data as channel, sweep, samples, in mV or pA; channels in other units stay as they are."""
    table = []
    for k, unit in enumerate(abf.adcUnits):
        factor = scale(unit) if quantity(unit) else 1.0
        data = np.asarray(abf.data[k], dtype=np.float64) * factor
        table.append([data[s * abf.sweepPointCount : (s + 1) * abf.sweepPointCount] for s in abf.sweepList])
    return table


def _vm(path: Path, abf: pyabf.ABF, traces: list[list[_Trace]]) -> int:
    """Find the channel with the membrane potential: the first in volts that rests where a cell does."""
    voltages = [k for k, unit in enumerate(abf.adcUnits) if quantity(str(unit)) == "voltage"]
    if not voltages:
        seen = ", ".join(f"'{n}' [{u}]" for n, u in zip(abf.adcNames, abf.adcUnits, strict=True))
        commands = ", ".join(f"'{n}' [{u}]" for n, u in zip(abf.dacNames[:1], abf.dacUnits[:1], strict=True))
        low, high = min(t.min() for t in traces[0]), max(t.max() for t in traces[0])
        if quantity(str(abf.dacUnits[0])) == "voltage":
            raise RecordingError(
                f"{path} is voltage clamp: it records current in {seen} under a voltage command {commands}; "
                "a current-clamp recording was wanted."
            )
        raise RecordingError(
            f"{path} has no channel in volts: {seen} spans [{low:.4g}, {high:.4g}] under the command {commands}, "
            "so it is either not a membrane potential or one with a wrong unit and scale; "
            "correct the channel's unit and gain in the file."
        )
    resting = [k for k in voltages if -130 < np.median(traces[k][0]) < -20]
    return (resting or voltages)[0]


def _dac(abf: pyabf.ABF, vm: int) -> tuple[int | None, list[str]]:
    """Find the output that commands the cell: the one beside the membrane potential, else the first in amperes."""
    units = [str(u) for u in abf.dacUnits]
    if any(np.ravel(abf.userListEnable)):
        return None, ["The protocol uses a user list, which the header's epochs do not show: its command is unknown."]
    outputs = [k for k, unit in enumerate(units) if quantity(unit) == "current"]
    if not outputs:
        unit = units[vm] if vm < len(units) else "?"
        return None, [f"The header's command is declared in '{unit}', not in a unit of current, and is not used."]
    return (vm if vm in outputs else outputs[0]), []


def _header_command(abf: pyabf.ABF, sweep: int, dac: int | None) -> _Trace | None:
    """Sample the header's command of one sweep, or tell with None that it is not known."""
    if dac is None or dac >= abf.channelCount:
        return None
    try:
        abf.setSweep(sweep, channel=dac)
        command = np.asarray(abf.sweepC, dtype=np.float64) * scale(str(abf.dacUnits[dac]))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, NameError, OSError):
        # A waveform from a stimulus file that is not there fails in as many ways as there are versions.
        return None
    if command.shape != (abf.sweepPointCount,) or not np.isfinite(command).all():
        return None
    return command


def _follows(recorded: list[_Trace], header: list[_Trace | None], rate: float) -> bool:
    """Say whether a recorded current takes the steps that the header commands."""
    checks = []
    for trace, command in zip(recorded, header, strict=True):
        if command is None:
            continue
        found = [p for p in plateaus(command, rate) if p.stop - p.start >= 5 * rate]
        for before, step in pairwise(found):
            wanted = step.level - before.level
            got = middle_mean(trace[step.start : step.stop]) - middle_mean(trace[before.start : before.stop])
            if abs(wanted) > 5:
                checks.append(0.5 < got / wanted < 1.5)
    return not checks or 2 * sum(checks) > len(checks)


def _sweep(
    abf: pyabf.ABF, k: int, response: _Trace, command: _Trace | None, name: str, is_measured: bool
) -> RecordedSweep:
    """Make one sweep; a time without a zone is taken for UTC, because only intervals are used."""
    command_source: CommandSource = "recorded channel" if is_measured else "header"
    holding_source: HoldingSource = "measured" if is_measured else "header"
    problem = None
    if command is None:
        problem = (
            "The file does not say what current was injected: record the current, "
            "or keep the protocol with its epochs, in pA, in the file."
        )
    else:
        problem = current_problem(command, name)
    if problem:
        command, command_source, holding_source = None, "unknown", "unknown"
    started = abf.abfDateTime
    start = started.replace(tzinfo=started.tzinfo or UTC) if isinstance(started, datetime) else None
    return RecordedSweep(
        index=k,
        response=response,
        rate=abf.dataRate / 1e3,
        command=command,
        start=start + timedelta(seconds=float(abf.sweepTimesSec[k])) if start else None,
        command_source=command_source,
        holding_source=holding_source,
        protocol=str(abf.protocol),
        problem=problem,
    )
