"""This file is the answer: a recording on its way between two processes, as JSON and bare samples.

Nothing of it is ever executed: names and numbers are JSON, traces are float64 as they lie in memory.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from hardware.recording import Channel, RecordedSweep, Recording, RecordingError
from simulators.stimulus import Dose, Epoch, Stimulus
from simulators.sweep import Junction

__all__ = ["Stumble", "receive", "receive_object", "send", "send_object"]

_SIZE = struct.Struct("<Q")
_LONGEST_TEXT = 1 << 26  # bytes
_MOST_SAMPLES = 400_000_000  # two traces of an hour at 50 kHz
_MOST_SWEEPS = 20_000
_SLOWEST, _FASTEST = 0.1, 1000.0  # [kHz]
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


class Stumble(RecordingError):
    """A refusal that comes from a library and not from a rule of ours: it may have left something behind."""


def send_object(pipe: IO[bytes], described: Mapping[str, Any]) -> None:
    """Write one JSON object.

    Args:
        pipe: Where to.
        described: What `json` takes.
    """
    text = json.dumps(described).encode()
    pipe.write(_SIZE.pack(len(text)) + text)
    pipe.flush()


def receive_object(pipe: IO[bytes]) -> dict[str, Any]:
    """Read one JSON object.

    Args:
        pipe: Where from.

    Returns:
        The object.

    Raises:
        EOFError: If the other side has ended.
        ValueError: If it is no JSON object, or too long a one.
    """
    (size,) = _SIZE.unpack(_exactly(pipe, _SIZE.size))
    if size > _LONGEST_TEXT:
        raise ValueError(f"Answer has a text of {size} bytes, at most {_LONGEST_TEXT} were wanted.")
    described = json.loads(_exactly(pipe, size))
    if not isinstance(described, dict):
        raise ValueError(f"Answer is a {type(described).__name__}, a JSON object was wanted.")
    return described


def send(pipe: IO[bytes], recording: Recording) -> None:
    """Write a recording: what describes it, then its traces one after the other.

    Args:
        pipe: Where to.
        recording: What was read.

    Raises:
        RecordingError: If it is longer than any recording; nothing was written then.
    """
    sweeps = recording.sweeps
    samples = sum(s.response.size * (1 if s.command is None else 2) for s in sweeps)
    if samples > _MOST_SAMPLES or len(sweeps) > _MOST_SWEEPS:
        raise RecordingError(
            f"{recording.path} has {len(sweeps)} sweeps with {samples} samples, at most {_MOST_SWEEPS} with "
            f"{_MOST_SAMPLES} are read: export a part of it."
        )
    for s in sweeps:
        if not _SLOWEST <= s.rate <= _FASTEST:
            raise RecordingError(
                f"{recording.path} has a sampling rate of {s.rate:g} kHz in sweep {s.index}, {_SLOWEST:g} to "
                f"{_FASTEST:g} kHz was wanted: correct it in the file."
            )
    send_object(
        pipe,
        {
            "format": _plain(recording.format),
            "clamp_source": _plain(recording.clamp_source),
            "channels": [[_plain(c.name), _plain(c.unit), c.role] for c in recording.channels],
            "problems": [_plain(p) for p in recording.problems],
            "sweeps": [_described(s) for s in sweeps],
        },
    )
    for s in sweeps:
        for trace in (s.response, s.command):
            if trace is not None:
                pipe.write(np.ascontiguousarray(trace).data.cast("B"))
    pipe.flush()


def receive(pipe: IO[bytes], path: Path) -> Recording:
    """Read what `send` wrote.

    Args:
        pipe: Where from.
        path: Where the recording lies.

    Returns:
        The recording, bit by bit as it was sent.

    Raises:
        RecordingError: If the other side refused the file; a `Stumble` where a library did.
        EOFError: If it ended before it had answered.
        ValueError, LookupError, TypeError: If what it sent is no recording.
    """
    described = receive_object(pipe)
    if "refusal" in described:
        raise Stumble(str(described["refusal"])) if described["stumbled"] else RecordingError(described["refusal"])
    rows = described["sweeps"]
    if sum(row["samples"] * (2 if row["has_command"] else 1) for row in rows) > _MOST_SAMPLES:
        raise ValueError("Answer claims more samples than any recording has.")
    return Recording(
        path,
        described["format"],
        tuple(_sweep(row, pipe) for row in rows),
        tuple(Channel(*row) for row in described["channels"]),
        tuple(described["problems"]),
        described["clamp_source"],
    )


def _exactly(pipe: IO[bytes], size: int) -> bytearray:
    """Read as many bytes as were announced."""
    found = bytearray(size)
    view, there = memoryview(found), 0
    while there < size:
        got = pipe.readinto(view[there:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError(f"{there} of {size} bytes came.")
        there += got
    return found


def _trace(pipe: IO[bytes], samples: int) -> npt.NDArray[np.float64]:
    return np.frombuffer(_exactly(pipe, samples * 8), dtype=np.float64)


def _plain(text: str) -> str:
    """Replace what a terminal would obey: a name in a file is shown, never acted upon."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _described(sweep: RecordedSweep) -> dict[str, Any]:
    """Describe a sweep without its traces; a start that no rig can have had is unknown."""
    start = sweep.start if sweep.start and _FIRST_YEAR <= sweep.start.year <= _LAST_YEAR else None
    return {
        "index": sweep.index,
        "samples": sweep.response.size,
        "has_command": sweep.command is not None,
        "rate": float(sweep.rate),
        "start": start.isoformat() if start else None,
        "clamp": sweep.clamp,
        "command_source": sweep.command_source,
        "holding_source": sweep.holding_source,
        "protocol": _plain(sweep.protocol),
        "stimulus": asdict(sweep.stimulus) if sweep.stimulus else None,
        "junction": asdict(sweep.junction),
        "bridge": float(sweep.bridge) if math.isfinite(sweep.bridge) else 0.0,
        "problem": _plain(sweep.problem) if sweep.problem else None,
    }


def _sweep(row: Mapping[str, Any], pipe: IO[bytes]) -> RecordedSweep:
    """Put a sweep together again."""
    stimulus = row["stimulus"]
    response = _trace(pipe, row["samples"])
    return RecordedSweep(
        index=row["index"],
        response=response,
        rate=row["rate"],
        command=_trace(pipe, row["samples"]) if row["has_command"] else None,
        start=datetime.fromisoformat(row["start"]) if row["start"] else None,
        clamp=row["clamp"],
        command_source=row["command_source"],
        holding_source=row["holding_source"],
        protocol=row["protocol"],
        stimulus=Stimulus(stimulus["clamp"], tuple(map(_epoch, stimulus["epochs"])), stimulus["observed"])
        if stimulus
        else None,
        junction=Junction(**row["junction"]),
        bridge=row["bridge"],
        problem=row["problem"],
    )


def _epoch(row: Mapping[str, Any]) -> Epoch:
    return Epoch(row["level"], row["duration"], tuple(Dose(**dose) for dose in row["doses"]))
