"""This file is the reader of our own recordings, whole or left behind by a program that died."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path

import h5py  # type: ignore[import-untyped]

from hardware.hdf5 import open_hdf5, text, trace
from hardware.plausibility import current_problem, voltage_problem
from hardware.recorder import FORMAT, VERSION
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError
from simulators.stimulus import Epoch, Stimulus
from simulators.sweep import Junction

__all__ = ["is_own", "read_own"]


def is_own(path: Path) -> bool:
    """Say whether an HDF5 file is one of our recordings.

    Args:
        path: The file.

    Returns:
        True where it names our format.

    Raises:
        RecordingError: If it is cut off or damaged.
    """
    with open_hdf5(path) as file:
        return text(file.attrs.get("format")) == FORMAT


def read_own(path: Path) -> Recording:
    """Read a recording of this program.

    Args:
        path: The file.

    Returns:
        The recording; a sweep that was not finished says so in its problem.

    Raises:
        RecordingError: If it is damaged, or of a later version.
    """
    with open_hdf5(path) as file:
        version = int(file.attrs.get("version", 0))
        if version > VERSION:
            raise RecordingError(f"{path} has format version {version}, up to {VERSION} is known: update the program.")
        try:
            groups = [group for _, group in sorted(file["sweeps"].items()) if "response" in group]
            sweeps = tuple(_sweep(path, k, group) for k, group in enumerate(groups))
        except RecordingError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, OSError, RuntimeError, OverflowError) as error:
            raise RecordingError(f"{path} is a damaged recording ({error}): run `recover` on it.") from error
    left = sum(s.problem is not None for s in sweeps)
    problems = (f"{left} of {len(sweeps)} sweeps are not usable.",) if left else ()
    channels = (Channel("response", "mV", "response"), Channel("command", "pA", "current"))
    return Recording(path, f"{FORMAT} {version}", sweeps, channels, problems)


def _sweep(path: Path, k: int, group: h5py.Group) -> RecordedSweep:
    """Read one sweep with all that was known when it was recorded."""
    response = trace(group["response"], path)
    command = trace(group["command"], path)[: response.size] if "command" in group else None
    # A kill between the two traces of a block leaves one of them longer.
    response = response[: command.size] if command is not None else response
    described, origin = json.loads(text(group.attrs["stimulus"])), json.loads(text(group.attrs["provenance"]))
    stimulus = Stimulus(described["clamp"], tuple(Epoch(**e) for e in described["epochs"]), described["observed"])
    rate = float(group.attrs["rate"]) / 1e3
    wanted = stimulus.command(rate).size if math.isfinite(rate) and rate > 0 else 0
    problem = voltage_problem(response, "response")
    if command is not None:
        problem = problem or current_problem(command, "command")
    if response.size != wanted:
        problem = f"Sweep {k} ended after {response.size} of {wanted} samples: record it again."
    return RecordedSweep(
        index=k,
        response=response,
        rate=rate,
        command=command,
        start=datetime.fromisoformat(origin["start"]) if origin["start"] else None,
        clamp=stimulus.clamp,
        command_source=origin["command_source"],
        holding_source=origin["holding_source"],
        stimulus=stimulus,
        junction=Junction(**origin["junction"]),
        bridge=float(origin["bridge"]),
        problem=problem,
    )
