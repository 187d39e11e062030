import numpy as np
import pytest
import torch

from estimators.context import Context
from estimators.features import NAMES
from estimators.generation import simulate
from estimators.guess import _GUESSED, Guess, _constrain
from estimators.nuisances import Nuisances
from estimators.scaling import Scaling

THETA = np.array([[100.0, 0.1, 5.0, 0.5, 0.003, 600.0, -40.0, -75.0, 1.0, 0.002, 6.0, 2.0]])


def test_a_cell_without_active_currents_does_what_is_guessed(spec):
    context = Context(-60.0, -20.0, 1.0, 500.0, 200.0, 300.0, 20.0).row()[None]
    row = simulate(THETA, context, Nuisances(hum=(0.0, 0.0), white=(1e-3, 1e-3), drift=0.0), np.random.default_rng(0))[
        0
    ]
    u = np.stack([p.unconstrain(THETA[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
    scaling = Scaling()
    scaled = Guess(spec.parameters)(torch.from_numpy(u), torch.from_numpy(context), scaling)[0]
    table = torch.zeros(len(NAMES), dtype=torch.float64)
    table[[NAMES.index(name) for name in _GUESSED]] = scaled[: len(_GUESSED)].double()
    guessed = scaling.back(table).numpy()
    for name in _GUESSED:
        if name in ("rest", "mean_voltage"):
            continue  # they are far beyond what an unfitted scaling lets through
        k = NAMES.index(name)
        assert guessed[k] == pytest.approx(row[k], rel=0.12, abs=0.15), name


def test_the_guess_knows_every_scale_of_prior(spec):
    u = torch.tensor(np.random.default_rng(0).normal(size=(5, len(spec.parameters))))

    for k, parameter in enumerate(spec.parameters):
        assert _constrain(parameter, u[:, k]).numpy() == pytest.approx(parameter.constrain(u[:, k].numpy()), rel=1e-6)


def test_without_the_parameters_that_it_takes_there_is_no_guess(spec):
    assert Guess(spec.parameters).width > 0
    assert Guess(spec.parameters[1:]).width == 0
    assert Guess(()).width == 0
    assert not Guess(()).possible
