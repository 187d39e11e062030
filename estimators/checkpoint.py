"""This file is the checkpoint: a network in one HDF5 file, without pickle: at worst a stranger's file is refused."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import torch

from estimators.context import CONTEXT
from estimators.domain import Domain
from estimators.estimator import Architecture, SweepSetEstimator
from estimators.features import NAMES
from estimators.likelihood import Likelihood, Shape
from estimators.lookout import LIMITS
from estimators.outlook import Outlook
from estimators.prequential import STRATA
from estimators.prospect import Prospect
from estimators.spec import Spec
from estimators.sweep_set import HEADS
from estimators.title import FORMAT, LARGEST, CheckpointError, opened, title_of
from estimators.watchman import TAUGHT, Watchman
from simulators.parameter import Parameter

__all__ = ["FORMAT", "Checkpoint", "CheckpointError", "load", "save"]

_WIDEST = 1024
_WINDOWS = 4


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network and all that has to be known of it.

    Args:
        network: With its weights.
        spec: What it was made from.
        record: How training went.
        calibration: What `check` found when it was made.
        reference: Arrays that trust is measured against.
        likelihood: Of a sweep given theta and its design; None in checkpoints that were made without.
        predictive: Of a sweep given its design alone, the prior predictive; None where there is no likelihood.
        watchman: Who has seen faults; None where there is no prior predictive.
        prospect: What a sweep would teach; None in checkpoints that were made without.
    """

    network: SweepSetEstimator
    spec: Spec
    record: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    likelihood: Likelihood | None = None
    predictive: Likelihood | None = None
    watchman: Watchman | None = None
    prospect: Prospect | None = None

    @property
    def domain(self) -> Domain:
        """What it was trained on."""
        return Domain(self.spec.designs.domain())


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, at once and completely, never over another file.

    Args:
        path: Where to.
        checkpoint: What.

    Raises:
        CheckpointError: If something is there already, or the folder is not.
    """
    if path.exists():
        raise CheckpointError(f"{path} is there and is never overwritten; choose another name or move it.")
    if not path.parent.is_dir():
        raise CheckpointError(f"{path.parent} is no folder; make it, or choose another place for {path.name}.")
    beside = path.with_name(f"{path.name}.writing")
    with h5py.File(beside, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["program"] = _program()
        file.attrs["spec"] = checkpoint.spec.text
        file.attrs["seed"] = checkpoint.spec.seed
        for key, value in (
            ("features", NAMES),
            ("context", CONTEXT),
            ("architecture", asdict(checkpoint.network.architecture)),
            ("parameters", [asdict(parameter) for parameter in checkpoint.spec.parameters]),
            ("domain", checkpoint.spec.designs.domain()),
            ("record", dict(checkpoint.record)),
            ("calibration", dict(checkpoint.calibration)),
        ):
            file.create_dataset(key, data=json.dumps(value))
        _write(file, "weights", checkpoint.network)
        for name in ("likelihood", "predictive"):
            likelihood = getattr(checkpoint, name)
            if likelihood is not None:
                file.create_dataset(f"{name}_shape", data=json.dumps(asdict(likelihood.shape)))
                _write(file, name, likelihood)
        if checkpoint.watchman is not None:
            file.create_dataset("taught", data=json.dumps(checkpoint.watchman.taught))
            _write(file, "watchman", checkpoint.watchman)
        if checkpoint.prospect is not None:
            file.create_dataset("outlook", data=json.dumps(asdict(checkpoint.prospect.outlook)))
            _write(file, "prospect", checkpoint.prospect)
        for name, array in checkpoint.reference.items():
            file.create_dataset(f"reference/{name}", data=array, compression="gzip", shuffle=True, fletcher32=True)
        file.flush()
        os.fsync(file.id.get_vfd_handle())
    beside.rename(path)


def _write(file: h5py.File, group: str, module: torch.nn.Module) -> None:
    for name, tensor in module.state_dict().items():
        # With a checksum, so that a flipped bit is no weight.
        file.create_dataset(f"{group}/{name}", data=tensor.detach().cpu().numpy(), fletcher32=True)


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint, and make sure that this program is the one it was made for.

    Args:
        path: Where from.

    Returns:
        The checkpoint, its network ready to be asked.

    Raises:
        CheckpointError: If the file is missing, damaged, no checkpoint, or was made for other features.
    """
    path = Path(path)
    with opened(path) as file:
        return _read(file, path)


def _read(file: h5py.File, path: Path) -> Checkpoint:
    title = title_of(file, path)
    spec = title.spec
    network = SweepSetEstimator(spec.parameters, _architecture(json.loads(file["architecture"][()]), path))
    network.load_state_dict(_weights(file, "weights", network, path))
    likelihood = _likelihood(file, "likelihood", spec.parameters, path)
    predictive = _likelihood(file, "predictive", (), path)
    watchman = None if predictive is None else _watchman(file, path)
    scores = None if watchman is None else 1 + len(watchman.taught)
    reference = _reference(file, network.scaling.width, scores, path)
    reference |= _limits(file, len(spec.parameters), path)
    judges = (likelihood, predictive, watchman)
    prospect = _prospect(file, network, path) if "outlook" in file or "prospect" in file else None
    return Checkpoint(network.eval(), spec, title.record, title.calibration, reference, *judges, prospect)


