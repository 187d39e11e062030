"""The paper's cell under a real sweep's protocol, against what a membrane does and what was published."""

import numpy as np
import pytest

from estimators.context import Context
from estimators.features import NAMES as FEATURES
from rig_plugin.peers.elife import CELL, DENSITY, SPIKES
from rig_plugin.tasks.elife import NAMES
from rig_plugin.tasks.elife_sweep import featured, record, summarized

THETA = np.array([[CELL[name] for name in NAMES]])
PASSIVE = np.array([[0.0, 0.0, 0.05, 0.0, 600.0, -60.0, 0.0, -70.0]])


def context(amplitude, **changes):
    given = {"holding": 0.0, "holding_known": 1.0, "duration": 200.0, "baseline": 100.0, "tail": 100.0, "rate": 20.0}
    return Context(amplitude=amplitude, **(given | changes))


def test_a_passive_cell_charges_by_its_area_and_its_leak():
    # 30 pA into 150 pF are 0.2 uA/cm2, which 0.05 mS/cm2 turn into 4 mV, with 1 uF/cm2 / 0.05 mS/cm2 = 20 ms.
    trace = record(PASSIVE, 150.0, context(30.0), np.random.default_rng(0))[0]
    time = np.arange(len(trace)) / 20.0 - 100.0
    wanted = -70.0 + 4.0 * (1.0 - np.exp(-np.clip(time, 0.0, 200.0) / 20.0))
    during = (time > 0.0) & (time < 200.0)
    np.testing.assert_allclose(trace[during], wanted[during], atol=0.01)
    assert trace[time < 0.0] == pytest.approx(-70.0, abs=1e-3)


def test_a_cell_rests_at_its_holding_and_remembers_what_came_before():
    held = record(PASSIVE, 150.0, context(0.0, holding=-30.0), np.random.default_rng(0))[0]
    assert held == pytest.approx(-74.0, abs=0.01)
    before = context(0.0, history_level=-75.0, history_duration=300.0, history_gap=100.0)
    trace = record(PASSIVE, 150.0, before, np.random.default_rng(0))[0]
    assert trace[0] == pytest.approx(-80.0, abs=0.05)
    assert trace[400] == pytest.approx(-70.0 - 10.0 * np.exp(-1.0), abs=0.05)


def test_only_the_current_per_area_counts():
    first = record(THETA, 100.0, context(300.0), np.random.default_rng(1))
    second = record(THETA, 200.0, context(600.0), np.random.default_rng(1))
    np.testing.assert_allclose(first, second, atol=0.05)


def test_the_published_statistics_come_out_at_the_published_parameters():
    # Goncalves et al. (2020), eLife 9:e56261; that it starts at E_leak and not at rest is forgotten by the step.
    short = context(100.0 * DENSITY, duration=100.0, baseline=10.0, tail=10.0, rate=40.0)
    found = summarized(np.repeat(THETA, 320, axis=0), 100.0, short, np.random.default_rng(0))
    assert (found[:, 0] == SPIKES).all()
    np.testing.assert_allclose(found.mean(axis=0)[[3, 5, 6]], [-56.448, 3.7038, 18.326], rtol=5e-3)
    assert found[:, 4].mean() == pytest.approx(375.15, rel=5e-3)


def test_more_cells_than_are_recorded_at_once_are_all_there():
    theta = np.repeat(THETA, 700, axis=0)
    theta[:, 7] = np.linspace(-80.0, -60.0, 700)
    found = summarized(theta, 100.0, context(0.0, duration=20.0, baseline=20.0), np.random.default_rng(0))
    assert found.shape == (700, 7)
    assert (np.diff(found[::50, 1]) > 0.0).all()


def test_features_and_statistics_are_of_the_same_sweeps():
    step = context(400.0)
    features = featured(THETA, 100.0, step, np.random.default_rng(5))
    found = summarized(THETA, 100.0, step, np.random.default_rng(5))
    assert features[0, FEATURES.index("spike_count")] == found[0, 0] > 3
    assert features[0, FEATURES.index("mean_voltage")] == pytest.approx(found[0, 3], abs=0.05)
    assert features[0, FEATURES.index("rest")] == pytest.approx(found[0, 1], abs=0.2)
