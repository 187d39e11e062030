"""This file is the simulation: cells to train with or to check by, written to disk chunk by chunk, so that it resumes.

Each chunk has a seed of its own, made from the spec's seed, what the cells are for and the chunk's number: what is on
disk when a run is killed is what an undisturbed run would have written, whoever made it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from functools import partial
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np

import simulators
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.generation import generate
from estimators.sets import Sets
from estimators.spec import Spec
from simulators.chunks import holds, keep, missing, open_file, title
from simulators.workers import spread

__all__ = ["CHECKING", "CHUNK", "TRAINING", "fill", "load_sets", "signature", "simulate_to"]

CHUNK = 1500
TRAINING, CHECKING = 1, 14
"""What cells are for: no two purposes share any."""

_MADE_OF = (
    "cell", "changes", "conditioning", "context", "designs", "features", "generation", "measuring", "nuisances",
    "process", "spikes",
)  # fmt: skip


def signature(spec: Spec, purpose: int, further: Sequence[str] = ()) -> str:
    """Name the process: what is drawn, and the code that draws, simulates and measures.

    Args:
        spec: The process.
        purpose: What cells are for.
        further: Files of this folder that take part besides, by name.

    Returns:
        Two are the same where the same cells would come of them.
    """
    sources = [Path(__file__).with_name(f"{name}.py") for name in (*_MADE_OF, *further)]
    sources += sorted(Path(simulators.__file__).parent.glob("*.py"))
    code = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    return repr((spec.seed, purpose, spec.parameters, spec.designs, spec.nuisances, NAMES, CONTEXT, CHUNK, code))


def simulate_to(
    path: Path, spec: Spec, cells: int, executor: Executor | None = None, purpose: int = TRAINING
) -> Iterator[int]:
    """Simulate until a file holds as many cells as were wanted.

    Args:
        path: HDF5 file; one that the same process and code began is continued, any other begun anew.
        spec: The process.
        cells: Cells wanted; rounded up to whole chunks.
        executor: Who simulates, as `simulators.workers` has it; None for this process. The numbers are the same.
        purpose: `TRAINING` or `CHECKING`.

    Yields:
        Cells there after each chunk.

    Raises:
        ChunkError: If the file is no HDF5 file, or open in another process.
        WorkerError: If the workers died; run again, what they made is kept.
    """
    work = partial(_draw, spec, CHUNK, purpose)
    yield from fill(path, signature(spec, purpose), work, -(-cells // CHUNK), CHUNK, executor)


def fill(
    path: Path,
    named: str,
    work: Callable[[int], Sets],
    chunks: int,
    size: int,
    executor: Executor | None = None,
) -> Iterator[int]:
    """Make chunks of cells until a file holds as many as were wanted.

    Args:
        path: HDF5 file; one that was begun under the same name is continued, any other begun anew.
        named: What tells these cells from others.
        work: Makes a chunk from its number; importable by name, or a `functools.partial` of such.
        chunks: How many.
        size: Cells of each.
        executor: As `simulate_to`.

    Yields:
        Cells there after each chunk.

    Raises:
        ChunkError: As `simulate_to`.
        WorkerError: As `simulate_to`.
    """
    with open_file(path) as file:
        if file.attrs.get("process") != named:
            file.clear()
            file.attrs["process"] = named
            file.flush()
        there = sum(holds(file, chunk) for chunk in range(chunks))
        yield from (size * (k + 1) for k in range(there))
        with closing(spread(work, missing(file, chunks), executor)) as made:
            for chunk, sets in made:
                keep(file, chunk, {name: getattr(sets, name) for name in ("u", "features", "context", "first")})
                there += 1
                yield size * there


def _draw(spec: Spec, cells: int, purpose: int, chunk: int) -> Sets:
    """Draw the cells of one chunk."""
    rng = np.random.default_rng([spec.seed, purpose, chunk])
    return Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, cells, rng)))


def load_sets(path: Path, cells: int, size: int | None = None) -> Sets:
    """Read the cells that `simulate_to` or `fill` wrote.

    Args:
        path: HDF5 file.
        cells: How many; rounded up to whole chunks.
        size: Cells of a chunk; None for as many as `simulate_to` puts into one.

    Returns:
        All of them together.
    """
    with h5py.File(path, "r") as file:
        groups = [file[title(chunk)] for chunk in range(-(-cells // (size or CHUNK)))]
        return Sets.join([Sets(g["u"][:], g["features"][:], g["context"][:], g["first"][:]) for g in groups])
