"""This file is the benchmark of the robustness: how a posterior degrades with each imperfection of a rig.

The same simulated cells, five sweeps each, are asked again and again: through the rig that the network was trained on,
and with one imperfection at a time set to a level inside that training and beyond it. What a sweep by itself gives
away is refused as the app refuses it; what the network makes of the others is held against the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.distortion import Distortion
from estimators.features import NAMES
from estimators.generation import respond, walk
from estimators.novelty import FAR, Novelty
from estimators.nuisances import rigs
from estimators.observer import UNUSUAL
from estimators.ranks import Ranks, rank_cells
from estimators.sets import Sets
from estimators.spec import Spec
from rig_plugin.opening import network as opened
from rig_plugin.quality import no_cell
from rig_plugin.remark import EDGE
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.imperfection import Level, levels
from simulators.parameter import Parameter

__all__ = ["measure"]

_CELLS = 300
_WITHIN = 0.45
_SWEEPS = 5
_CHUNK = 100
_SEED = 20_260_404
_HOLDING, _KNOWN, _EXCLUDED = (CONTEXT.index(name) for name in ("holding", "holding_known", "excluded"))
_REST, _MEAN = NAMES.index("rest"), NAMES.index("mean_voltage")

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Some cells and what they are asked, before any rig is chosen.

    Args:
        u: Theta at each sweep, unconstrained, shape (s, p).
        context: Of each sweep, with the true holding, shape (s, c).
        of_cell: Which cell each sweep belongs to, shape (s,).
    """

    u: Array
    context: Array
    of_cell: npt.NDArray[np.int64]


def measure(peers: bool = True, cells: int = _CELLS, network: Path | None = None) -> list[dict[str, Any]]:
    """Measure how well posteriors hold the truth behind imperfect rigs.

    Args:
        peers: Of no meaning here.
        cells: Simulated cells, the same at every level.
        network: A checkpoint; None takes the one that ships.

    Returns:
        Of each level: share of truths inside 90 % intervals, over all parameters but the one that is set, and of the
            worst of them; median log q of the truth; contraction; share of the sweeps that are refused and of those
            that are warned of; of what is inferred, the median of its posterior means, how often its interval holds it,
            and how often it lies at the edge of its prior, of which the app warns.
    """
    checkpoint = opened(network)
    drawn = list(_draw(checkpoint.spec, cells))
    figures: list[dict[str, Any]] = []
    known: dict[tuple[object, ...], tuple[Ranks, Array]] = {}
    for level in levels(checkpoint.spec):
        # What is off in the spec is, at its first level, the process as it is; NaN stands for itself here.
        key = (level.nuisances, level.pinned, str(level.holding))
        if key not in known:
            known[key] = _ask(checkpoint, drawn, level)
        figures += _figures(checkpoint, level, *known[key], asked=cells)
    return figures


def _draw(spec: Spec, cells: int) -> Iterator[_Cells]:
    """Draw the cells and their designs, in chunks of bounded memory."""
    rng = np.random.default_rng(_SEED)
    for begin in range(0, cells, _CHUNK):
        some = min(_CHUNK, cells - begin)
        contexts = [draw_set(spec.designs, rng, _SWEEPS) for _ in range(some)]
        walks = [
            walk(table[:, CONTEXT.index("start")], len(spec.parameters), spec.nuisances, rng, spec.names)
            for table in contexts
        ]
        yield _Cells(np.concatenate(walks), np.concatenate(contexts), np.repeat(np.arange(some), _SWEEPS))


def _ask(checkpoint: Checkpoint, drawn: Sequence[_Cells], level: Level) -> tuple[Ranks, Array]:
    """Ask the cells through one rig.

    Returns:
        The ranks of the cells that are given a posterior; and what becomes of the sweeps: shares that are refused and
        warned of, and the share of cells without a posterior.
    """
    spec = checkpoint.spec
    sets = Sets.join([_answer(spec, chunk, level, k) for k, chunk in enumerate(drawn)])
    sets = Distortion(spec.parameters, checkpoint.network.scaling)(sets, np.random.default_rng([_SEED, 2]))
    p, distance = Novelty(checkpoint.network.scaling, checkpoint.reference).rank(sets.features, sets.context)
    dead = np.array([no_cell(float(rest)) is not None for rest in sets.features[:, _REST]])
    refused = np.isnan(sets.features[:, _MEAN]) | dead | (distance > FAR)
    features, context = sets.features.copy(), sets.context.copy()
    features[refused] = np.nan
    context[:, _EXCLUDED] = refused
    used = np.add.reduceat(~refused, sets.first[:-1]) > 0
    ranks = rank_cells(
        checkpoint.network, replace(sets, features=features, context=context), np.random.default_rng(_SEED)
    )
    warned = ~refused & (p <= UNUSUAL)
    return ranks[used], np.array([refused.mean(), warned.mean(), 1.0 - used.mean()])


