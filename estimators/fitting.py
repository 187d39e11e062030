"""This file is the fitting: from simulations of any model, and any prior, to an estimator of its parameters.

Heads and schedules are tried on the same split, and the one whose held-out rows have the highest mean log q is trained
again on other splits of the same rows; nothing else chooses, and the same choices are offered to every problem.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from estimators.descent import Rows, Schedule
from estimators.distillation import heavier
from estimators.ensemble import Estimator
from estimators.heads import possible
from estimators.network import Plan
from estimators.prior import Prior
from estimators.simulations import Simulations
from estimators.tournament import Progress, Tournament
from simulators.refusal import Refusal

__all__ = ["HEADS_TRIED", "SCHEDULES", "Progress", "fit"]

HEADS_TRIED = ("autoregressive", "mixture")
"""Heads that are tried where none are asked for: the other two cost several times as much."""

SCHEDULES = ((16, 0.01, 6), (12, 1.0, 6), (48, 0.01, 4))
"""What is tried, as epochs, weight decay and networks: short, held back where rows are learned by heart, and long."""

_MEMBERS = 4
_PUPIL_EPOCHS = 12
_PATIENCE = 16


def fit(
    theta: object,
    x: object,
    prior: Prior,
    *,
    heads: Sequence[str] | None = None,
    ensemble: int | None = None,
    distil: bool = False,
    validation: float = 0.1,
    epochs: int | None = None,
    weight_decay: float = 0.01,
    patience: int = _PATIENCE,
    batch: int | None = None,
    width: int = 64,
    dropout: float = 0.0,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[Progress], None] | None = None,
    bookmark: str | Path | None = None,
) -> Estimator:
    """Fit an estimator to simulations.

    Args:
        theta: Parameters that were simulated, drawn from the prior, shape (n, p).
        x: What the simulator gave for each, shape (n, d); NaN where a feature is missing.
        prior: That theta was drawn from.
        heads: Kinds of density to try; `HEADS_TRIED` where none are given.
        ensemble: Networks that share the posterior, each trained on another split; as many as the chosen one of
            `SCHEDULES` says where none are given, or 4.
        distil: Whether the ensemble teaches one more network, which then stands for it: nearly as sharp, and as fast
            as one. Where held-out rows like the ensemble's first network better, that one stands.
        validation: Share of the rows that each network is chosen by and not trained on.
        epochs: At most; where none are given `SCHEDULES` are tried.
        weight_decay: Where epochs are given.
        patience: Epochs without a better held-out loss after which a training ends.
        batch: Rows in a step; where none is given it grows with the number of rows, from 32 to 512.
        width: Of the embedding.
        dropout: In its blocks, while training.
        seed: Of everything random; the same seed gives the same estimator.
        device: Where to compute: "cpu", "cuda", or "auto" for CUDA where there is some.
        progress: Called after each epoch.
        bookmark: Where to note after each epoch how it stands; a fit that was killed is gone on from there.

    Returns:
        The estimator, on the CPU. Its record tells what was left out, chosen, and why.

    Raises:
        SimulationsError: If the rows can't be learned from; the message names row, column and value.
        Refusal: If a head or a number that was asked for is impossible.

    Example:
        >>> prior = Prior.uniform([-1.0], [1.0])
        >>> generator = torch.Generator().manual_seed(0)
        >>> theta = prior.sample(200, generator)
        >>> x = theta + 0.1 * torch.randn(200, 1, generator=generator)
        >>> estimator = fit(theta, x, prior, heads=["mixture"], ensemble=1, epochs=2)
        >>> estimator([0.3]).sample((5,)).shape
        torch.Size([5, 1])
    """
    began = time.monotonic()
    rows = Simulations.of(theta, x, prior)
    names = HEADS_TRIED if heads is None else tuple(dict.fromkeys(heads))
    _check(names, prior, ensemble, validation, epochs, patience, batch, width, dropout)
    if distil and ensemble == 1:
        raise Refusal("One network was to be distilled from an ensemble of 1; give 2 at least, or leave distil out.")
    plan = Plan(names[0], rows.x.shape[1], prior.p, width=width, dropout=dropout)
    tried = SCHEDULES if epochs is None else ((epochs, weight_decay, _MEMBERS),)
    members = [most if ensemble is None else ensemble for _, _, most in tried]
    size = batch or _batch(len(rows.z))
    schedules = [Schedule(most, patience, size, weight_decay=decay) for most, decay, _ in tried]
    where = _device(device)
    pupil = _pupil(len(rows.z), members, epochs, batch) if distil else None
    tournament = Tournament(plan, schedules, Rows(rows.x, rows.z), names, members, validation, seed, where, pupil)
    noted = hashlib.sha256(rows.x.numpy().tobytes() + rows.z.numpy().tobytes()).hexdigest()
    key = repr((plan, schedules, names, members, validation, seed, where, noted, pupil))
    tournament.run(progress or _silent, None if bookmark is None else Path(bookmark), key)
    if not math.isfinite(max(result.held_out for result in tournament.done)):
        raise Refusal("No head gave the held-out rows a finite density; look for features of absurd size.")
    record = {
        "rows": len(rows.z),
        "failed": rows.failed,
        "constant": list(rows.constant),
        "head": tournament.best[0],
        "schedule": dict(zip(("epochs", "weight_decay"), tried[tournament.best[1]][:2], strict=True)),
        "distilled": distil and tournament.given[0] is tournament.distilled,
        "seed": seed,
        "seconds": time.monotonic() - began,
        "trainings": _trainings(tournament),
    }
    return Estimator(prior, [result.network for result in tournament.given], record)


def _trainings(tournament: Tournament) -> list[dict[str, str | int | float | None]]:
    """Tell how each network was trained and what held-out rows say of it."""
    return [
        {
            "head": result.network.plan.head,
            "schedule": result.schedule,
            "split": result.split,
            "held_out": result.held_out if math.isfinite(result.held_out) else None,
            "epochs": result.epochs,
        }
        for result in tournament.done
    ]


def _pupil(n: int, members: Sequence[int], epochs: int | None, batch: int | None) -> Schedule:
    """Plan the training of a pupil, which has many rows of each that was simulated."""
    draws, copies = heavier(n, max(members))
    size = batch or _batch(n * (draws * max(members) + copies))
    return Schedule(_PUPIL_EPOCHS if epochs is None else min(epochs, _PUPIL_EPOCHS), _PATIENCE, size)


def _silent(_: Progress) -> None:
    """Tell nobody."""


def _batch(n: int) -> int:
    """Choose the rows in a step: more simulations leave room for larger ones."""
    return int(min(512, max(32, 2 ** round(math.log2(n / 80)))))


def _device(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device not in ("cpu", "cuda"):
        raise Refusal(f"The device is '{device}'; 'cpu', 'cuda' or 'auto' was wanted.")
    if device == "cuda" and not torch.cuda.is_available():
        raise Refusal("There is no CUDA device that torch can use here; give device='cpu', or 'auto'.")
    return device


def _check(
    heads: Sequence[str],
    prior: Prior,
    ensemble: int | None,
    validation: float,
    epochs: int | None,
    patience: int,
    batch: int | None,
    width: int,
    dropout: float,
) -> None:
    """Refuse what can't be asked for, before hours are spent."""
    if not heads:
        raise Refusal(f"No head was given; some of {', '.join(possible(prior.p))} were wanted.")
    for head in heads:
        if head not in possible(prior.p):
            raise Refusal(f"'{head}' is no head for {prior.p} parameters; give some of {', '.join(possible(prior.p))}.")
    for name, value in (
        ("ensemble", ensemble),
        ("epochs", 1 if epochs is None else epochs),
        ("patience", patience),
        ("width", width),
    ):
        if value is not None and value < 1:
            raise Refusal(f"The {name} is {value}; 1 at least was wanted.")
    if batch is not None and batch < 1:
        raise Refusal(f"The batch is {batch}; 1 row at least was wanted.")
    if not 0.0 < validation <= 0.5:
        raise Refusal(f"The validation share is {validation}; more than 0 and at most 0.5 was wanted.")
    if not 0.0 <= dropout < 1.0:
        raise Refusal(f"The dropout is {dropout}; from 0 to below 1 was wanted.")
