"""This file is the archive: a fitted estimator in one HDF5 file, without pickle: at worst a stranger's is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import torch
from torch import Tensor

from estimators.ensemble import Estimator
from estimators.heads import SIZES
from estimators.network import Network, Plan
from estimators.prior import Prior
from simulators.refusal import Refusal

__all__ = ["FORMAT", "ArchiveError", "load", "save"]

FORMAT = "rig-plugin estimator 1"
_LARGEST = 256 * 2**20
_WIDEST = 4096
_MOST = 64


class ArchiveError(Refusal):
    """A file can't be used as an estimator; the message says why, and what to do."""


def save(path: str | Path, estimator: Estimator) -> None:
    """Write an estimator, at once and completely, never over another file.

    Args:
        path: Where to.
        estimator: What.

    Raises:
        ArchiveError: If something is there already, or the folder is not.
    """
    path = Path(path)
    if path.exists():
        raise ArchiveError(f"{path} is there and is never overwritten; choose another name or move it.")
    if not path.parent.is_dir():
        raise ArchiveError(f"{path.parent} is no folder; make it, or choose another place for {path.name}.")
    beside = path.with_name(f"{path.name}.writing")
    with h5py.File(beside, "w") as file:
        file.attrs["format"] = FORMAT
        plans = [asdict(network.plan) | {"sizes": network.plan.all_sizes} for network in estimator.networks]
        for key, value in (("prior", estimator.prior.table()), ("record", estimator.record), ("plans", plans)):
            file.create_dataset(key, data=json.dumps(value))
        for k, network in enumerate(estimator.networks):
            for name, tensor in network.state_dict().items():
                # With a checksum, so that a flipped bit is no weight.
                data = tensor.detach().cpu().numpy()
                file.create_dataset(f"weights/{k}/{name}", data=data, fletcher32=data.ndim > 0)
        file.flush()
        os.fsync(file.id.get_vfd_handle())
    beside.rename(path)


def load(path: str | Path) -> Estimator:
    """Read an estimator.

    Args:
        path: Where from.

    Returns:
        The estimator, on the CPU.

    Raises:
        ArchiveError: If the file is missing, damaged, or none.
    """
    path = Path(path)
    if not path.is_file():
        raise ArchiveError(f"{path} is no file; give the path of an estimator that was saved.")
    if path.stat().st_size > _LARGEST:
        raise ArchiveError(f"{path} has {path.stat().st_size} bytes, far more than any estimator; give another.")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise ArchiveError(f"{path} is no estimator of this version ({FORMAT!r} was wanted); fit it anew.")
            prior = Prior.from_table(json.loads(file["prior"][()]))
            plans = [_plan(table, prior, path) for table in json.loads(file["plans"][()])]
            if not 1 <= len(plans) <= _MOST:
                raise ArchiveError(f"{path} holds {len(plans)} networks; 1 to {_MOST} were wanted.")
            networks = [_network(file, k, plan, path) for k, plan in enumerate(plans)]
            return Estimator(prior, networks, json.loads(file["record"][()]))
    except ArchiveError:
        raise
    except (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ArchiveError(f"{path} is damaged or no estimator ({reason}); take a sound copy of it.") from error


def _plan(table: Mapping[str, Any], prior: Prior, path: Path) -> Plan:
    """Read what a network is made of, and refuse before memory is taken for what no network here has."""
    head, sizes = str(table["head"]), dict(table["sizes"])
    numbers = {name: table[name] for name in ("features", "parameters", "width", "blocks")} | sizes
    for name, size in numbers.items():
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _WIDEST:
            raise ArchiveError(f"{path}: {name} is {size!r}, an integer from 1 to {_WIDEST} was wanted.")
    if numbers["blocks"] > _MOST or sizes.get("transforms", 1) > _MOST or sizes.get("bins", 2) < 2:
        raise ArchiveError(
            f"{path}: {numbers} make no network; at most {_MOST} layers, and 2 bins or more were wanted."
        )
    if head not in SIZES or set(sizes) != set(SIZES[head]):
        raise ArchiveError(f"{path}: the head '{head}' with {sorted(sizes)} is none that this program has.")
    if numbers["parameters"] != prior.p:
        raise ArchiveError(f"{path} infers {numbers['parameters']} parameters, but its prior has {prior.p}.")
    return Plan(head, numbers["features"], prior.p, numbers["width"], numbers["blocks"], float(table["dropout"]), sizes)


def _network(file: h5py.File, k: int, plan: Plan, path: Path) -> Network:
    # Without memory first: the file says how large it is, and its weights have to agree before any is taken.
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in plan.network().state_dict().items()}
    weights: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        stored = file[f"weights/{k}/{name}"]
        if stored.shape != tuple(shape):
            raise ArchiveError(
                f"{path}: {name} has shape {stored.shape}, {tuple(shape)} was wanted; take a sound copy."
            )
        array = np.asarray(stored[()])
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ArchiveError(f"{path}: {name} holds numbers that are not finite; take a sound copy.")
        weights[name] = torch.from_numpy(array.copy())
    with torch.random.fork_rng(devices=[]):
        network = plan.network()
    network.load_state_dict(weights)
    return network.eval()