def _likelihood(file: h5py.File, group: str, parameters: Sequence[Parameter], path: Path) -> Likelihood | None:
    """Read a likelihood where the checkpoint has one."""
    if group not in file and f"{group}_shape" not in file:
        return None
    sizes = json.loads(file[f"{group}_shape"][()])
    for name in (entry.name for entry in fields(Shape)):
        size, low = sizes[name], 0 if name == "extra" else 1
        if not isinstance(size, int) or isinstance(size, bool) or not low <= size <= _WIDEST // 2:
            raise CheckpointError(f"{path}: {name} of the {group} is {size!r}; {low} to {_WIDEST // 2} was wanted.")
    with torch.random.fork_rng(devices=[]):
        likelihood = Likelihood(parameters, Shape(**sizes))
    likelihood.load_state_dict(_weights(file, group, likelihood, path))
    return likelihood.eval().requires_grad_(False)


def _architecture(sizes: Mapping[str, Any], path: Path) -> Architecture:
    """Read the sizes, and refuse before memory is taken for them what no network of this program has."""
    # Those made before there were windows have none.
    sizes = {"windows": 0, **sizes}
    for name in (entry.name for entry in fields(Architecture)):
        size, low, high = sizes[name], *((0, _WINDOWS) if name == "windows" else (1, _WIDEST))
        if not isinstance(size, int) or isinstance(size, bool) or not low <= size <= high:
            raise CheckpointError(f"{path}: {name} is {size!r}, an integer from {low} to {high} was wanted.")
    architecture = Architecture(**sizes)
    if architecture.width % HEADS or architecture.bins < 2 or architecture.context < 2:
        raise CheckpointError(
            f"{path}: width {architecture.width}, bins {architecture.bins} and context {architecture.context} make no "
            f"network; a multiple of {HEADS}, and 2 or more of each were wanted."
        )
    return architecture


def _watchman(file: h5py.File, path: Path) -> Watchman:
    taught = json.loads(file["taught"][()])
    if not isinstance(taught, list) or not taught or not set(taught) <= set(TAUGHT):
        raise CheckpointError(
            f"{path}: its watchman was taught {taught!r}, some of {', '.join(TAUGHT)} were wanted; take a sound "
            "copy, or pretrain it anew."
        )
    with torch.random.fork_rng(devices=[]):
        watchman = Watchman(taught)
    watchman.load_state_dict(_weights(file, "watchman", watchman, path))
    return watchman.eval().requires_grad_(False)


def _prospect(file: h5py.File, network: SweepSetEstimator, path: Path) -> Prospect:
    sizes = json.loads(file["outlook"][()])
    for name, low, high in (("width", 1, _WIDEST // 2), ("hidden", 1, _WIDEST // 2), ("members", 2, 16)):
        if not isinstance(sizes[name], int) or isinstance(sizes[name], bool) or not low <= sizes[name] <= high:
            raise CheckpointError(
                f"{path}: {name} of the prospect is {sizes[name]!r}; {low} to {high} was wanted; take a sound copy."
            )
    with torch.random.fork_rng(devices=[]):
        prospect = Prospect.beside(network, Outlook(**sizes))
    prospect.load_state_dict(_weights(file, "prospect", prospect, path))
    return prospect.eval().requires_grad_(False)


def _weights(file: h5py.File, group: str, network: torch.nn.Module, path: Path) -> dict[str, torch.Tensor]:
    weights = {}
    for name, tensor in network.state_dict().items():
        stored = file[f"{group}/{name}"]
        if stored.shape != tuple(tensor.shape):
            raise CheckpointError(
                f"{path}: {name} has shape {stored.shape}, {tuple(tensor.shape)} was wanted; take a sound copy."
            )
        array = np.asarray(stored[()])
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite; take a sound copy.")
        weights[name] = torch.from_numpy(array.copy())
    return weights


def _reference(file: h5py.File, width: int, scores: int | None, path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read what trust is measured against; without it no sweep can be judged."""
    shapes = {"novelty_tokens": (None, width), "novelty_scores": (None,), "feature_range": (2, len(NAMES))}
    shapes |= {f"misfit_{stratum}": (None,) for stratum in STRATA}
    shapes |= {} if scores is None else {"surprise_scores": (None, scores)}
    reference = {}
    for name, wanted in shapes.items():
        dataset = file[f"reference/{name}"]
        there = dataset.shape
        fits = len(there) == len(wanted) and all(w is None or n == w for n, w in zip(there, wanted, strict=True))
        if not fits or math.prod(there) > LARGEST // 4:
            raise CheckpointError(f"{path}: reference {name} has shape {there}, another was wanted; take a sound copy.")
        array = np.asarray(dataset[()])
        if array.dtype.kind != "f" or (name != "feature_range" and not np.isfinite(array).all()):
            raise CheckpointError(f"{path}: reference {name} holds what is no finite number; take a sound copy.")
        reference[name] = array
    return reference


def _limits(file: h5py.File, parameters: int, path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read from where on a change is an alarm, where the network was made to track."""
    if f"reference/{LIMITS}" not in file:
        return {}
    dataset = file[f"reference/{LIMITS}"]
    array = np.asarray(dataset[()]) if dataset.shape == (parameters,) else np.empty(0)
    if array.dtype.kind != "f" or not array.size or not np.isfinite(array).all() or not (array > 0).all():
        raise CheckpointError(
            f"{path}: reference {LIMITS} has shape {dataset.shape}; {parameters} positive numbers were wanted; take a "
            "sound copy."
        )
    return {LIMITS: array}


def _program() -> str:
    try:
        return version("rig-plugin")
    except PackageNotFoundError:
        return "unknown"
