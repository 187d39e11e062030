"""This file is the benchmark of the adaptive choice: what is known of cells after as many sweeps, beside fixed ways.

All ways ask the same cells, with the same noise and the same first sweep. A network that was trained by itself judges:
the log density that it has at the truth, and the entropy that it thinks is left. Cells of other models and recorded
ones have no true parameters: of these it foretells other sweeps. Whoever asks for a sweep that a session would break
off for the cell's sake learns nothing by it. The adaptive way is there three times: as a session chooses, which plays
nothing of which 2 % would have to be broken off, as far as can be known before; with a bound of 10 %; and without one,
since no family obeys any.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from estimators.abort import AbortRule
from estimators.admission import Tolerance
from estimators.candidate import Setting
from estimators.checkpoint import Checkpoint, load
from estimators.choice import choose
from estimators.menu import menu
from estimators.wish import Wish
from rig_plugin import opening
from rig_plugin.tasks.asking import WAYS, cycled, first
from rig_plugin.tasks.cohort import BASELINE, INTERVAL, RATE, RULE, TAIL, Cohort, Record, Step
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.unlike import Asker, foreign, recorded
from simulators.limits import Limits
from simulators.refusal import Refusal

__all__ = ["measure"]

_SEED = 20_261_124
_SWEEPS = 10
_TOLD = (1, 2, 3, 4, 5, 7, 10)
_AIM_SWEEPS, _AIM_MS = 5.0, 300.0
_OTHERS, _FOUR = 60, 4
_FOREIGN = 5
"""Simulated cells of the model for each of another one."""

_RISKS = {"adaptive": RULE.share, "adaptive_bold": 0.1, "adaptive_unbound": 0.999}
"""Share of the sweeps expected that may have to be broken off, of each way that chooses."""

_MULTIPLES = (-2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0)
_DRAWS, _RESAMPLED = 200, 2000

Array = npt.NDArray[np.float64]


def measure(
    peers: bool = True,
    cells: int = 200,
    network: Path | None = None,
    judge: Path | None = None,
    draws: int = 128,
    data: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure.

    Args:
        peers: There are none.
        cells: Simulated cells.
        network: The checkpoint that chooses; the first that ships without it.
        judge: The checkpoint that scores, of the same process and another seed.
        draws: Most that a choice rests on.
        data: Folder of recordings; without it the one that RIG_DATA names, and none where it names none.

    Returns:
        Figures: for each way and number of sweeps the mean and median log density at the truth, and the mean entropy
            left; which share of its sweeps had to be broken off; how much more the adaptive ways know than each other,
            paired, with a 95 % interval; after how many sweeps they know what the best of the others knows after ten;
            how long a choice took; and how far from the truth is what the judge foretells of cells of other models and
            of recorded families, less is better.

    Raises:
        Refusal: If there is no judge, or it is the network itself or of another process.
    """
    chooser = opening.network(network)
    scorer = _judge(judge, chooser)
    cohort = Cohort(chooser, cells, _SWEEPS, _SEED)
    ways = WAYS | {"best_four": cycled(_best_four(chooser, scorer))}
    records = {name: _played(cohort, way) for name, way in ways.items()}
    times: list[float] = []
    for name, share in _RISKS.items():
        records[name], taken = _chosen(cohort, chooser, draws, replace(RULE, share=share))
        times += taken
    scores = {name: _scores(scorer, cohort, record) for name, record in records.items()}
    figures = [figure for name, score in scores.items() for figure in _told(name, score)]
    figures += [Figure(f"broken/{name}", _broken(record), "1", cells) for name, record in records.items()]
    figures += _compared(scores)
    figures += [
        Figure("choice_ms_p50", float(np.median(times)), "ms", len(times)),
        Figure("choice_ms_p99", float(np.quantile(times, 0.99)), "ms", len(times), aim=_AIM_MS),
    ]
    askers: dict[str, Asker] = {name: partial(_played, way=way) for name, way in ways.items()}
    for name, share in _RISKS.items():
        askers[name] = partial(_asked, chooser=chooser, draws=draws, rule=replace(RULE, share=share))
    figures += foreign(askers, chooser, scorer, max(cells // _FOREIGN, 2), _SEED)
    data = data or (Path(os.environ["RIG_DATA"]) if "RIG_DATA" in os.environ else None)
    if data is not None:
        figures += recorded(data, chooser, scorer, draws, _SEED)
    return [figure.row() for figure in figures]


def _judge(path: Path | None, chooser: Checkpoint) -> Checkpoint:
    if path is None:
        raise Refusal(
            "Nobody judges: give --judge a network of the same process that was trained by itself, which "
            "`rig-plugin pretrain` makes of the same spec with --seed."
        )
    scorer = load(path)
    if scorer.spec.parameters != chooser.spec.parameters or scorer.spec.seed == chooser.spec.seed:
        raise Refusal(f"{path.name} is of another process, or of the same seed as who chooses: train one by itself.")
    return scorer


def _played(cohort: Cohort, way: Any) -> Record:  # noqa: ANN401 - a Way
    record, rng = Record(), np.random.default_rng([_SEED, 7])
    cohort.ask(record, first(cohort))
    while len(record.features) < _SWEEPS:
        cohort.ask(record, way(cohort, record, rng))
    return record


def _chosen(cohort: Cohort, chooser: Checkpoint, draws: int, rule: AbortRule) -> tuple[Record, list[float]]:
    """Let the posterior choose, cell by cell, within the same range as the others."""
    record, times = Record(), []
    cohort.ask(record, first(cohort))
    while len(record.features) < _SWEEPS:
        # Where nothing may be played, or nothing is worth a sweep, a session ends; here the well-ordered way goes on.
        steps = list(WAYS["well_ordered"](cohort, record, np.random.default_rng(0)))
        for cell in range(len(cohort)):
            begun = time.perf_counter()
            steps[cell] = _choice(cohort, chooser, record, cell, draws, rule) or steps[cell]
            times.append(1e3 * (time.perf_counter() - begun))
        cohort.ask(record, steps)
    return record, times


def _asked(cohort: Cohort, chooser: Checkpoint, draws: int, rule: AbortRule) -> Record:
    return _chosen(cohort, chooser, draws, rule)[0]


def _broken(record: Record) -> float:
    """Give the share of the sweeps after the first that were broken off."""
    return float(np.mean([np.isnan(features).all(axis=1) for features in record.features[1:]]))


def _choice(cohort: Cohort, chooser: Checkpoint, record: Record, cell: int, draws: int, rule: AbortRule) -> Step | None:
    rows, contexts = record.of(cell)
    reach = float(cohort.reach[cell])
    start = INTERVAL * len(rows)
    setting = Setting(baseline=BASELINE, tail=TAIL, rate=RATE, start=start, interval=INTERVAL)
    offered = menu(chooser.domain, Limits(), setting, reach=reach, fine=chooser.prospect is not None)
    choice = choose(
        chooser, rows, contexts, setting, offered,
        wish=Wish(), rule=rule, tolerance=Tolerance(trusted=2, largest=reach / 2.0), seed=cell, most=draws,
    )  # fmt: skip
    if choice.candidate is None or choice.stop is not None:
        return None
    told = choice.candidate.context(setting)
    return Step(told.amplitude, told.duration)


def _best_four(chooser: Checkpoint, scorer: Checkpoint) -> list[float]:
    """Choose four steps, one after the other, by what the judge knows of other cells after them."""
    cohort = Cohort(chooser, _OTHERS, 1 + _FOUR, _SEED + 1)
    chosen: list[float] = []
    for _ in range(_FOUR):
        means = []
        for multiple in _MULTIPLES:
            record = Record()
            cohort.ask(record, first(cohort))
            for each in (*chosen, multiple):
                cohort.ask(record, cycled([each])(cohort, record, np.random.default_rng(0)))
            means.append(_density(scorer, cohort, record, len(record.features)).mean())
        chosen.append(_MULTIPLES[int(np.argmax(means))])
    return chosen


def _density(scorer: Checkpoint, cohort: Cohort, record: Record, sweeps: int) -> Array:
    posterior = _posterior(scorer, record, sweeps)
    u = torch.as_tensor(cohort.u[:, sweeps - 1], dtype=torch.float32)
    with torch.inference_mode():
        return np.asarray(posterior.log_prob(u).double().numpy())


def _posterior(scorer: Checkpoint, record: Record, sweeps: int) -> Any:  # noqa: ANN401 - a distribution
    features = torch.as_tensor(np.stack(record.features[:sweeps], axis=1), dtype=torch.float32)
    context = torch.as_tensor(np.stack(record.contexts[:sweeps], axis=1), dtype=torch.float32)
    with torch.inference_mode():
        return scorer.network(features, context, torch.ones(features.shape[:2], dtype=torch.bool))


def _scores(scorer: Checkpoint, cohort: Cohort, record: Record) -> tuple[Array, Array]:
    """Give log density at the truth and entropy, each of shape (sweeps, cells)."""
    densities, entropies = [], []
    generator = torch.Generator().manual_seed(_SEED)
    for sweeps in range(1, _SWEEPS + 1):
        densities.append(_density(scorer, cohort, record, sweeps))
        posterior = _posterior(scorer, record, sweeps)
        noise = torch.randn(_DRAWS, len(cohort), cohort.u.shape[-1], generator=generator)
        with torch.inference_mode():
            entropies.append(-posterior.log_prob(posterior.from_noise(noise)).mean(dim=0).double().numpy())
    return np.stack(densities), np.stack(entropies)


def _told(name: str, score: tuple[Array, Array]) -> list[Figure]:
    density, entropy = score
    figures = []
    for k in _TOLD:
        n = density.shape[1]
        figures += [
            Figure(f"log_prob_{k}/{name}", float(density[k - 1].mean()), "nat", n),
            Figure(f"log_prob_p50_{k}/{name}", float(np.median(density[k - 1])), "nat", n),
            Figure(f"entropy_{k}/{name}", float(entropy[k - 1].mean()), "nat", n),
        ]
    return figures


def _compared(scores: dict[str, tuple[Array, Array]]) -> list[Figure]:
    """Tell by how much the adaptive way is ahead, and how early it knows what the best of the others knows."""
    others = {name: density for name, (density, _) in scores.items() if not name.startswith("adaptive")}
    best = max(others, key=lambda name: others[name][-1].mean())
    figures = []
    for way in (name for name in scores if name.startswith("adaptive")):
        ours, mark = scores[way][0], way.removeprefix("adaptive")
        for name, density in others.items():
            for k in _TOLD[1:]:
                figures += _ahead(f"ahead_{k}{{}}{mark}/{name}", ours[k - 1] - density[k - 1])
        enough = np.flatnonzero(ours.mean(axis=1) >= others[best][-1].mean())
        # None of ten is told as one more than there were.
        sweeps = float(enough[0] + 1) if enough.size else float(_SWEEPS + 1)
        name = f"sweeps_to_family_ten{mark}"
        figures.append(Figure(name, sweeps, "sweeps", ours.shape[1], peer=best, aim=_AIM_SWEEPS))
    return figures


def _ahead(name: str, ahead: Array) -> list[Figure]:
    """Tell a mean with its 95 % interval, by cells drawn anew."""
    drawn = np.random.default_rng(_SEED).integers(len(ahead), size=(_RESAMPLED, len(ahead)))
    low, high = np.quantile(ahead[drawn].mean(axis=1), [0.025, 0.975])
    told = {"": float(ahead.mean()), "_low": float(low), "_high": float(high)}
    return [Figure(name.format(mark), value, "nat", len(ahead)) for mark, value in told.items()]
