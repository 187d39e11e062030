"""Features of a sweep that is still coming in are those of the whole one, however it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.conditioning import weights
from estimators.features import NAMES
from estimators.follower import Follower
from estimators.measuring import LIMIT, measure_all
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.stimulus import Epoch, Stimulus

RATES = (10.0, 20.0, 25.0, 40.0, 50.0)
SWEEPS = 6


def whole(stimulus, rate, rows):
    full = (rate, stimulus.onset, stimulus.step_duration, stimulus.tail, stimulus.amplitude)
    columns = [np.full(len(rows), x) for x in full]
    counts, which = np.full(len(rows), rows.shape[1]), np.zeros(len(rows), dtype=np.int64)
    return measure_all(rows.astype(np.float32), counts, columns[0], weights(rate)[None], which, *columns[1:])


def cells():
    """Regular- and fast-spiking cells, silent and firing, with noise."""
    theta = np.tile([100.0, 0.06, 50.0, 5.0, 0.07, 600.0, -58.0, -70.0, 1.0, 0.1, 5.0, 0.0], (SWEEPS, 1))
    theta[:, 0] = [60.0, 100.0, 400.0, 80.0, 40.0, 90.0]
    theta[:, 7] = [-70.0, -66.0, -80.0, -60.0, -72.0, -50.0]
    theta[:, 8] = [1.0, 0.5, 0.8, 1.7, 0.4, 1.2]
    return theta


@pytest.fixture(scope="module")
def sweeps():
    """Of each rate a stimulus, on and off the grid of its samples, with noisy sweeps and their features."""
    rng = np.random.default_rng(6)
    made = {}
    for rate in RATES:
        for whole_samples in (True, False):
            lengths = rng.uniform([60.0, 150.0, 160.0], [90.0, 250.0, 300.0])
            lengths = np.rint(lengths * rate) / rate if whole_samples else lengths
            levels = (-20.0, 180.0, -20.0)
            stimulus = Stimulus("current", tuple(map(Epoch, levels, lengths.tolist())))
            rows = Cortical(electrode=Electrode(white=0.1)).simulate(cells(), stimulus, rate, rng)
            made[rate, whole_samples] = stimulus, rows, whole(stimulus, rate, rows)
    return made


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    whole_samples=st.booleans(),
    k=st.integers(0, SWEEPS - 1),
    seed=st.integers(0, 2**32 - 1),
    blocks=st.integers(1, 60),
)
def test_live_blocks_equal_the_whole_sweep(sweeps, rate, whole_samples, k, seed, blocks):
    stimulus, rows, features = sweeps[rate, whole_samples]
    row = rows[k]
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(row) + 1, blocks))
    follower = Follower(stimulus, rate)
    for block in np.split(row, cuts):
        follower.push(block)
    np.testing.assert_array_equal(follower.row(), features[k])


def test_the_sweeps_of_this_test_are_silent_and_firing(sweeps):
    counts = np.array([features[:, NAMES.index("spike_count")] for *_, features in sweeps.values()])
    assert (counts == 0).any()
    assert (counts > 5).any()


@pytest.mark.parametrize("rate", RATES)
def test_one_sample_at_a_time_is_a_cut_too(sweeps, rate):
    stimulus, rows, features = sweeps[rate, True]
    follower = Follower(stimulus, rate)
    for k in range(rows.shape[1]):
        follower.push(rows[0, k : k + 1])
    np.testing.assert_array_equal(follower.row(), features[0])


def test_asking_in_between_changes_nothing(sweeps):
    stimulus, rows, features = sweeps[20.0, True]
    follower = Follower(stimulus, 20.0)
    for block in np.array_split(rows[1], 37):
        follower.push(block)
        follower.row()
        follower.spikes()
    np.testing.assert_array_equal(follower.row(), features[1])


def test_what_is_asked_early_is_missing_or_final(sweeps):
    # But for 15 ms behind a window's end: a spike under way there is found when it has fallen.
    stimulus, rows, _ = sweeps[20.0, True]
    step_end = stimulus.onset + stimulus.step_duration
    for row in rows:
        follower = Follower(stimulus, 20.0)
        asked = []
        for time in (0.0, stimulus.onset - 1.0, stimulus.onset + 60.0, step_end - 1.0, step_end + 70.0, 1e9):
            follower.push(row[follower._available : round(min(time * 20.0, len(row)))])
            asked.append(follower.row())
        assert np.isnan(asked[0]).all()
        for early in asked:
            given = ~np.isnan(early)
            np.testing.assert_array_equal(early[given], asked[-1][given])


def test_samples_beyond_the_stimulus_are_left_out(sweeps):
    stimulus, rows, features = sweeps[25.0, True]
    follower = Follower(stimulus, 25.0)
    follower.push(np.concatenate([rows[2], np.full(500, 40.0)]))
    follower.push(np.full(500, 40.0))
    np.testing.assert_array_equal(follower.row(), features[2])


def test_features_have_their_names_and_spikes_their_times(sweeps):
    stimulus, rows, features = sweeps[20.0, True]
    k = int(np.argmax(features[:, NAMES.index("spike_count")]))
    follower = Follower(stimulus, 20.0)
    follower.push(rows[k])
    named = follower.features()
    assert tuple(named) == NAMES
    times = follower.spikes()[:, 0]
    during = times[times >= stimulus.onset]
    assert named["latency"] == during[0] - stimulus.onset
    assert named["first_isi"] == during[1] - during[0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, LIMIT + 50.0])
def test_a_sweep_that_no_membrane_makes_is_not_measured_live_either(sweeps, wrong):
    stimulus, rows, _ = sweeps[20.0, True]
    row = rows[0].copy()
    row[2500] = wrong
    follower = Follower(stimulus, 20.0)
    follower.push(row)
    np.testing.assert_array_equal(follower.row(), whole(stimulus, 20.0, row[None])[0])
