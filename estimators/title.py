"""This file is the title of a checkpoint: what it infers and was trained on, read without its network.

It loads no torch: a window knows what it will show while the engine is still being started.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]

from estimators.context import CONTEXT
from estimators.domain import Domain
from estimators.features import NAMES
from estimators.process import ProcessError, process_of
from estimators.spec import Spec, SpecError, spec_from
from simulators.refusal import Refusal

__all__ = ["FORMAT", "LARGEST", "CheckpointError", "Title", "opened", "read_title", "title_of"]

FORMAT = "rig-plugin network 2"
LARGEST = 64 * 2**20
"""Bytes; no checkpoint of this program comes near."""


class CheckpointError(Refusal):
    """A checkpoint can't be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Title:
    """What stands on a checkpoint.

    Args:
        spec: What it was made from.
        record: How training went.
        calibration: What `check` found when it was made.
    """

    spec: Spec
    record: Mapping[str, Any]
    calibration: Mapping[str, Any]

    @property
    def domain(self) -> Domain:
        """What it was trained on."""
        return Domain(self.spec.designs.domain())


def read_title(path: str | Path) -> Title:
    """Read what stands on a checkpoint, and make sure that this program is the one it was made for.

    Args:
        path: Where from.

    Returns:
        The title; whether the weights under it are sound is found when the network is loaded.

    Raises:
        CheckpointError: If the file is missing, damaged, no checkpoint, or was made for other features.
    """
    with opened(Path(path)) as file:
        return title_of(file, Path(path))


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a checkpoint, and make one kind of error of all that can be wrong with it while it is read.

    Args:
        path: Where it is.

    Yields:
        The open file.

    Raises:
        CheckpointError: As `read_title`.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is no file; give the path of a checkpoint that `rig-plugin pretrain` made.")
    if path.stat().st_size > LARGEST:
        raise CheckpointError(f"{path} has {path.stat().st_size} bytes, far more than any checkpoint; give another.")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is no checkpoint of this version ({FORMAT!r} was wanted); pretrain it anew from its spec."
                )
            yield file
    except SpecError as error:
        raise CheckpointError(f"{str(error).rstrip('.')}: take a sound copy of the checkpoint.") from error
    except Refusal:
        raise
    except (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} is damaged or no checkpoint ({reason}); take a sound copy of it.") from error


def title_of(file: h5py.File, path: Path) -> Title:
    """Read the title of a checkpoint that is open.

    Args:
        file: As `opened` gives it.
        path: What it is called in an error.

    Returns:
        The title.

    Raises:
        CheckpointError: If it was made for other features, another prior or another domain.
    """
    for key, here in (("features", NAMES), ("context", CONTEXT)):
        there = tuple(json.loads(file[key][()]))
        if there != here:
            other = sorted(set(there) ^ set(here)) or ["their order"]
            raise CheckpointError(
                f"{path} was made for other {key} than this program has ({', '.join(map(str, other[:3]))}); "
                "pretrain it anew or use the program's version that made it."
            )
    # Whoever pretrained may have given another seed than the spec's text has.
    spec = replace(spec_from(str(file.attrs["spec"]), f"{path} (its spec)"), seed=int(file.attrs["seed"]))
    parameters = json.loads(file["parameters"][()])
    try:
        process_of([str(entry["name"]) for entry in parameters])
    except ProcessError as error:
        raise CheckpointError(f"{path} infers other parameters than this program's; pretrain it anew.") from error
    domain = {column: tuple(bounds) for column, bounds in json.loads(file["domain"][()]).items()}
    if parameters != [asdict(parameter) for parameter in spec.parameters] or domain != spec.designs.domain():
        raise CheckpointError(f"{path} has another prior or domain than the spec in it; take a sound copy of it.")
    record, calibration = (json.loads(file[key][()]) for key in ("record", "calibration"))
    return Title(spec, record, calibration)
