"""A dynamic clamp in simulation: nothing changes nothing, what is taken away is gone, and what is late comes late."""

import numpy as np
import pytest

from simulators.adex_batch import record as record_adex
from simulators.batch import record
from simulators.cortical import Cortical
from simulators.electrode import KNOBS
from simulators.gate_table import pospischil_gates
from simulators.injected import Injected
from simulators.stimulus import Dose, Epoch, Stimulus, step

CELL = (100.0, 0.06, 55.0, 6.0, 0.2, 600.0, -56.0, -70.0, 1.0, 0.0)
SILENT = (100.0, 0.05, 0.0, 0.0, 0.0, 600.0, -56.0, -70.0, 1.0, 0.0)
ADEX = np.array([[200.0, 10.0, -70.0, -50.0, 2.0, 0.0, 30.0, 0.0, -58.0, 0.0]])
M = pospischil_gates(-56.0, 600.0)["p"]


def electrodes(**knobs):
    row = np.zeros((1, len(KNOBS)))
    for name, value in knobs.items():
        row[0, KNOBS.index(name)] = value
    return row


def sweep(cell, injected=None, *, current=250.0, baseline=200.0, skip=0.0, duration=400.0, seed=0, **knobs):
    """One sweep at 20 kHz; what is skipped comes before the baseline."""
    ends = np.array([[skip + baseline, skip + baseline + duration]])
    samples, _ = record(
        np.array([cell]), np.array([[55.0, -93.0]]), electrodes(**knobs), ends, np.array([[0.0, current]]),
        np.array([skip]), np.array([20.0]), np.random.default_rng(seed), None, injected,
    )  # fmt: skip
    return samples[0].astype(float)


def spikes(trace):
    return np.flatnonzero((trace[:-1] < -10.0) & (trace[1:] >= -10.0))


def test_a_factor_of_nothing_is_the_control_bit_for_bit():
    noisy = (*CELL[:9], 0.05)
    knobs = {"bridge": 8.0, "offset": 2.0, "corner": 5.0, "white": 0.1, "hum": 0.1, "flicker": 0.1}
    nothing = Injected((M,), -93.0, 0.0)
    np.testing.assert_array_equal(sweep(noisy, nothing, **knobs), sweep(noisy, **knobs))
    assert not np.array_equal(sweep(noisy, Injected((M,), -93.0, -1.0), **knobs), sweep(noisy, **knobs))


@pytest.mark.parametrize("cycle", [0.025, 0.05])
def test_a_cell_whose_g_M_is_taken_away_is_the_cell_without_g_M(cycle):
    without = sweep((*CELL[:4], 0.0, *CELL[5:]), skip=1500.0)
    taken = sweep(CELL, Injected((M,), -93.0, -0.2 * 100.0, delay=0.0, cycle=cycle), skip=1500.0)
    assert spikes(sweep(CELL)).size < 6
    assert spikes(without).size > 20
    # What is left is the clamp's table of gates, straight between points of 0.75 mV.
    np.testing.assert_allclose(taken[:3900], without[:3900], atol=0.005)
    np.testing.assert_allclose(spikes(taken), spikes(without), atol=2)


def test_a_clamp_sees_what_the_bridge_and_the_offset_leave():
    g, E, R, off, current = 4.0, -85.0, 30.0, 3.0, 60.0
    seen = sweep(SILENT, Injected((), E, g), current=current, bridge=R, offset=off)
    # In mV, nS, pA and GOhm: V = E_leak + (I + J)/G with the clamp's own J = g (E - V - R (I + J) - off).
    G, r = 0.05 * 100.0, R * 1e-3
    J = g * (E - off + 70.0 - current * (1.0 / G + r)) / (1.0 + g * (1.0 / G + r))
    V = -70.0 + (current + J) / G
    assert seen[-1] == pytest.approx(V + r * (current + J) + off, abs=2e-3)


def test_what_a_clamp_answers_comes_after_its_delay():
    late = Injected((), -70.0, 20.0, delay=5.0)
    free, held = sweep(SILENT, current=60.0), sweep(SILENT, late, current=60.0)
    onset = 200 * 20
    np.testing.assert_allclose(held[: onset + 98], free[: onset + 98], atol=1e-4)
    assert np.all(held[onset + 105 : onset + 400] < free[onset + 105 : onset + 400] - 0.001)


