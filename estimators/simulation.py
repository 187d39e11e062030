"""This file is the simulation: the training cells, written to disk chunk by chunk, so that a killed run resumes.

Each chunk has a seed of its own, made from the spec's seed and the chunk's number: what is on disk when a run is
killed is what an undisturbed run would have written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np

import simulators
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.generation import Sets, generate
from estimators.spec import Spec

__all__ = ["CHUNK", "load_sets", "simulate_to"]

CHUNK = 1500

_MADE_OF = ("conditioning", "context", "designs", "features", "generation", "measuring", "spikes")


def _signature(spec: Spec) -> str:
    """Name the process: what is drawn, and the code that draws, simulates and measures."""
    sources = [Path(__file__).with_name(f"{name}.py") for name in _MADE_OF]
    sources += sorted(Path(simulators.__file__).parent.glob("*.py"))
    code = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    return repr((spec.seed, spec.parameters, spec.designs, spec.nuisances, NAMES, CONTEXT, CHUNK, code))


def simulate_to(path: Path, spec: Spec, cells: int) -> Iterator[int]:
    """Simulate until a file holds as many cells as were wanted.

    Args:
        path: HDF5 file; one that the same process and code began is continued, any other begun anew.
        spec: The process.
        cells: Cells wanted; rounded up to whole chunks.

    Yields:
        Cells there after each chunk.
    """
    with h5py.File(path, "a") as file:
        if file.attrs.get("process") != _signature(spec):
            file.clear()
            file.attrs["process"] = _signature(spec)
    for chunk in range(-(-cells // CHUNK)):
        with h5py.File(path, "a") as file:
            there = f"{chunk:06d}" in file
        if not there:
            rng = np.random.default_rng([spec.seed, 1, chunk])
            sets = Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, CHUNK, rng)))
            with h5py.File(path, "a") as file:
                # A chunk under its temporary name is one that a kill left unfinished.
                name = f"{chunk:06d}"
                if "writing" in file:
                    del file["writing"]
                group = file.create_group("writing")
                group["u"], group["features"], group["context"], group["first"] = (
                    sets.u,
                    sets.features,
                    sets.context,
                    sets.first,
                )
                file.move("writing", name)
        yield (chunk + 1) * CHUNK


def load_sets(path: Path, cells: int) -> Sets:
    """Read the cells that `simulate_to` wrote.

    Args:
        path: HDF5 file.
        cells: How many; rounded up to whole chunks.

    Returns:
        All of them together.
    """
    with h5py.File(path, "r") as file:
        groups = [file[f"{chunk:06d}"] for chunk in range(-(-cells // CHUNK))]
        return Sets.join([Sets(g["u"][:], g["features"][:], g["context"][:], g["first"][:]) for g in groups])
