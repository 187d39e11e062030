"""This file is the row seeds: a source of randomness by which a sweep's noise belongs to its draw of theta.

A batch asks once for the seeds of its rows. Where draws are played to under several stimuli, each is to get the same
noise under every one of them, whichever other rows the batch has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["RowSeeds"]


class RowSeeds(np.random.Generator):
    """Give each row of a batch the seeds of its draw.

    Args:
        table: Seeds of every draw, shape (draws, 2), integers from 1 to below 2^32 - 1.
        rows: Draw of each row, shape (b,).
    """

    def __init__(self, table: npt.NDArray[np.uint32], rows: npt.NDArray[np.int64]) -> None:
        super().__init__(np.random.PCG64(0))
        self._seeds = table[rows]

    @classmethod
    def table(cls, draws: int, rng: np.random.Generator) -> npt.NDArray[np.uint32]:
        """Draw the seeds of some draws.

        Args:
            draws: How many.
            rng: Source of randomness.

        Returns:
            Shape (draws, 2).
        """
        return rng.integers(1, 2**32 - 1, (draws, 2), dtype=np.uint32)

    def integers(self, low: object, high: object = None, size: object = None, **kind: Any) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Give the seeds of the rows.

        Args:
            low: As numpy has it; not looked at.
            high: Likewise.
            size: Shape of what a batch asks for.
            kind: The dtype of the answer.

        Returns:
            Of that shape and kind.

        Raises:
            ValueError: If another shape is asked for than the rows have.
        """
        if size != self._seeds.shape:
            raise ValueError(f"Seeds of shape {size} were asked for; there are {self._seeds.shape}.")
        return self._seeds.astype(kind.get("dtype", np.int64))
