"""This file is the benchmark of the recording: four channels at 50 kHz into a file in the system's temporary folder.

What the window shows meanwhile, and what that costs, is measured with the engine that it looks at.

The signals are what a converter of 16 bit gives of a resting membrane and its currents, so that they pack as recorded
ones do. They come first as fast as the recorder takes them, which is the throughput, then as a rig gives them, in
blocks of 20 ms; what the queue holds, how long a flush takes and what it costs are of the second.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.recorder import Recorder
from hardware.rig import BLOCK
from hardware.track import Track
from rig_plugin.display import DisplayError, check_display
from rig_plugin.tasks.frames import Frames, frames

__all__ = ["measure"]

_RATE = 50.0
_NOISE = {"Vm": (0.1, 200.0), "Im": (5.0, 20_000.0), "Vm 2": (0.1, 200.0), "Im 2": (5.0, 20_000.0)}
_SLOWEST = 200.0
_DEPTH = 250.0
_CORES = 0.5
_AHEAD = 250_000
_FRAMES = 30.0

Traces = Mapping[str, npt.NDArray[np.float64]]


def measure(peers: bool = True, seconds: float = 10.0) -> list[dict[str, Any]]:
    """Record a signal twice, as fast as can be and at the pace of a rig.

    Args:
        peers: There is none that records to the same file format.
        seconds: Length of the signal [s].

    Returns:
        Figures, as in every benchmark.
    """
    blocks = [_block(k) for k in range(50)]
    count = max(1, round(seconds * 1e3 / BLOCK))
    with tempfile.TemporaryDirectory() as folder:
        fast = _fast(Path(folder) / "fast.h5", blocks, count)
        paced = _paced(Path(folder) / "paced.h5", blocks, count)
        seen = _seen(Path(folder), seconds)
    samples = len(_NOISE) * count * round(BLOCK * _RATE)
    rate = len(_NOISE) * _RATE * 1e3
    lost = fast["lost"] + paced["lost"] + (seen.lost if seen else 0)
    return [
        _figure("throughput", samples / fast["time"], "samples/s", samples, rate, met=samples / fast["time"] >= rate),
        _figure("bytes_a_sample", fast["bytes"] / samples, "bytes", samples),
        _at_most("lost_samples", lost, "samples", 3 * samples, 0.0),
        _at_most("queue_ms_max", paced["queue"] / _RATE, "ms", count, _DEPTH),
        _figure("flush_ms_p50", 1e3 * float(np.percentile(paced["flushes"], 50)), "ms", len(paced["flushes"])),
        _at_most(
            "flush_ms_p99", 1e3 * float(np.percentile(paced["flushes"], 99)), "ms", len(paced["flushes"]),
            _SLOWEST,
        ),
        _at_most("processor", paced["processor"], "cores", count, _CORES),
        *_of_the_window(seen, count),
    ]  # fmt: skip


def _seen(folder: Path, seconds: float) -> Frames | None:
    """Look at the window, where there is somewhere to show one."""
    try:
        check_display()
    except DisplayError:
        return None
    return frames(folder, seconds)


def _of_the_window(seen: Frames | None, count: int) -> list[dict[str, Any]]:
    """Lay out what was seen; what was not keeps its place."""
    n = len(seen.costs) if seen else 0
    p50, p99 = np.percentile(seen.costs, [50, 99]).tolist() if seen else (None, None)
    rate = seen.rate if seen else None
    return [
        _figure("frames_a_second", rate, "1/s", n, _FRAMES, met=None if rate is None else rate >= _FRAMES),
        _figure("frame_ms_p50", p50, "ms", n),
        _at_most("frame_ms_p99", p99, "ms", n, 1e3 / _FRAMES),
        _at_most("engine", seen.engine if seen else None, "cores", count, _CORES),
    ]


def _fast(path: Path, blocks: list[Traces], count: int) -> dict[str, Any]:
    """Record as fast as the file is written, with at most five seconds of samples waiting."""
    begun = time.perf_counter()
    with Recorder(path, {}) as recorder:
        recorder.start_continuous(_RATE, dict.fromkeys(_NOISE, Track()))
        for k in range(count):
            recorder.append_continuous(blocks[k % len(blocks)])
            while recorder.queued > _AHEAD:
                time.sleep(1e-3)
        recorder.finish_continuous()
    taken = time.perf_counter() - begun
    return {"time": taken, "lost": recorder.dropped + recorder.received - recorder.on_disk, "bytes": _size(path)}


def _paced(path: Path, blocks: list[Traces], count: int) -> dict[str, Any]:
    """Record at the pace of a rig."""
    deepest = 0
    with Recorder(path, {}) as recorder:
        recorder.start_continuous(_RATE, dict.fromkeys(_NOISE, Track()))
        begun, worked = time.perf_counter(), time.process_time()
        for k in range(count):
            time.sleep(max(0.0, begun + (k + 1) * BLOCK / 1e3 - time.perf_counter()))
            recorder.append_continuous(blocks[k % len(blocks)])
            deepest = max(deepest, recorder.queued)
        processor = (time.process_time() - worked) / (time.perf_counter() - begun)
        recorder.finish_continuous()
    return {
        "lost": recorder.dropped + recorder.received - recorder.on_disk,
        "queue": deepest,
        "flushes": recorder.latencies,
        "processor": processor,
    }


def _block(seed: int) -> Traces:
    """Make 20 ms of each channel, as a converter of 16 bit over its range has them."""
    rng = np.random.default_rng(seed)
    traces = {}
    for name, (noise, reach) in _NOISE.items():
        bit = 2 * reach / 2**16
        traces[name] = bit * np.round(rng.normal(-70.0, noise, round(BLOCK * _RATE)) / bit)
    return traces


def _size(path: Path) -> int:
    return path.stat().st_size


def _at_most(name: str, value: float | None, unit: str, n: int, aim: float) -> dict[str, Any]:
    return _figure(name, value, unit, n, aim, met=None if value is None else value <= aim)


def _figure(
    name: str, value: float | None, unit: str, n: int, aim: float | None = None, *, met: bool | None = None
) -> dict[str, Any]:
    measured = {"name": name, "value": value, "unit": unit, "n": n}
    return {**measured, "peer": None, "peer_version": None, "ratio": None, "aim": aim, "met": met}
