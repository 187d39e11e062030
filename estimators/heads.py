"""This file is the heads: the kinds of density that a network may end in, and the sizes that each has by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from estimators.autoregressive import Autoregressive
from estimators.flow import Flow
from estimators.matching import Matching
from estimators.mixture import Mixture
from simulators.refusal import Refusal

__all__ = ["HEADS", "SIZES", "make_head", "possible"]

HEADS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {"mixture": Mixture, "autoregressive": Autoregressive, "coupling": Flow, "matching": Matching}
)
"""By name; each is made from the number of parameters, the context's length, and its sizes."""

SIZES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "mixture": {"components": 8, "hidden": 64},
        "autoregressive": {"transforms": 2, "hidden": 48, "bins": 8},
        "coupling": {"transforms": 5, "hidden": 64, "bins": 8},
        "matching": {"layers": 3, "hidden": 128},
    }
)
"""What a head is made with where nothing else is asked for."""


def possible(p: int) -> tuple[str, ...]:
    """Name the heads that make sense for a number of parameters; a coupling needs one to keep and one to bend."""
    return tuple(name for name in HEADS if p > 1 or name != "coupling")


def make_head(name: str, p: int, context: int, sizes: Mapping[str, int]) -> nn.Module:
    """Make a head.

    Args:
        name: Of `HEADS`.
        p: Parameters.
        context: Length of the embedding's vector.
        sizes: Those that `SIZES` names for it.

    Returns:
        The head, with fresh weights.

    Raises:
        Refusal: If there is none of this name or it is impossible for p.
    """
    if name not in possible(p):
        raise Refusal(f"'{name}' is no head for {p} parameters; one of {', '.join(possible(p))} was wanted.")
    return HEADS[name](p, context, **sizes)