def test_a_low_pass_delays_what_a_clamp_sees():
    lags = Injected((), -70.0, 1.0, delay=0.1, cycle=0.05).lags(electrodes(corner=2.0), 0.025)
    # 0.1 ms, and 0.168 ms of a four-pole Bessel filter at 2 kHz, less half a cycle.
    assert lags[0] * 0.025 == pytest.approx(0.1 + 0.168 - 0.025, abs=1e-3)
    assert Injected((), -70.0, 1.0, 0.1, 0.05).lags(electrodes(), 0.025)[0] * 0.025 == pytest.approx(0.075)


def test_a_clip_bounds_the_current():
    held = sweep(SILENT, Injected((), 0.0, 1000.0, clip=25.0), current=0.0)
    assert held[-1] == pytest.approx(-70.0 + 25.0 / 5.0, abs=1e-3)


def test_a_lane_does_not_depend_on_what_else_is_clamped():
    cells = np.array([CELL, SILENT, (*CELL[:4], 0.05, *CELL[5:])])
    arguments = (np.tile([55.0, -93.0], (3, 1)), np.repeat(electrodes(bridge=3.0), 3, axis=0))
    arguments += (np.tile([50.0, 150.0], (3, 1)), np.tile([0.0, 200.0], (3, 1)), np.zeros(3), np.full(3, 20.0))
    together = record(cells, *arguments, np.random.default_rng(3), None, Injected((M,), -93.0, -8.0))[0]
    alone = record(
        cells[:1], *(part[:1] for part in arguments), np.random.default_rng(3), None, Injected((M,), -93.0, -8.0)
    )[0]
    np.testing.assert_array_equal(together[0], alone[0])


def adex(injected, leak=10.0, current=400.0):
    ends, levels = np.array([[300.0, 700.0]]), np.array([[0.0, current]])
    samples, _ = record_adex(
        ADEX, np.full((1, 2), leak), electrodes(), ends, levels, np.array([20.0]), np.random.default_rng(0), injected
    )
    return samples[0].astype(float)


@pytest.mark.long
def test_an_adex_cell_under_a_clamp_of_nothing_is_the_control_bit_for_bit():
    np.testing.assert_array_equal(adex(Injected((M,), -93.0, 0.0)), adex(None))


@pytest.mark.long
def test_a_leak_that_is_injected_into_an_adex_cell_is_a_leak():
    added, own = adex(Injected((), -70.0, 5.0, delay=0.0, cycle=0.025)), adex(None, leak=15.0)
    assert 5 < spikes(own).size < spikes(adex(None)).size
    # Its spike is a pulse, of which a clamp sees one step.
    intervals = [np.diff(spikes(trace)).mean() for trace in (added, own, adex(None))]
    assert intervals[0] == pytest.approx(intervals[1], rel=5e-3)
    assert intervals[2] < 0.9 * intervals[1]
    np.testing.assert_allclose(added[:5900], own[:5900], atol=1e-3)


def test_a_simulated_cell_takes_a_clamp_in_current_clamp_only():
    cell = Cortical(injected=Injected((M,), -93.0, -10.0))
    theta = np.array([[*CELL, 0.0, 0.0]])
    rng = np.random.default_rng(0)
    control, under = Cortical().simulate(theta, step(250.0), 20.0, np.random.default_rng(0)), None
    under = cell.simulate(theta, step(250.0), 20.0, rng)
    assert spikes(under[0]).size > spikes(control[0]).size
    voltage = Stimulus("voltage", (Epoch(-70.0, 10.0), Epoch(-60.0, 10.0)))
    dosed = Stimulus("current", (Epoch(0.0, 10.0), Epoch(10.0, 10.0, (Dose("g_M", 0.5),))))
    for stimulus in (voltage, dosed):
        with pytest.raises(ValueError, match="injected in current clamp and without doses"):
            cell.simulate(theta, stimulus, 20.0, rng)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reversal": np.nan}, "finite numbers"),
        ({"delay": -0.1}, "0 to 10 ms"),
        ({"cycle": 0.0}, "more than 0 to 1 ms"),
        ({"clip": 0.0}, "positive current"),
        ({"gates": (M,) * 4}, "at most 3"),
    ],
)
def test_a_clamp_that_cannot_be_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        Injected(**{"gates": (M,), "reversal": -93.0, "maximum": 1.0, **changes})
