"""This file is the batches: a simulation of any length, spread over workers, streamed to HDF5 and resumed when killed.

A chunk's numbers depend on the seed and its own number only: they are the same for threads, processes, a cluster or
none, for any number of workers, and in whatever order they come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from simulators.chunks import ChunkError, holds, keep, missing, open_file, title
from simulators.origin import name
from simulators.parameter import Parameter
from simulators.plan import Batch, BatchError, Plan, Summary
from simulators.simulator import Simulator
from simulators.stimulus import Stimulus
from simulators.workers import spread

__all__ = ["Progress", "read_batches", "simulate_batches"]

_ORIGIN = "origin"


@dataclass(frozen=True)
class Progress:
    """How far a simulation is.

    Args:
        cells: Cells in the file.
        wanted: Cells that it is to hold, in whole chunks.
        blown_up: Sweeps among them whose equations blew up, which are NaN.
    """

    cells: int
    wanted: int
    blown_up: int


def simulate_batches(
    simulator: Simulator,
    prior: Sequence[Parameter],
    stimuli: Sequence[Stimulus],
    path: str | Path,
    *,
    cells: int,
    rate: float,
    seed: int,
    executor: Executor | None = None,
    summarize: Summary | str | None = None,
    chunk: int = 1024,
    ahead: int | None = None,
    told: Callable[[Progress], None] | None = None,
) -> Progress:
    """Draw cells from a prior, simulate each under every stimulus, and stream what comes to a file.

    The file grows by whole chunks, each with its seed and the number of its sweeps that blew up. One that the same
    simulator, code, prior, stimuli, rate, seed, chunk and summary began is continued, whoever the workers are; any
    other is refused and left alone. Memory holds `ahead` chunks, however many there are in all. What is to be known
    of each executor is told in `simulators.workers`.

    Where a worker dies, dask's scheduler gives its chunk to another; a `ProcessPoolExecutor` is broken by it and the
    call ends, so make a new one and call again: it goes on with what is missing.

    Args:
        simulator: Of a class that can be imported; its attributes are plain data.
        prior: Of each of the simulator's parameters, in their order and within their bounds.
        stimuli: At least one, in a clamp that the simulator has.
        path: HDF5 file.
        cells: How many; rounded up to whole chunks. A later call may ask for more.
        rate: Sampling rate [kHz].
        seed: Of everything, from 0 to 2^63 - 1. Chunk k is made from `SeedSequence(seed, spawn_key=(k,))`.
        executor: Who works, made and shut down by the caller; None for one chunk after the other here.
        summarize: What is kept in place of the responses: an importable function, or its "package.module:name". It
            runs in the worker, is given NaN where a sweep blew up, and its values of such a sweep are set to NaN.
            None keeps the responses, in float32.
        chunk: Cells in a chunk.
        ahead: Chunks under way, at most; None for twice this machine's cores.
        told: Called after every chunk.

    Returns:
        What the file holds in the end.

    Raises:
        BatchError: If something given does not fit the simulator, or a chunk fails; it names the chunk and its seed.
        ChunkError: If the file is no HDF5 file, was made from something else, or is open in another process.
        OriginError: If simulator or summary can't be found by name, or have attributes that are no plain data.
        WorkerError: If the workers died or were shut down.
    """
    if cells < 1:
        raise BatchError(f"{cells} cells were asked for, at least 1 was wanted.")
    summary = name(summarize) if callable(summarize) else summarize
    plan = Plan(simulator, tuple(prior), tuple(stimuli), float(rate), seed, chunk, summary)
    path, wanted = Path(path), -(-cells // chunk)
    origin = json.dumps(plan.origin())
    with open_file(path) as file:
        _claim(file, path, origin)
        there = [number for number in range(wanted) if holds(file, number)]
        blown_up = sum(int(file[title(number)].attrs["blown_up"]) for number in there)
        progress = Progress(len(there) * chunk, wanted * chunk, blown_up)
        with closing(spread(plan.make, missing(file, wanted), executor, ahead)) as made:
            for number, batch in made:
                _write(file, number, batch, seed)
                progress = Progress(progress.cells + chunk, wanted * chunk, progress.blown_up + batch.blown_up)
                if told:
                    told(progress)
    return progress


def _claim(file: h5py.File, path: Path, origin: str) -> None:
    """Make sure that a file is new, or holds chunks of this very plan."""
    if not len(file) and not len(file.attrs):
        file[_ORIGIN] = origin
        file.flush()
        return
    if _ORIGIN not in file:
        raise ChunkError(f"{path} holds something other than simulated batches; choose another name or move it.")
    theirs, ours = json.loads(file[_ORIGIN].asstr()[()]), json.loads(origin)
    others = [key for key in ours if theirs.get(key) != ours[key]]
    if others:
        raise ChunkError(
            f"{path} was begun with another {', '.join(others)} and can't be continued; give what it was begun with, "
            "or choose another name."
        )


def _write(file: h5py.File, number: int, batch: Batch, seed: int) -> None:
    """Write a batch as a chunk."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"theta": batch.theta}
    arrays |= {f"responses/{k}": response for k, response in enumerate(batch.responses)}
    if batch.values is not None:
        arrays["values"] = batch.values
    keep(file, number, arrays, {"seed": [seed, number], "blown_up": batch.blown_up})


def read_batches(path: str | Path) -> Iterator[Batch]:
    """Read chunk by chunk what `simulate_batches` wrote.

    Args:
        path: HDF5 file.

    Yields:
        The chunks, in the order of their numbers.
    """
    with h5py.File(path, "r") as file:
        for number in sorted(int(key) for key in file if key.isdecimal()):
            group = file[title(number)]
            kept = group.get("responses", ())
            yield Batch(
                group["theta"][:],
                tuple(kept[str(k)][:] for k in range(len(kept))),
                group["values"][:] if "values" in group else None,
                int(group.attrs["blown_up"]),
            )
