from dataclasses import replace

import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.distortion import Distortion, Waves
from estimators.features import NAMES
from estimators.scaling import Scaling
from estimators.sets import Sets
from estimators.yardstick import COUNTS, Yardstick
from simulators.parameter import Parameter

SIZE = Parameter("discrepancy", "1", 0.02, 0.6, "log")
COUNT, REST = COUNTS[0], NAMES.index("rest")


def cells(u=0.0, count=400, sweeps=5, seed=0):
    """Cells that all have the same features, and a discrepancy where u says."""
    rng = np.random.default_rng(seed)
    n = count * sweeps
    features = np.tile(rng.normal(3.0, 1.0, len(NAMES)), (n, 1))
    features[:, list(COUNTS)] = 8.0
    context = np.zeros((n, len(CONTEXT)))
    context[:, CONTEXT.index("amplitude")] = np.tile(np.linspace(-50.0, 200.0, sweeps), count)
    first = np.arange(count + 1) * sweeps
    theta = np.full((n, 1), u)
    return Sets(*(a.astype(np.float32) for a in (theta, features, context)), first)


@pytest.fixture
def scaling(sets):
    scaling = Scaling()
    scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return scaling


def errors(scaling, sets, seed=1):
    made = Distortion([SIZE], scaling)(sets, np.random.default_rng(seed))
    yardstick = Yardstick(scaling)
    moved = yardstick.along(made.features.astype(float)) - yardstick.along(sets.features.astype(float))
    return moved.reshape(len(sets), -1, len(NAMES))


def test_without_a_discrepancy_among_the_parameters_nothing_is_touched(scaling):
    sets, rng = cells(), np.random.default_rng(3)
    distortion = Distortion([Parameter("C", "pF", 10.0, 100.0)], scaling)
    assert distortion(sets, rng) is sets
    assert distortion.forecast(sets.features, sets.u, rng) is sets.features
    assert rng.random() == np.random.default_rng(3).random()


@pytest.mark.parametrize("u", [-1.5, 0.0, 1.5])
def test_the_error_is_as_large_as_the_cell_s_discrepancy_says(scaling, u):
    found = errors(scaling, cells(u))[..., REST]
    # Sizes of features differ by a factor of exp(N(0, .5)); a sweep's own error adds a ninth to the variance.
    wanted = SIZE.constrain(np.array([u]))[0] * np.sqrt(10 / 9) * np.exp(0.5**2)
    assert np.sqrt((found**2).mean()) == pytest.approx(wanted, rel=0.15)


def test_what_was_distorted_when_its_steps_were_chosen_is_not_distorted_again(scaling):
    sets = replace(cells(), chosen=np.arange(len(cells())) % 2 == 0)
    found = errors(scaling, sets)
    assert (found[::2] == 0).all() and (found[1::2] != 0).any(axis=(1, 2)).all()


def test_sweeps_of_a_cell_share_most_of_their_error_and_cells_none(scaling):
    found = errors(scaling, cells(0.0, count=2000))[..., REST]
    assert np.corrcoef(found[:, 1], found[:, 2])[0, 1] > 0.5
    assert abs(np.corrcoef(found[:-1, 1], found[1:, 1])[0, 1]) < 0.1


def test_errors_at_like_currents_are_more_alike_than_at_distant_ones(scaling):
    found = errors(scaling, cells(0.0, count=3000, sweeps=7))[..., REST]
    near, far = (np.corrcoef(found[:, 0], found[:, k])[0, 1] for k in (1, 6))
    assert near > far + 0.05


def test_smooth_functions_have_unit_variance_and_no_jumps():
    positions = np.tile(np.linspace(-1.0, 1.0, 201), 300)
    drawn = Waves((300, 2), np.random.default_rng(0)).at(positions, np.repeat(np.arange(300), 201))
    assert drawn.var() == pytest.approx(1.0, abs=0.1)
    steps = np.diff(drawn.reshape(300, 201, 2), axis=1)
    assert np.sqrt((steps**2).mean()) < 0.1


def test_what_is_missing_stays_missing_a_silent_sweep_silent_and_counts_whole(scaling):
    sets = cells(2.0)
    features = sets.features.copy()
    features[::3, REST] = np.nan
    features[::4, COUNT] = 0.0
    features[1::4, COUNT] = 1.0
    made = Distortion([SIZE], scaling)(replace(sets, features=features), np.random.default_rng(0)).features
    assert np.array_equal(np.isnan(made), np.isnan(features))
    assert ((made[:, COUNT] > 0) == (features[:, COUNT] > 0)).all()
    assert np.array_equal(made[:, COUNT], np.round(made[:, COUNT]))
    assert np.unique(made[features[:, COUNT] == 8.0, COUNT]).size > 3


def test_a_forecast_is_as_wide_as_each_draw_s_discrepancy(scaling):
    sets = cells()
    theta = np.where(np.arange(len(sets.u)) % 2, 0.5, 0.03)[:, None]
    made = Distortion([SIZE], scaling).forecast(sets.features.astype(float), theta, np.random.default_rng(0))
    off = np.abs(Yardstick(scaling).along(made) - Yardstick(scaling).along(sets.features.astype(float)))[:, REST]
    assert np.median(off[1::2]) > 10.0 * np.median(off[::2])


def test_the_same_seed_gives_the_same_distortion(scaling):
    sets = cells()
    one, two, other = (errors(scaling, sets, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
