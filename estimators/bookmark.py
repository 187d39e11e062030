"""This file is the bookmark: where a training stands, so that a killed one goes on from its last epoch.

Tensors and JSON in one HDF5 file, no pickle; it is written beside its name and moved there, so it is whole or old.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import torch
from torch import Tensor

__all__ = ["Bookmark", "put", "take"]


@dataclass(frozen=True, eq=False)
class Bookmark:
    """What a training needs to go on.

    Args:
        tensors: By name, a slash between the parts of it.
        numbers: All else, as JSON takes it.
    """

    tensors: Mapping[str, Tensor]
    numbers: Mapping[str, Any]


def put(path: Path, key: str, bookmark: Bookmark) -> None:
    """Write a bookmark over the one that is there.

    Args:
        path: Where to.
        key: Names what is trained, how, and on which cells.
        bookmark: What.
    """
    beside = path.with_name(f"{path.name}.writing")
    with h5py.File(beside, "w") as file:
        file.attrs["key"] = key
        file["numbers"] = json.dumps(dict(bookmark.numbers))
        for name, tensor in bookmark.tensors.items():
            file.create_dataset(f"tensors/{name}", data=tensor.detach().cpu().numpy(), fletcher32=tensor.dim() > 0)
    beside.replace(path)


def take(path: Path, key: str) -> Bookmark | None:
    """Read a bookmark.

    Args:
        path: Where from.
        key: As it was put.

    Returns:
        The bookmark, or None where there is none, it is damaged, or it belongs to another training.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs["key"] != key:
                return None
            tensors: dict[str, Tensor] = {}

            def read(name: str, entry: Any) -> None:  # noqa: ANN401 - h5py's group or dataset
                if isinstance(entry, h5py.Dataset):
                    tensors[name] = torch.from_numpy(np.array(entry[()]))

            file["tensors"].visititems(read)
            return Bookmark(tensors, json.loads(file["numbers"][()]))
    except (OSError, KeyError, ValueError):
        return None
