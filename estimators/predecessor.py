"""This file is the predecessor: an earlier network, from whose weights a training goes on.

A process that differs in little, for instance by cells that change, is learned in a fraction of the time from a network
that knows the other. What the earlier one does not have, such as windows, begins without a say.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from estimators.adaptation import loaded
from estimators.estimator import SweepSetEstimator
from estimators.pretrained import shipped
from estimators.spec import Spec, SpecError

__all__ = ["go_on_from", "predecessor"]

_SIZES = ("width", "layers", "transforms", "hidden", "bins")
_POOL = "encoder.pool."


def predecessor(spec: Spec, folder: Path) -> Path | None:
    """Find the network with whose weights the training begins.

    Args:
        spec: What is to be made.
        folder: Where the spec lies.

    Returns:
        Its checkpoint, or None where the training begins anew.

    Raises:
        SpecError: If it infers other parameters, or has other sizes.
        CheckpointError: If it can't be read.
    """
    name = spec.training.network
    if not name:
        return None
    path = shipped(name) or folder / name
    earlier = loaded(path)
    if earlier.spec.parameters != spec.parameters or earlier.spec.process != spec.process:
        raise SpecError(
            f"training.network {path.name} infers other parameters than the spec: the same model and [prior] were "
            "wanted; leave it out to begin anew."
        )
    sizes = {size: getattr(earlier.network.architecture, size) for size in _SIZES}
    wanted = {size: getattr(spec.training, size) for size in _SIZES}
    if sizes != wanted or earlier.network.architecture.windows > spec.training.windows:
        raise SpecError(
            f"training.network {path.name} has the sizes {sizes} and the spec {wanted}: the same were wanted, and as "
            "many windows or more."
        )
    return path


@torch.no_grad()
def go_on_from(path: Path, network: SweepSetEstimator) -> None:
    """Give a network the weights of another; what that has not is left out of what follows.

    Args:
        path: Of the other, as `predecessor` found it.
        network: Of the same sizes, and as many windows or more.
    """
    weights = network.state_dict()
    for name, tensor in loaded(path).network.state_dict().items():
        weights[name].copy_(_widened(name, tensor, weights[name]))


def _widened(name: str, tensor: Tensor, wanted: Tensor) -> Tensor:
    """Lay a tensor into a larger one: of the pooling alone, whose input ends in the windows."""
    if tensor.shape == wanted.shape or not name.startswith(_POOL):
        return tensor
    # A matrix hears nothing of the windows at first; what scales them stays as it began.
    wide = wanted.clone() if tensor.dim() == 1 else torch.zeros_like(wanted)
    wide[..., : tensor.shape[-1]] = tensor
    return wide
