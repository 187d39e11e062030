"""This file is the panel: cells that all have the same number of sweeps, in one array, with traces if they are wanted.

It serves studies of what a network learns from: pretraining, whose sets differ in size, has `estimators.generation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.generation import features_of, voltages, walk
from estimators.nuisances import rigs
from estimators.spec import Spec
from estimators.thinning import THIN_RATE, thinned

__all__ = ["Panel"]

_CHUNK = 300


@dataclass(frozen=True, eq=False)
class Panel:
    """Cells and their sweeps.

    Args:
        u: Theta at the last sweep, unconstrained, shape (b, p), float32.
        features: Shape (b, n, f), float32, NaN where missing.
        context: Shape (b, n, c), float32.
        traces: At `estimators.thinning.THIN_RATE`, shape (b, n, m), float16 [mV], NaN behind the end; or None.
    """

    u: Tensor
    features: Tensor
    context: Tensor
    traces: Tensor | None = None

    def __len__(self) -> int:
        return len(self.u)

    def __getitem__(self, rows: Tensor | slice) -> Panel:
        traces = None if self.traces is None else self.traces[rows]
        return Panel(self.u[rows], self.features[rows], self.context[rows], traces)

    def latest(self, sweeps: int) -> Panel:
        """Leave all but the last sweeps out.

        Args:
            sweeps: How many are kept of each cell.

        Returns:
            The same cells, whose theta is that of the last sweep still.
        """
        context = self.context[:, -sweeps:].clone()
        context[..., CONTEXT.index("start")] -= context[:, :1, CONTEXT.index("start")]
        traces = None if self.traces is None else self.traces[:, -sweeps:]
        return Panel(self.u, self.features[:, -sweeps:], context, traces)

    @staticmethod
    def join(parts: Sequence[Panel]) -> Panel:
        """Put several together, in order; all have traces, or none."""
        traces = [part.traces for part in parts if part.traces is not None]
        return Panel(
            torch.cat([part.u for part in parts]),
            torch.cat([part.features for part in parts]),
            torch.cat([part.context for part in parts]),
            torch.cat(traces) if traces else None,
        )

    @classmethod
    def draw(cls, spec: Spec, cells: int, sweeps: int, rng: np.random.Generator, *, traces: bool = False) -> Panel:
        """Simulate cells.

        Args:
            spec: What they are drawn from.
            cells: How many.
            sweeps: Of each.
            rng: Source of randomness.
            traces: Whether traces are kept.

        Returns:
            The cells.
        """
        parts = [cls._draw(spec, min(_CHUNK, cells - begin), sweeps, rng, traces) for begin in range(0, cells, _CHUNK)]
        return cls.join(parts)

    @classmethod
    def _draw(cls, spec: Spec, cells: int, sweeps: int, rng: np.random.Generator, traces: bool) -> Panel:
        tables = [draw_set(spec.designs, rng, sweeps) for _ in range(cells)]
        start = CONTEXT.index("start")
        walks = [walk(table[:, start], len(spec.parameters), spec.nuisances, rng, spec.names) for table in tables]
        u = np.concatenate(walks)
        context = np.concatenate(tables)
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
        made_with = rigs(theta, spec.nuisances, rng, np.repeat(np.arange(cells), sweeps), spec.names)
        samples, counts = voltages(theta, context, made_with, rng, spec.names)
        features = features_of(samples, counts, {name: context[:, k] for k, name in enumerate(CONTEXT)})
        kept = None
        if traces:
            # One width for every chunk: that of the longest sweep of the designs.
            longest = sum(high for _, high in (spec.designs.baseline, spec.designs.duration, spec.designs.tail))
            thin = thinned(samples, counts, context)
            table = np.full((len(thin), int(longest * THIN_RATE) + 1), np.nan, dtype=np.float16)
            table[:, : thin.shape[1]] = thin
            kept = torch.from_numpy(table).view(cells, sweeps, -1)
        context[:, CONTEXT.index("holding")] *= context[:, CONTEXT.index("holding_known")]
        context[:, CONTEXT.index("excluded")] = np.isnan(features).all(axis=1)
        return cls(
            torch.from_numpy(u.astype(np.float32)).view(cells, sweeps, -1)[:, -1],
            torch.from_numpy(features.astype(np.float32)).view(cells, sweeps, -1),
            torch.from_numpy(context.astype(np.float32)).view(cells, sweeps, -1),
            kept,
        )
