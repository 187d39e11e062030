"""This file is the adaptation: cells whose steps an earlier network chose, for the next one to learn from.

A network that chooses steps asks about sets that blind designs seldom draw. The next network of the same process
learns from such sets too, with the theta that answered them. The steps follow the sweeps as the earlier network was
shown them, with the model's error in; so these are kept with it, and are shown as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from estimators.adaptive import adapt
from estimators.checkpoint import Checkpoint, load
from estimators.pretrained import shipped
from estimators.sets import Sets
from estimators.simulation import fill, load_sets, signature
from estimators.spec import Spec, SpecError

__all__ = ["adapt_to", "adapted", "chooser", "loaded", "weights_of"]

ADAPTIVE = 21
"""What these cells are for: no other purpose shares any."""

_CHUNK = 500
_FURTHER = ("adaptation", "adaptive", "promise")


def chooser(spec: Spec, folder: Path) -> Path | None:
    """Find the network that chooses.

    Args:
        spec: What is to be made.
        folder: Where the spec lies.

    Returns:
        Its checkpoint, or None where nobody chooses.

    Raises:
        SpecError: If it is about other cells, or has nothing that could make sweeps to be weighed.
        CheckpointError: If it can't be read.
    """
    name = spec.adaptive.network
    if not name:
        return None
    path = shipped(name) or folder / name
    checkpoint = loaded(path)
    if checkpoint.spec.parameters != spec.parameters or checkpoint.spec.nuisances != spec.nuisances:
        raise SpecError(
            f"adaptive.network {path.name} is about other cells than the spec: the same [prior] and [nuisances] were "
            "wanted; take a network of this process, or make one without [adaptive] first."
        )
    if checkpoint.likelihood is None:
        raise SpecError(f"adaptive.network {path.name} has no likelihood to weigh sweeps by: pretrain it anew.")
    if spec.designs.sweeps[1] < spec.adaptive.sweeps[0]:
        raise SpecError(
            f"adaptive.sweeps begins at {spec.adaptive.sweeps[0]} and designs.sweeps ends at {spec.designs.sweeps[1]}; "
            "sets of so many sweeps were wanted."
        )
    return path


def weights_of(path: Path) -> str:
    """Tell a network from others by its weights.

    Args:
        path: Its checkpoint.

    Returns:
        Sixteen hexadecimal digits.
    """
    checkpoint = loaded(path)
    digest = hashlib.sha256()
    for part in (checkpoint.network, checkpoint.likelihood):
        for name, tensor in part.state_dict().items() if part is not None else ():
            digest.update(name.encode())
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def adapt_to(path: Path, spec: Spec, policy: Path, cells: int, executor: Executor | None = None) -> Iterator[int]:
    """Simulate until a file holds as many such cells as were wanted.

    Args:
        path: HDF5 file; one that the same process, code and network began is continued, any other begun anew.
        spec: What is to be made.
        policy: The network that chooses.
        cells: How many; rounded up to whole chunks.
        executor: As `estimators.simulation.simulate_to`.

    Yields:
        Cells there after each chunk.

    Raises:
        ChunkError: As `estimators.simulation.simulate_to`.
        WorkerError: As `estimators.simulation.simulate_to`.
    """
    named = repr((signature(spec, ADAPTIVE, _FURTHER), spec.adaptive.sweeps, weights_of(policy), _CHUNK))
    yield from fill(path, named, partial(_draw, spec, policy), -(-cells // _CHUNK), _CHUNK, executor)


def adapted(path: Path, cells: int) -> Sets:
    """Read the cells that `adapt_to` wrote.

    Args:
        path: HDF5 file.
        cells: How many.

    Returns:
        They, marked as such whose steps were chosen.
    """
    sets = load_sets(path, cells, _CHUNK).cells(0, cells)
    return replace(sets, chosen=np.ones(len(sets), dtype=np.bool_))


def _draw(spec: Spec, policy: Path, chunk: int) -> Sets:
    """Draw the cells of one chunk."""
    # The rounding of sums depends on how many threads there are, and a choice on the rounding.
    torch.set_num_threads(1)
    checkpoint, rng = loaded(policy), np.random.default_rng([spec.seed, ADAPTIVE, chunk])
    made = adapt(checkpoint.network, spec, _CHUNK, rng, likelihood=checkpoint.likelihood, sweeps=spec.adaptive.sweeps)
    return Sets.join(list(made))


@lru_cache(maxsize=2)
def loaded(path: Path) -> Checkpoint:
    """Read a checkpoint that is asked again and again, once.

    Args:
        path: Which.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If it can't be read.
    """
    return load(path)
