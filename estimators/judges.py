"""This file is the judges: who tells how far a sweep can be believed, taught beside the network that infers.

None of them asks that network anything, so they can be taught while it is trained, and the cells that are going to
check it be simulated. How each stands is kept in a file of its own beside the result, and what was finished once is not
done again.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from estimators.bookmark import Bookmark, put, take
from estimators.distortion import Distortion
from estimators.faults import FAULTS
from estimators.likelihood import Likelihood
from estimators.scaling import Scaling
from estimators.schooling import school
from estimators.sets import Sets
from estimators.simulation import CHECKING, load_sets, simulate_to
from estimators.spec import Spec, blind
from estimators.strangers import strange_to
from estimators.surprise import Surprise
from estimators.training import fitted_scaling
from estimators.watchman import Watchman, lessons
from simulators.parameter import Parameter

__all__ = ["Judges", "appoint", "appoint_ahead", "places"]

_LESSONS = 6000
_SURPRISES = 6000


@dataclass(frozen=True, eq=False)
class Judges:
    """Who tells how far a sweep can be believed.

    Args:
        likelihood: The density of a sweep given theta.
        predictive: That given its design alone.
        watchman: Who has seen faults.
        surprises: Scores of fresh sweeps, as `estimators.surprise.Surprise.make` gives them.
        shown: The training cells with the model's error, as these were taught.
    """

    likelihood: Likelihood
    predictive: Likelihood
    watchman: Watchman
    surprises: npt.NDArray[np.float64]
    shown: Sets


def places(out: Path) -> dict[str, Path]:
    """Say where it is kept how each of them stands.

    Args:
        out: The checkpoint to be written.

    Returns:
        A file for each, and one for the cells that check the network ("checked").
    """
    return {name: out.with_name(f"{out.name}.{name}") for name in ("likelihood", "predictive", "watchman", "checked")}


def appoint(
    spec: Spec, sets: Sets, held_out: Sets, scaling: Scaling, out: Path
) -> Generator[dict[str, Any], None, Judges]:
    """Teach them, or find what was finished before.

    Args:
        spec: The process, and how they are taught.
        sets: Training cells.
        held_out: Cells to choose by.
        scaling: Of the features, fitted to the training cells.
        out: The checkpoint to be written, beside which it is kept how they stand.

    Yields:
        Progress, as `estimators.pretraining.pretrain` has it.

    Returns:
        The judges.
    """
    distortion = Distortion(spec.parameters, scaling)
    shown = distortion(sets, _rng(spec, 9))
    aside = distortion(held_out, _rng(spec, 11))
    kept = places(out)
    likelihood = yield from _schooled("likelihood", spec, spec.parameters, shown, aside, kept)
    predictive = yield from _schooled("predictive", spec, (), shown, aside, kept)
    yield {"event": "progress", "stage": "reference"}
    watchman, surprises = _taught(spec, sets, predictive, distortion, kept["watchman"])
    return Judges(likelihood, predictive, watchman, surprises, shown)


def appoint_ahead(spec: Spec, cells: Path, out: Path) -> None:
    """Teach them, and simulate the cells to check by, for the process that trains the network to find; end with it.

    Args:
        spec: As `appoint`.
        cells: Where the cells lie, held-out ones at the end.
        out: As `appoint`.
    """
    count, aside = blind(spec)
    sets = load_sets(cells, count + aside)
    known, held_out = sets.cells(0, count), sets.cells(count, count + aside)
    parent = multiprocessing.parent_process()
    taught = appoint(spec, known, held_out, fitted_scaling(spec, known)[0], out)
    checked = simulate_to(places(out)["checked"], spec, spec.training.checked, purpose=CHECKING)
    for _ in chain(taught, checked):
        if parent is not None and not parent.is_alive():
            return


def _schooled(
    stage: str, spec: Spec, parameters: Sequence[Parameter], sets: Sets, held_out: Sets, kept: dict[str, Path]
) -> Generator[dict[str, Any], None, Likelihood]:
    """Train a likelihood, or, without parameters, the prior predictive, and tell how it goes."""
    course = school(parameters, spec.likelihood, sets, held_out, spec.seed, kept[stage])
    while True:
        try:
            epoch = next(course)
        except StopIteration as end:
            return cast(Likelihood, end.value)
        yield epoch.progress(stage)


def _taught(
    spec: Spec, sets: Sets, predictive: Likelihood, distortion: Distortion, kept: Path
) -> tuple[Watchman, npt.NDArray[np.float64]]:
    """Teach a watchman all faults, and what is strange to the process; and score fresh sweeps with him."""
    watchman = Watchman((*FAULTS, *strange_to(spec.process)))
    cells = hashlib.sha256(sets.u.tobytes()).hexdigest()
    key = repr((spec.seed, watchman.taught, spec.designs, spec.nuisances, spec.likelihood, _LESSONS, _SURPRISES, cells))
    there = take(kept, key)
    if there is not None:
        surprises = there.tensors["surprises"].double().numpy()
        watchman.load_state_dict({name: there.tensors[f"watchman/{name}"] for name in watchman.state_dict()})
        return watchman.eval().requires_grad_(False), surprises
    watchman.learn(lessons(spec, _LESSONS, _rng(spec, 12), distortion), predictive.scaling, _rng(spec, 13))
    surprises = Surprise.make(predictive, watchman, spec, _rng(spec, 10), _SURPRISES, distortion)
    tensors = {f"watchman/{name}": tensor for name, tensor in watchman.state_dict().items()}
    put(kept, key, Bookmark(tensors | {"surprises": torch.from_numpy(surprises)}, {}))
    return watchman, surprises


def _rng(spec: Spec, part: int) -> np.random.Generator:
    return np.random.default_rng([spec.seed, part])
