"""This file is the benchmark of inference on published tasks: how well draws pass for draws of the true posterior.

Both programs learn from the same simulations in one round and are asked about the same ten observations; the score is
the C2ST, .5 where nothing tells the draws apart. Every seed has simulations of its own. A task takes minutes to hours,
most of it for the C2ST, so what is done is kept in a ledger and not done again. Training is timed in processor
seconds, for what else runs on the machine lengthens the others.

References:
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from rig_plugin.tasks import own
from rig_plugin.tasks.c2st import Classifier
from rig_plugin.tasks.catalogue import chosen
from rig_plugin.tasks.ledger import Ledger
from rig_plugin.tasks.outcome import Outcome
from rig_plugin.tasks.reference import OBSERVATIONS, Reference, Wheel
from rig_plugin.tasks.score import Score, take
from rig_plugin.tasks.task import Task
from rig_plugin.tasks.trained import Train
from simulators.refusal import Refusal

__all__ = ["measure"]

_OWN, _PEER = "rig-plugin", "sbi"


def measure(
    peers: bool = True,
    task: str = "",
    simulations: int = 10_000,
    seeds: int = 3,
    observations: int = OBSERVATIONS,
    classifier: Classifier = "own",
    out: Path | None = None,
    wheel: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure one task or all.

    Args:
        peers: Whether to measure sbi beside.
        task: Its name, or "all".
        simulations: How many each network learns from.
        seeds: How often, each time from new simulations.
        observations: How many of the ten.
        classifier: Which C2ST: our own or scikit-learn's.
        out: The ledger, which is gone on with; None for none. It tells versions of the program apart and nothing finer:
            who changes how a network is trained starts another.
        wheel: Where the reference draws are; None for the user's cache.

    Returns:
        Figures of each task: mean C2ST of ours beside the peer's, the peer's own, ours beside the published ones of
            one round and of ten; mean log q of fresh simulations; processor seconds to train; seconds for the
            reference's number of draws.

    Raises:
        Refusal: If there is no such task, the reference draws can't be had, or scikit-learn is wanted and not there.
    """
    if not task:
        raise Refusal("Which task is to be measured was not said; name one with --task, or 'all'.")
    tasks = chosen(task)
    if not 1 <= observations <= OBSERVATIONS:
        raise Refusal(f"{observations} observations were asked for; each task has 1 to {OBSERVATIONS}.")
    if classifier == "sklearn" and find_spec("sklearn") is None:
        raise Refusal("scikit-learn is not installed; install rig-plugin[bench], or leave --classifier out.")
    ledger, known = Ledger(out), Wheel(wheel)
    trainers, failed = _trainers(peers)
    figures: list[dict[str, Any]] = []
    for each in tasks:
        references = [known.reference(each.name, k + 1) for k in range(observations)]
        scores: dict[str, list[Score]] = {_OWN: [], _PEER: []}
        troubles = dict(failed)
        for seed in range(seeds):
            for method, train in trainers.items():
                if method in troubles:
                    continue
                try:
                    score = _score(ledger, each, references, method, train, simulations, seed, classifier)
                except Exception as error:
                    if method == _OWN:
                        raise
                    troubles[method] = " ".join(f"could not be measured: {type(error).__name__}: {error}".split())
                else:
                    scores[method].append(score)
        trouble = troubles.get(_PEER)
        figures += Outcome(
            task=each.name,
            simulations=simulations,
            classifier=classifier,
            ours=scores[_OWN],
            theirs=[] if trouble else scores[_PEER],
            peer=_PEER if peers else None,
            peer_version=(trouble or version(_PEER)) if peers else None,
        ).rows()
    return figures


def _trainers(peers: bool) -> tuple[dict[str, Train], dict[str, str]]:
    """Find who trains, and why the others do not."""
    trainers: dict[str, Train] = {_OWN: own.train}
    if not peers:
        return trainers, {}
    try:
        version(_PEER)
    except PackageNotFoundError:
        return trainers, {_PEER: "not installed"}
    trainers[_PEER] = importlib.import_module(f"rig_plugin.peers.{_PEER}").train
    return trainers, {}


def _score(
    ledger: Ledger,
    task: Task,
    references: Sequence[Reference],
    method: str,
    train: Train,
    simulations: int,
    seed: int,
    classifier: Classifier,
) -> Score:
    """Look a score up, or take it, keep it and tell it."""
    known = ledger.find(task.name, method, version(method), simulations, seed, classifier, len(references))
    if known is not None:
        return replace(known, c2st=known.c2st[: len(references)])
    score = take(
        task, references, train, simulations, seed, method=method, version=version(method), classifier=classifier
    )
    ledger.add(score)
    told = f"{task.name}  {method}  seed {seed}  C2ST {fmean(score.c2st):.3f}  log q {score.log_q:.3f}"
    click.echo(f"{told}  {score.train_cpu_s:.0f} s", err=True)
    return score
