"""This file is the misfits: how well a network predicts the next sweep of cells that are the model itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.generation import generate, simulate
from estimators.prequential import STRATA, misfit_score, predict
from estimators.spec import Spec

__all__ = ["misfits"]

_CELLS = 400
_DRAWS = 96


def misfits(network: SweepSetEstimator, spec: Spec, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
    """Score predicted sweeps of fresh cells, in each stratum of how many sweeps came before.

    Args:
        network: Trained.
        spec: The process.
        rng: Source of randomness.

    Returns:
        {"misfit_1", "misfit_3", "misfit_10"}: sorted scores of `estimators.prequential.misfit_score`.
    """
    found = {}
    distortion = Distortion(spec.parameters, network.scaling)
    for stratum, end in zip(STRATA, (*STRATA[1:], 30), strict=True):
        scores = []
        for made in generate(spec.parameters, spec.designs, spec.nuisances, _CELLS, rng, sweeps=end + 1, chunk=40):
            sets = distortion(made, rng)
            for cell in range(len(sets)):
                rows = slice(sets.first[cell], sets.first[cell + 1])
                features, context = sets.features[rows].astype(np.float64), sets.context[rows].astype(np.float64)
                n = int(rng.integers(stratum, end)) if end > stratum + 1 else stratum
                usable = context[:, CONTEXT.index("excluded")] == 0
                if not usable[n] or not usable[:n].any():
                    continue
                generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
                theta = network.draw(features[:n], context[:n], _DRAWS, generator)
                # Where the holding is unknown to the network, it is to the prediction too.
                told = np.tile(context[n], (_DRAWS, 1))
                made_of = simulate(theta, told, spec.nuisances, rng, names=spec.names)
                prediction = predict(distortion.forecast(made_of, theta, rng))
                score = misfit_score(prediction, features[n])
                if np.isfinite(score):
                    scores.append(score)
        found[f"misfit_{stratum}"] = np.sort(np.array(scores))
    return found
