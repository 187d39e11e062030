"""This file is the checkpoint: a network in one HDF5 file, without pickle: at worst a stranger's file is refused."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import torch

from estimators.context import CONTEXT
from estimators.domain import Domain
from estimators.estimator import Architecture, SweepSetEstimator
from estimators.features import NAMES
from estimators.generation import CELL
from estimators.spec import Spec, spec_from
from simulators.refusal import Refusal

__all__ = ["FORMAT", "Checkpoint", "CheckpointError", "load", "save"]

FORMAT = "rig-plugin network 1"
_LARGEST = 64 * 2**20


class CheckpointError(Refusal):
    """A checkpoint can't be used; the message says why, and what to do."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network and all that has to be known of it.

    Args:
        network: With its weights.
        spec: What it was made from.
        record: How training went.
        calibration: What `check` found when it was made.
        reference: Arrays that trust is measured against.
    """

    network: SweepSetEstimator
    spec: Spec
    record: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

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
        CheckpointError: If something is there already.
    """
    if path.exists():
        raise CheckpointError(f"{path} is there and is never overwritten; choose another name or move it.")
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
        for name, tensor in checkpoint.network.state_dict().items():
            file[f"weights/{name}"] = tensor.detach().cpu().numpy()
        for name, array in checkpoint.reference.items():
            file.create_dataset(f"reference/{name}", data=array, compression="gzip", shuffle=True)
        file.flush()
        os.fsync(file.id.get_vfd_handle())
    beside.rename(path)


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
    if not path.is_file():
        raise CheckpointError(f"{path} is no file; give the path of a checkpoint that `rig-plugin pretrain` made.")
    if path.stat().st_size > _LARGEST:
        raise CheckpointError(f"{path} has {path.stat().st_size} bytes, far more than any checkpoint; give another.")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is no checkpoint of this version ({FORMAT!r} was wanted); pretrain it anew from its spec."
                )
            return _read(file, path)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, UnicodeDecodeError) as error:
        if isinstance(error, Refusal):
            raise
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} is damaged or no checkpoint ({reason}); take a sound copy of it.") from error


def _read(file: h5py.File, path: Path) -> Checkpoint:
    for key, here in (("features", NAMES), ("context", CONTEXT)):
        there = tuple(json.loads(file[key][()]))
        if there != here:
            other = sorted(set(there) ^ set(here)) or ["their order"]
            raise CheckpointError(
                f"{path} was made for other {key} than this program has ({', '.join(map(str, other[:3]))}); "
                "pretrain it anew or use the program's version that made it."
            )
    spec = spec_from(str(file.attrs["spec"]), f"{path} (its spec)")
    if [entry["name"] for entry in json.loads(file["parameters"][()])] != list(CELL):
        raise CheckpointError(f"{path} infers other parameters than this program's; pretrain it anew.")
    network = SweepSetEstimator(spec.parameters, Architecture(**json.loads(file["architecture"][()])))
    wanted = network.state_dict()
    weights = {}
    for name, tensor in wanted.items():
        stored = file[f"weights/{name}"]
        if stored.shape != tuple(tensor.shape):
            raise CheckpointError(
                f"{path}: {name} has shape {stored.shape}, {tuple(tensor.shape)} was wanted; take a sound copy."
            )
        array = np.asarray(stored[()])
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite; take a sound copy.")
        weights[name] = torch.from_numpy(array.copy())
    network.load_state_dict(weights)
    reference = {}
    for name, dataset in file.get("reference", {}).items():
        if math.prod(dataset.shape) > _LARGEST // 4:
            raise CheckpointError(f"{path}: reference {name} is larger than any of this program's; take another.")
        reference[name] = np.asarray(dataset[()])
    return Checkpoint(
        network.eval(), spec, json.loads(file["record"][()]), json.loads(file["calibration"][()]), reference
    )


def _program() -> str:
    try:
        return version("rig-plugin")
    except PackageNotFoundError:
        return "unknown"
