"""Features of simulated batches are those that a live sweep gets."""

from importlib.resources import files

import numpy as np
import pytest

from estimators.features import NAMES
from estimators.follower import Follower
from estimators.spec import spec_from
from estimators.summary import features
from simulators.batches import read_batches, simulate_batches
from simulators.cortical import Cortical
from simulators.stimulus import Epoch, Stimulus, step

STIMULI = (
    step(150.0, onset=60.0, duration=200.0, tail=160.0),
    step(-40.0, holding=20.0, onset=70.0, duration=100.0, tail=30.0),
)


@pytest.fixture(scope="module")
def prior():
    text = (files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8")
    return spec_from(text, "the spec").parameters[:12]


def followed(response, stimulus, rate):
    follower = Follower(stimulus, rate)
    follower.push(response)
    return follower.row()


@pytest.mark.parametrize("rate", [10.0, 20.0])
def test_features_taken_by_workers_are_those_of_sweeps_that_are_followed(tmp_path, prior, rate):
    given = {"cells": 24, "rate": rate, "seed": 1, "chunk": 12}
    simulate_batches(Cortical(), prior, STIMULI, tmp_path / "whole.h5", **given)
    simulate_batches(Cortical(), prior, STIMULI, tmp_path / "cells.h5", **given, summarize=features)
    for whole, batch in zip(read_batches(tmp_path / "whole.h5"), read_batches(tmp_path / "cells.h5"), strict=True):
        assert batch.values.shape == (12, 2, len(NAMES))
        assert np.isfinite(batch.values[:, :, NAMES.index("mean_voltage")]).all()
        for k, stimulus in enumerate(STIMULI):
            wanted = [followed(response, stimulus, rate) for response in whole.responses[k]]
            np.testing.assert_array_equal(batch.values[:, k], wanted)


def test_what_surrounds_baseline_and_tail_is_not_measured():
    rng = np.random.default_rng(0)
    response = rng.normal(-70.0, 0.1, (3, 2400))
    inner = step(50.0, onset=60.0, duration=100.0, tail=40.0)
    epochs = (Epoch(-30.0, 20.0), *inner.epochs, Epoch(-20.0, 20.0))
    wanted = features(response[:, 200:2200], inner, 10.0)
    np.testing.assert_array_equal(features(response, Stimulus("current", epochs, 2), 10.0), wanted)


def test_a_sweep_that_blew_up_has_no_features_and_spoils_no_other():
    response = np.random.default_rng(0).normal(-70.0, 0.1, (3, 4200))
    wanted = features(response, STIMULI[0], 10.0)
    response[1, 2000:] = np.nan
    found = features(response, STIMULI[0], 10.0)
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[[0, 2]], wanted[[0, 2]])
