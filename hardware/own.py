"""This file is the reader of our own recordings, whole or left behind by a program that died."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.gap import lost_samples
from hardware.hdf5 import open_hdf5, text, trace
from hardware.plausibility import current_problem, voltage_problem
from hardware.recorder import FORMAT, VERSION
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError
from hardware.track import RESERVED
from simulators.stimulus import Dose, Epoch, Stimulus
from simulators.sweep import Junction

__all__ = ["is_own", "read_own"]

_MOST = 100_000  # gaps of one sweep
_LONGEST = 1 << 32  # samples


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
    """Read the sweeps of a recording of this program, in any version of its format.

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
            names = ((name, group[name]) for group in groups for name in sorted(set(group) - RESERVED))
            further = dict.fromkeys(Channel(name, text(found.attrs["unit"])) for name, found in names)
        except RecordingError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, OSError, RuntimeError, OverflowError) as error:
            raise RecordingError(f"{path} is a damaged recording ({error}): run `recover` on it.") from error
    left = sum(s.problem is not None for s in sweeps)
    problems = (f"{left} of {len(sweeps)} sweeps are not usable.",) if left else ()
    channels = (Channel("response", "mV", "response"), Channel("command", "pA", "current"), *further)
    return Recording(path, f"{FORMAT} {version}", sweeps, channels, problems)


def _gaps(group: h5py.Group, path: Path) -> npt.NDArray[np.int64]:
    """Read where samples were lost, shape (k, 2): the first one's index, and how many."""
    if "gaps" not in group or not group["gaps"].shape[0]:
        return np.empty((0, 2), np.int64)
    gaps = group["gaps"]
    if gaps.ndim != 2 or gaps.shape[1] != 2 or gaps.dtype.kind not in "iu" or gaps.shape[0] > _MOST:
        raise RecordingError(f"{path} is damaged in '{gaps.name}': run `recover` on it.")
    rows = np.asarray(gaps[()], dtype=np.int64)
    if rows.min() < 0 or rows.max() > _LONGEST:
        raise RecordingError(f"{path} is damaged in '{gaps.name}': run `recover` on it.")
    return rows


def _sweep(path: Path, k: int, group: h5py.Group) -> RecordedSweep:
    """Read one sweep with all that was known when it was recorded."""
    gaps = _gaps(group, path)
    lost = int(gaps[:, 1].sum())
    response = trace(group["response"], path, lost)
    command = trace(group["command"], path, lost)[: response.size] if "command" in group else None
    # A kill between the two traces of a block leaves one of them longer.
    response = response[: command.size] if command is not None else response
    described, origin = json.loads(text(group.attrs["stimulus"])), json.loads(text(group.attrs["provenance"]))
    epochs = (e | {"doses": tuple(Dose(**dose) for dose in e.get("doses", ()))} for e in described["epochs"])
    stimulus = Stimulus(described["clamp"], tuple(Epoch(**e) for e in epochs), described["observed"])
    rate = float(group.attrs["rate"]) / 1e3
    wanted = stimulus.command(rate).size if math.isfinite(rate) and rate > 0 else 0
    problem = voltage_problem(response, "response")
    if command is not None:
        problem = problem or current_problem(command, "command")
    if lost:
        problem = lost_samples([(int(first), int(count)) for first, count in gaps], rate)
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
