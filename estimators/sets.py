"""This file is the sets: the sweeps of many cells, one row a sweep, as networks are trained and checked on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Sets"]


@dataclass(frozen=True, eq=False)
class Sets:
    """Sets of sweeps of many cells, one row a sweep.

    Args:
        u: Theta at each sweep, unconstrained, shape (s, p), float32.
        features: Shape (s, f), float32, NaN where missing.
        context: Shape (s, c), float32.
        first: Row at which each cell starts, and the number of rows, shape (cells + 1,).
        chosen: Whose steps followed what is shown of the sweeps before, shape (cells,): such a set is shown from its
            first sweep on, and as it is. None where none did.
    """

    u: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]
    chosen: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.first) - 1

    def cells(self, begin: int, end: int) -> Sets:
        """Take those from one cell to before another."""
        rows = slice(self.first[begin], self.first[end])
        first = self.first[begin : end + 1] - self.first[begin]
        chosen = None if self.chosen is None else self.chosen[begin:end]
        return Sets(self.u[rows], self.features[rows], self.context[rows], first, chosen)

    @property
    def is_chosen(self) -> npt.NDArray[np.bool_]:
        """Whose steps followed the sweeps before, shape (cells,)."""
        return np.zeros(len(self), dtype=np.bool_) if self.chosen is None else self.chosen

    @staticmethod
    def join(parts: Sequence[Sets]) -> Sets:
        """Put several together, in order."""
        lengths = np.concatenate([np.diff(part.first) for part in parts])
        return Sets(
            np.concatenate([part.u for part in parts]),
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.context for part in parts]),
            np.concatenate([[0], np.cumsum(lengths)]),
            np.concatenate([part.is_chosen for part in parts]) if any(p.chosen is not None for p in parts) else None,
        )