def _answer(spec: Spec, chunk: _Cells, level: Level, k: int) -> Sets:
    """Simulate what one chunk of cells answers behind the rig of a level."""
    u, context = chunk.u.copy(), chunk.context.copy()
    theta = np.stack([p.constrain(u[:, column]) for column, p in enumerate(spec.parameters)], axis=1)
    if level.pinned is not None:
        name, value = level.pinned
        column = spec.names.index(name)
        theta[:, column], u[:, column] = value, spec.parameters[column].unconstrain(np.array(value))
    drawn = rigs(theta, level.nuisances, np.random.default_rng([_SEED, 0, k]), chunk.of_cell, spec.names)
    features = respond(theta, context, drawn, np.random.default_rng([_SEED, 1, k]), spec.names)
    if level.holding is None or not np.isnan(level.holding):
        context[:, _KNOWN] = float(level.holding is not None)
        context[:, _HOLDING] *= level.holding or 0.0
    context[:, _HOLDING] *= context[:, _KNOWN]
    first = np.arange(0, len(u) + 1, _SWEEPS)
    return Sets(u.astype(np.float32), features.astype(np.float32), context.astype(np.float32), first)


def _figures(checkpoint: Checkpoint, level: Level, ranks: Ranks, became: Array, asked: int) -> list[dict[str, Any]]:
    """Give the figures of one level."""
    parameters, n = checkpoint.spec.parameters, len(ranks)
    set_one = level.pinned[0] if level.pinned else None
    others = [k for k, parameter in enumerate(parameters) if parameter.name != set_one]
    inside = np.abs(ranks.below - 0.5) <= _WITHIN
    shares = inside.mean(axis=0) if n else np.full(len(parameters), np.nan)
    worst = min(others, key=lambda k: shares[k])
    log_q = float(np.median(ranks.log_prob)) if n else None
    contraction = 1.0 - float(ranks.variance[:, others].mean()) if n else None
    figures = [
        Figure("inside_90", float(shares[others].mean()) if n else None, "1", n),
        Figure(f"inside_90_worst/{parameters[worst].name}", float(shares[worst]) if n else None, "1", n),
        Figure("log_q", log_q, "nat", n),
        Figure("contraction", contraction, "1", n),
        *(
            Figure(name, float(share), "1", asked)
            for name, share in zip(("refused", "warned_of", "withheld"), became, strict=True)
        ),
    ]
    if level.pinned is not None:
        k = checkpoint.spec.names.index(level.pinned[0])
        figures += _recovered(parameters[k], level, ranks, k)
    return [row.row() | {"name": f"{level.name}/{row.name}"} for row in figures]


def _recovered(parameter: Parameter, level: Level, ranks: Ranks, k: int) -> list[Figure]:
    """Say what the network makes of an imperfection that it infers."""
    # The z-score is the truth's distance from the mean; the truth of what lies beyond the bounds is their end.
    truth = float(parameter.unconstrain(np.array(level.pinned[1]))) if level.pinned else 0.0
    means = truth - ranks.z[:, k] * np.sqrt(ranks.variance[:, k])
    n = len(ranks)
    value = float(np.median(parameter.constrain(means))) if n else None
    # No interval reaches beyond the bounds.
    share = float(np.mean(np.abs(ranks.below[:, k] - 0.5) <= _WITHIN)) if n and level.inside else None
    edge = float(np.mean(np.abs(means) > EDGE)) if n else None
    return [
        Figure("recovered", value, parameter.unit, n),
        Figure("recovered_inside_90", share, "1", n),
        Figure("recovered_at_edge", edge, "1", n),
    ]
