"""This file is the benchmark of trust: how surely one sweep tells that it is no sound recording of a cell of the model.

Faults are planted in the traces of fresh simulated sweeps, before features are measured. Of each fault stand the share
that is caught at 5 % false alarms (of sweeps that the score was not calibrated on) and the area under the ROC curve:
by the network's surprise, which looks for anything; by its watchman asked for this fault alone ("named"); by the
distance to the nearest sweeps of training; and by a classifier that was trained on this one fault. A sweep that can't
be measured at all, for its voltage is no membrane's, counts as caught by each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata

from estimators.checkpoint import Checkpoint, load
from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.distortion import Distortion
from estimators.faults import FAULTS
from estimators.novelty import Novelty
from estimators.scaling import Scaling
from estimators.surprise import Surprise
from estimators.watchman import lessons
from rig_plugin.opening import network as shipped
from rig_plugin.tasks.classifiers import Classifiers
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.strangers import STRANGERS, clamped, stranger
from simulators.refusal import Refusal

__all__ = ["area", "caught", "measure"]

Array = npt.NDArray[np.float64]
Sweeps = tuple[Array, Array]

_ALARMS = 0.05
_MUST = 0.95
_EXCESS = 0.9
_CLAMP = "voltage_clamp"
_CELLS = 16
_DESIGNS = 20
_WIDTH = 40
_HOLDING, _KNOWN = CONTEXT.index("holding"), CONTEXT.index("holding_known")


def measure(peers: bool = True, simulations: int = 3000, network: Path | None = None) -> list[dict[str, Any]]:
    """Plant each fault, and tell how often each score sees it.

    Args:
        peers: Whether to train a classifier on each fault, too.
        simulations: Sweeps that each fault is planted in; half serve the classifier, half are judged.
        network: A checkpoint; the network that ships without one.

    Returns:
        Figures: `caught_FAULT` and `area_FAULT` of the surprise (aims: 95 % of what must be caught; of the others, nine
            tenths of the classifier's excess over a half), the same with the suffix `_named`, `_nearest`,
            `_classifier`, and how often a sound sweep is an alarm.

    Raises:
        Refusal: If the checkpoint has no likelihood.
    """
    checkpoint = load(network) if network is not None else shipped(None)
    scores = {"surprise": _surprise(checkpoint), "nearest": _nearest(checkpoint)}
    taught, asked = (_planted(checkpoint, simulations // 2, seed) for seed in (1, 2))
    sound = asked.pop("none")
    levels = {name: score(sound) for name, score in scores.items()}
    figures = [
        Figure(f"alarms_{name}", float((level <= _ALARMS).mean()), "1", len(level), aim=0.06)
        for name, level in levels.items()
    ]
    for fault, sweeps in asked.items():
        found = {name: (caught(score(sweeps)), area(levels[name], score(sweeps))) for name, score in scores.items()}
        if fault in FAULTS:
            known = _surprise(checkpoint, fault)
            found["named"] = caught(known(sweeps)), area(known(sound), known(sweeps))
        if peers:
            found["classifier"] = _classified(taught["none"], taught[fault], sound, sweeps)
        figures += _figures(fault, found, len(sweeps[0]))
        told = "  ".join(f"{name} {share:.3f} {under:.3f}" for name, (share, under) in found.items())
        click.echo(f"{fault}  {told}", err=True)
    return [figure.row() for figure in figures]


def caught(p: Array) -> float:
    """Give the share of sweeps that are alarms at 5 %.

    Args:
        p: p-values of faulty sweeps, shape (n,).

    Returns:
        Between 0 and 1.
    """
    return float((p <= _ALARMS).mean())


def area(sound: Array, faulty: Array) -> float:
    """Give the area under the ROC curve: how likely a faulty sweep has a lower p-value than a sound one.

    Args:
        sound: p-values, shape (m,).
        faulty: p-values, shape (n,).

    Returns:
        Between 0 and 1, a half where nothing is told apart.

    Example:
        >>> area(np.array([0.5, 0.7]), np.array([0.1, 0.6]))
        0.75
    """
    ranks = rankdata(np.concatenate([-sound, -faulty]))
    n = len(faulty)
    return float((ranks[len(sound) :].sum() - 0.5 * n * (n + 1)) / (n * len(sound)))


def _figures(fault: str, found: dict[str, tuple[float, float]], n: int) -> list[Figure]:
    """Lay out what each score reached on one fault."""
    must = fault == _CLAMP or (fault in FAULTS and FAULTS[fault].must)
    classifier = found.get("classifier")
    figures = []
    for name, (share, under) in found.items():
        ours = name == "surprise"
        wanted = None if must or classifier is None else 0.5 + _EXCESS * (classifier[1] - 0.5)
        peer = "classifier" if ours and classifier is not None else None
        suffix = "" if ours else f"_{name}"
        figures += [
            Figure(f"caught_{fault}{suffix}", share, "1", n, peer, there=classifier[0] if peer and classifier else None,
                   aim=_MUST if ours and must else None, better="more"),
            Figure(f"area_{fault}{suffix}", under, "1", n, peer, there=classifier[1] if peer and classifier else None,
                   aim=wanted if name in ("surprise", "named") else None, better="more"),
        ]  # fmt: skip
    return figures


def _surprise(checkpoint: Checkpoint, fault: str | None = None) -> Callable[[Sweeps], Array]:
    if checkpoint.predictive is None or checkpoint.watchman is None:
        raise Refusal("This checkpoint has no likelihood; pretrain it anew from its spec, and give it with --network.")
    surprise = Surprise(checkpoint.predictive, checkpoint.watchman, checkpoint.reference["surprise_scores"])
    judge = surprise.judge_all if fault is None else partial(surprise.judge_for, fault)
    return lambda sweeps: _measured(sweeps, judge)


def _nearest(checkpoint: Checkpoint) -> Callable[[Sweeps], Array]:
    novelty = Novelty(checkpoint.network.scaling, checkpoint.reference)

    def judge(features: Array, context: Array) -> Array:
        return np.array([novelty.judge(row, told).p for row, told in zip(features, context, strict=True)])

    return lambda sweeps: _measured(sweeps, judge)


def _measured(sweeps: Sweeps, judge: Callable[[Array, Array], Array]) -> Array:
    """Judge what could be measured; what could not is refused before, which is the strongest of alarms."""
    features, context = sweeps
    p = np.zeros(len(features))
    there = ~np.isnan(features).all(axis=1)
    if there.any():
        p[there] = judge(features[there], context[there])
    return p


def _planted(checkpoint: Checkpoint, count: int, seed: int) -> dict[str, Sweeps]:
    """Make sound sweeps that could be measured, and those with each fault."""
    spec = checkpoint.spec
    rng = np.random.default_rng([spec.seed, 11, seed])
    sweeps = lessons(spec, count, rng, Distortion(spec.parameters, checkpoint.network.scaling))
    simple = replace(spec.designs, prepulse=0.0)
    designs = np.concatenate([draw_set(simple, rng, 1) for _ in range(min(_DESIGNS, count))])
    told = np.repeat(designs, _CELLS, axis=0)
    told[:, _HOLDING] *= told[:, _KNOWN]
    u = rng.standard_normal((len(designs), _CELLS, len(spec.parameters)))
    theta = np.stack([p.constrain(u[..., k]) for k, p in enumerate(spec.parameters)], axis=-1)
    own = spec.process.name
    others = {_CLAMP: clamped(theta, own, designs, rng)}
    others |= {name: stranger(name, _CELLS, designs, rng) for name in STRANGERS if name != own}
    sweeps |= {name: (features.reshape(len(told), -1), told) for name, features in others.items()}
    features, context = sweeps["none"]
    there = ~np.isnan(features).all(axis=1)
    return sweeps | {"none": (features[there], context[there])}


def _classified(sound: Sweeps, faulty: Sweeps, sound_asked: Sweeps, faulty_asked: Sweeps) -> tuple[float, float]:
    """Train a classifier on one fault; gives what it catches at 5 % false alarms, and the area under its curve."""
    scaling = Scaling()
    scaling.fit(*(torch.from_numpy(table).float() for table in sound))

    def tokens(sweeps: Sweeps) -> torch.Tensor:
        features, context = (torch.from_numpy(table).float()[:, None] for table in sweeps)
        return torch.nan_to_num(scaling(features, context)[:, 0])

    first, second = tokens(sound), tokens(faulty)
    x = torch.cat([first, second])
    truth = torch.cat([torch.zeros(len(first)), torch.ones(len(second))])
    classifiers = Classifiers(1, x.shape[1], _WIDTH, torch.Generator().manual_seed(0))
    classifiers.train(x[None], truth[None])
    odds = [classifiers.odds(tokens(sweeps)[None])[0].double().numpy() for sweeps in (sound_asked, faulty_asked)]
    there = ~np.isnan(faulty_asked[0]).all(axis=1)
    odds[1][~there] = np.inf
    share = float((odds[1] > np.quantile(odds[0], 1.0 - _ALARMS)).mean())
    return share, area(-odds[0], -odds[1])
