"""Sweeps are recorded as their features are measured: from the baseline to the end of the tail."""

import numpy as np
import pytest

from estimators.context import CONTEXT, Context
from estimators.features import NAMES
from estimators.generation import features_of, respond, voltages
from estimators.nuisances import Nuisances, rigs

CELLS = np.tile([100.0, 0.06, 50.0, 5.0, 0.07, 600.0, -58.0, -70.0, 1.0, 0.0, 0.0, 0.0], (2, 1))
SWEEPS = np.stack(
    [
        Context(20.0, 0.0, 1.0, 200.0, 60.0, 40.0, 20.0).row(),
        # What came before the baseline is simulated and not kept.
        Context(200.0, 0.0, 1.0, 240.0, 60.0, 40.0, 50.0, -50.0, 200.0, 100.0).row(),
    ]
)


@pytest.fixture(scope="module")
def drawn():
    return rigs(CELLS, Nuisances(white=(1e-9, 1e-9), hum=(0.0, 0.0), drift=0.0), np.random.default_rng(0))


@pytest.fixture(scope="module")
def recorded(drawn):
    return voltages(CELLS, SWEEPS, drawn, np.random.default_rng(1))


def test_a_recording_has_baseline_step_and_tail(recorded):
    samples, counts = recorded
    assert counts.tolist() == [20 * 300, 50 * 340]
    onset = 50 * 60
    assert samples[1, onset : onset + 50 * 240].max() > 0.0 > samples[1, :onset].max()
    assert samples[0, : counts[0]].max() < -40.0


def test_what_is_measured_is_what_was_recorded(recorded, drawn):
    column = {name: SWEEPS[:, k] for k, name in enumerate(CONTEXT)}
    features = respond(CELLS, SWEEPS, drawn, np.random.default_rng(1))
    np.testing.assert_array_equal(features, features_of(*recorded, column))
    rest = recorded[0][0, 20 * 10 : 20 * 60].mean()
    assert features[0, NAMES.index("rest")] == pytest.approx(rest, abs=0.01)


def test_parameters_that_are_not_named_are_refused(drawn):
    with pytest.raises(ValueError, match="Theta has 11 parameters; 12 were named"):
        voltages(CELLS[:, :11], SWEEPS, drawn, np.random.default_rng(1))
