"""The seven statistics of whole traces, against scipy's and against what the paper's files have."""

import numpy as np
from scipy import stats

from rig_plugin.opening import network
from rig_plugin.tasks.cell import cells
from rig_plugin.tasks.elife_statistics import statistics

# Goncalves et al. (2020), eLife 9:e56261, five of the sweeps that it fits, after 14 mV of junction potential were
# subtracted: spikes, rest, its deviation, mean, variance, skewness, kurtosis.
PUBLISHED = {
    "509881736": (25, -81.13, 0.087, -52.98, 157.6, 3.93, 19.2),
    "526950199": (22, -79.45, 0.044, -59.36, 118.9, 5.32, 34.1),
    "532571720": (18, -90.05, 0.044, -55.20, 130.4, 4.62, 29.0),
    "555060623": (13, -76.56, 0.067, -55.20, 60.1, 5.38, 42.1),
    "567399060": (11, -88.64, 0.036, -60.10, 66.9, 5.70, 55.0),
}
JUNCTION = np.array([0.0, 14.0, 0.0, 14.0, 0.0, 0.0, 0.0])


def test_the_published_statistics_come_out_of_the_published_sweeps(data):
    found = {}
    for cell in cells(data, network()):
        for number in PUBLISHED:
            if number in cell.name:
                context = cell.contexts[0]
                timing = (context.baseline, context.duration, context.rate)
                found[number] = statistics(cell.traces[0][None], *timing)[0] - JUNCTION
    assert set(found) == set(PUBLISHED)
    for number, published in PUBLISHED.items():
        assert found[number][0] == published[0]
        np.testing.assert_allclose(found[number][1:], published[1:], rtol=3e-3, atol=6e-4)


def test_each_window_is_its_own_and_the_tail_is_in_none():
    rng = np.random.default_rng(0)
    parts = [rng.normal(-70.0, 5.0, (3, 900)), rng.normal(-69.0, 0.5, (3, 100)), rng.gamma(2.0, 8.0, (3, 4000)) - 60.0]
    traces = np.concatenate([*parts, np.full((3, 500), 30.0)], axis=1)
    found = statistics(traces.astype(np.float32), 50.0, 200.0, 20.0)
    during = parts[2]
    wanted = [
        np.sum((during[:, :-1] < -10.0) & (during[:, 1:] >= -10.0), axis=1),
        np.concatenate(parts[:2], axis=1).mean(axis=1),
        parts[1].std(axis=1),
        during.mean(axis=1),
        during.var(axis=1),
        stats.skew(during, axis=1),
        stats.kurtosis(during, axis=1, fisher=False),
    ]
    np.testing.assert_allclose(found, np.stack(wanted, axis=1), rtol=1e-4)


def test_a_spike_that_is_there_when_the_step_begins_is_not_counted():
    trace = np.full(400, -60.0)
    trace[95:110] = 20.0
    trace[200:210] = 20.0
    assert statistics(trace[None], 10.0, 30.0, 10.0)[0, 0] == 1.0


def test_what_never_moves_has_no_shape_and_what_blows_up_has_nothing():
    traces = np.full((2, 400), -65.0)
    traces[1, 300] = np.inf
    still, blown = statistics(traces, 10.0, 30.0, 10.0)
    assert still[:5].tolist() == [0.0, -65.0, 0.0, -65.0, 0.0]
    assert np.isnan(still[5:]).all()
    assert np.isnan(blown).all()
