"""This file is the reader of Axon binary files, versions 1 and 2."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hardware.abf_outlets import Outlet, channels_of, commanding_output, declared_clamp, outlets, voltage_channel
from hardware.abf_stimulus import stays_beside
from hardware.choice import Choice, chosen
from hardware.epochs import middle_mean, plateaus
from hardware.plausibility import current_problem, voltage_problem
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError, Role
from hardware.units import quantity, scale
from simulators.sweep import CommandSource, HoldingSource

if TYPE_CHECKING:
    import pyabf  # type: ignore[import-untyped]

__all__ = ["read_abf"]

_Trace = npt.NDArray[np.float64]
_AS_IT_IS = Choice()
_MOST_SWEEPS = 20_000


def read_abf(path: Path, choice: Choice = _AS_IT_IS) -> Recording:
    """Read an ABF file: the membrane potential, and the current from a recorded channel or else from the header.

    A recorded current is preferred because the header only says what was asked for, at a scale that nobody
    checked. Where both are there and the recorded one does not follow the header's steps, it belongs to another
    cell, and the header is used.

    Args:
        path: The file.
        choice: Which channels are read; a chosen current is taken whether or not it follows the header.

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
            return _recording(path, abf, choice)
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
    if min(counts) < 0 or points <= 0 or not 0 <= episodes <= min(points, _MOST_SWEEPS):
        raise RecordingError(
            f"{path} has a damaged header ({points} samples in {episodes} sweeps): copy it again from the rig."
        )
    return holding


def _recording(path: Path, abf: pyabf.ABF, choice: Choice) -> Recording:
    """Turn what the library read into sweeps."""
    if abf.nOperationMode == 1:
        raise RecordingError(
            f"{path} was recorded by events, with sweeps of different lengths: "
            "record it in episodic mode, or export its sweeps as NWB."
        )
    listed, traces = outlets(abf), _traces(abf)
    vm = voltage_channel(path, abf, traces, listed, choice.channel)
    clamp_source = declared_clamp(path, abf, vm)
    current, dac, notes = _current(path, abf, traces, vm, listed, choice.current_channel)
    if current is not None:
        commands: list[_Trace | None] = list(traces[current])
    else:
        commands = [_header_command(path, abf, k, dac) for k in abf.sweepList]
    used = current if dac is None else next((k for k, outlet in enumerate(listed) if outlet.dac == dac), None)
    name = "of the header" if used is None else listed[used].name
    roles: dict[int | None, Role] = {used: "command" if current is None else "current", vm: "response"}
    channels = tuple(Channel(o.name, o.unit, roles.get(k, "other")) for k, o in enumerate(listed))
    sweeps = [_sweep(abf, k, traces[vm][k], commands[k], name, current is not None) for k in abf.sweepList]
    sweeps = [replace(s, problem=voltage_problem(s.response, listed[vm].name) or s.problem) for s in sweeps]
    return Recording(path, f"ABF{abf.abfVersion['major']}", tuple(sweeps), channels, tuple(notes), clamp_source)


def _current(
    path: Path, abf: pyabf.ABF, traces: list[list[_Trace]], vm: int, listed: Sequence[Outlet], asked: str | None
) -> tuple[int | None, int | None, list[str]]:
    """Find the current: the recorded channel or else the output, with what there is to say of it."""
    if asked is not None:
        k = chosen(asked, channels_of(listed), "current", path)
        notes = [f"The current is read from '{listed[k].name}' in {listed[k].unit}, as was asked for."]
        return (k, None, notes) if listed[k].dac is None else (None, listed[k].dac, notes)
    dac, notes = commanding_output(abf, vm)
    current = next((k for k, o in enumerate(listed) if o.dac is None and quantity(o.unit) == "current"), None)
    if current is None:
        return None, dac, notes
    if dac is not None:
        header = [_header_command(path, abf, k, dac) for k in abf.sweepList]
        if not _follows(traces[current], header, abf.dataRate / 1e3):
            notes.append(
                f"Channel '{listed[current].name}' does not follow the steps of the command '{abf.dacNames[dac]}', "
                "so it belongs to another cell: the current of the header is used."
            )
            return None, dac, notes
    notes.append(f"The current is read from the recorded channel '{listed[current].name}' in {listed[current].unit}.")
    return current, None, notes


def _traces(abf: pyabf.ABF) -> list[list[_Trace]]:
    """Lay out the data as channel, sweep, samples, in mV or pA; channels in other units stay as they are."""
    table = []
    for k, unit in enumerate(abf.adcUnits):
        factor = scale(unit) if quantity(unit) else 1.0
        data = np.asarray(abf.data[k], dtype=np.float64) * factor
        table.append([data[s * abf.sweepPointCount : (s + 1) * abf.sweepPointCount] for s in abf.sweepList])
    return table


def _header_command(path: Path, abf: pyabf.ABF, sweep: int, dac: int | None) -> _Trace | None:
    """Sample the header's command of one sweep, or tell with None that it is not known."""
    if dac is None or dac >= abf.channelCount or not stays_beside(path, abf, dac):
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
    # A header knows the protocol, never a current that the amplifier adds to it by itself.
    holding_source: HoldingSource = "measured" if is_measured else "unknown"
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
