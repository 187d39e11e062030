"""Features of traces whose features are known."""

import math

import numpy as np
import pytest

from estimators.conditioning import RATE, weights
from estimators.features import FEATURES, NAMES
from estimators.measuring import LIMIT, measure, measure_all

ONSET, DURATION, TAIL = 200.0, 500.0, 300.0
TIME = np.arange(round((ONSET + DURATION + TAIL) * RATE)) / RATE - ONSET
ON = (TIME >= 0) & (TIME < DURATION)
REST = -70.0
SPIKE = [name for name in NAMES if name.startswith(("threshold", "peak", "upstroke", "downstroke", "half", "trough"))]
LATER = [name for name in NAMES if name.startswith("later") or name.endswith("_change")]


def measured(y, amplitude=50.0, n=None, onset=ONSET, duration=DURATION, tail=TAIL):
    values, _ = measure(np.asarray(y, dtype=np.float64), len(y) if n is None else n, onset, duration, tail, amplitude)
    return dict(zip(NAMES, values, strict=True))


def charging(height, tau):
    """A passive membrane that charges and discharges."""
    up = 1 - np.exp(-np.maximum(TIME, 0) / tau)
    down = np.where(TIME >= DURATION, 1 - np.exp(-np.maximum(TIME - DURATION, 0) / tau), 0.0)
    return REST + height * (up - down * (1 - math.exp(-DURATION / tau)))


def firing(times, base=None, height=100.0, sigma=0.45):
    """Gaussian spikes with a dip behind each."""
    y = np.full(len(TIME), REST) if base is None else base.copy()
    for at in times:
        y += height * np.exp(-0.5 * ((TIME - at) / sigma) ** 2) - 6.0 * np.exp(-0.5 * ((TIME - at - 4.0) / 1.2) ** 2)
    return y


def missing(features):
    return {name for name, value in features.items() if np.isnan(value)}


def exponential_mean(first, last, height, tau):
    """Mean of a charging curve between two times."""
    return height * (1 + tau / (last - first) * (math.exp(-last / tau) - math.exp(-first / tau)))


@pytest.mark.parametrize("tau", [3.0, 10.0, 40.0])
@pytest.mark.parametrize("height", [12.0, -15.0])
def test_a_charging_membrane_has_its_time_constant_and_deflections(tau, height):
    f = measured(charging(height, tau), amplitude=math.copysign(60.0, height))
    assert f["rest"] == pytest.approx(REST, abs=1e-9)
    # To the next sample: .05 ms, and the steady deflection lacks exp(-400/tau) of the whole.
    assert f["charging_time"] == pytest.approx(tau, abs=0.06)
    assert f["steady_deflection"] == pytest.approx(height, abs=2e-3)
    assert f["input_resistance"] == pytest.approx(1e3 * abs(height) / 60.0, rel=1e-4)
    for time in (1, 3, 10, 30, 100):
        wanted = exponential_mean(0.8 * time, 1.2 * time, height, tau)
        assert f[f"deflection_{time}_ms"] == pytest.approx(wanted, abs=0.03 * abs(height) / tau)
    slope = height * (math.exp(-0.5 / tau) - math.exp(-5 / tau)) / 4.5
    assert f["onset_slope"] == pytest.approx(slope, rel=0.15)
    assert math.copysign(1.0, f["end_slope"]) == -math.copysign(1.0, height)
    assert f["end_slope"] == pytest.approx(-f["onset_slope"], rel=0.01)
    assert f["sag"] == pytest.approx(0.0, abs=1e-2)
    assert f["after_30_ms"] == pytest.approx(height - exponential_mean(20, 40, height, tau), abs=0.02 * abs(height))
    assert f["after_250_ms"] == pytest.approx(height - exponential_mean(220, 280, height, tau), abs=0.01)
    assert (f["spike_count"], f["late_count"], f["spikes_before"], f["rebound_spikes"]) == (0, 0, 0, 0)


def test_the_shape_of_a_spike_is_missing_where_there_is_none():
    f = measured(charging(10.0, 10.0))
    trains = {"latency", "first_isi", "second_isi", "last_isi", "isi_cv", "adaptation"}
    assert missing(f) == {*SPIKE, *LATER, *trains}


def test_the_passive_answer_is_missing_where_a_spike_hides_it():
    f = measured(firing([20.0, 120.0, 250.0, 450.0]))
    hidden = {"charging_time", "steady_deflection", "input_resistance", "sag", "deflection_30_ms", "deflection_100_ms"}
    assert missing(f) == hidden
    assert f["deflection_10_ms"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("time", [1, 3, 10, 30, 100])
def test_a_deflection_is_missing_where_a_spike_begins_in_its_window(time):
    # A spike of this shape begins 1.25 ms before its peak.
    inside, behind = (measured(firing([at * time + 1.25 + late])) for at, late in ((1.1, 0.0), (1.2, 0.4)))
    assert np.isnan(inside[f"deflection_{time}_ms"])
    assert np.isfinite(behind[f"deflection_{time}_ms"])
    assert behind["latency"] == pytest.approx(1.2 * time + 0.4, abs=0.15)


def test_a_train_has_its_times():
    times = np.array([31.3, 52.9, 80.1, 130.4, 190.6, 299.0, 420.7])
    f = measured(firing(times))
    intervals = np.diff(times)
    begin = times[0] - f["latency"]
    assert 0.9 < begin < 1.5
    assert f["spike_count"] == 7
    assert f["late_count"] == 2
    assert f["first_isi"] == pytest.approx(intervals[0], abs=0.02)
    assert f["second_isi"] == pytest.approx(intervals[1], abs=0.02)
    assert f["last_isi"] == pytest.approx(intervals[-1], abs=0.02)
    assert f["isi_cv"] == pytest.approx(intervals.std() / intervals.mean(), rel=1e-3)
    ratio = np.diff(intervals) / (intervals[1:] + intervals[:-1])
    assert f["adaptation"] == pytest.approx(ratio.mean(), rel=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_intervals_need_as_many_spikes_as_they_are_made_of(count):
    f = measured(firing(50.0 + 80.0 * np.arange(count)))
    there = {name: not np.isnan(f[name]) for name in ("first_isi", "last_isi", "second_isi", "isi_cv", "adaptation")}
    assert there == {
        "first_isi": count >= 2,
        "last_isi": count >= 2,
        "second_isi": count >= 3,
        "isi_cv": count >= 3,
        "adaptation": count >= 3,
    }
    assert (missing(f) >= set(LATER)) == (count < 2)
    assert not missing(f) & set(SPIKE) - set(LATER)


def test_spikes_are_counted_before_in_and_after_the_step():
    f = measured(firing([-150.0, -60.0, 30.0, 260.0, 400.0, 520.0, 600.0, 640.0, 700.0]))
    assert (f["spikes_before"], f["spike_count"], f["late_count"], f["rebound_spikes"]) == (2, 3, 2, 4)


def test_a_spike_belongs_to_the_step_in_which_it_peaks():
    f = measured(firing([40.0, DURATION + 0.3]))
    assert (f["spike_count"], f["rebound_spikes"]) == (1, 1)
    f = measured(firing([40.0, DURATION - 0.3]))
    assert (f["spike_count"], f["rebound_spikes"]) == (2, 0)


def test_the_rest_leaves_spikes_out():
    f = measured(firing([-30.0], height=110.0))
    # From 2 ms before the threshold to 20 ms after the peak, which holds the dip.
    assert f["rest"] == pytest.approx(REST, abs=1e-3)
    assert np.isnan([f["rest_noise"], f["rest_noise_fast"], f["rest_slope"]]).all()


def test_the_rest_is_missing_where_spikes_leave_less_than_10_ms_of_it():
    f = measured(firing([-48.0, -31.0, -14.0]))
    assert np.isnan(f["rest"])
    assert np.isnan([f["steady_deflection"], f["deflection_10_ms"], f["after_30_ms"], f["rebound"]]).all()
    assert np.isfinite([f["mean_voltage"], f["spike_count"]]).all()


def test_the_rest_is_that_of_the_last_50_ms():
    y = charging(10.0, 10.0)
    y[TIME < -50.0] += 7.0
    assert measured(y)["rest"] == pytest.approx(REST)


def test_noise_and_slope_of_the_rest_come_out():
    rng = np.random.default_rng(3)
    rows = [measured(charging(0.0, 10.0) + 0.03 * TIME + rng.normal(0, 0.2, len(TIME))) for _ in range(40)]
    for name, wanted in {"rest_noise": 0.2, "rest_noise_fast": 0.2, "rest_slope": 30.0}.items():
        values = np.array([f[name] for f in rows])
        assert values.mean() == pytest.approx(wanted, rel=0.02)
    # A slow wander is noise, and not fast noise.
    wander = measured(charging(0.0, 10.0) + 0.5 * np.sin(2 * np.pi * TIME / 25.0))
    assert wander["rest_noise"] == pytest.approx(0.5 / math.sqrt(2), rel=0.1)
    assert wander["rest_noise_fast"] < 0.03


def test_sag_and_rebound_are_what_falls_back():
    tau, height, sag = 10.0, -20.0, 6.0
    # An overshoot of 6 mV that decays with 60 ms, and its mirror image after the step.
    extra = np.where(TIME >= 0, (1 - np.exp(-np.maximum(TIME, 0) / 5.0)) * np.exp(-np.maximum(TIME, 0) / 60.0), 0.0)
    after = np.maximum(TIME - DURATION, 0)
    rebound = np.where(TIME >= DURATION, (1 - np.exp(-after / 5.0)) * np.exp(-after / 60.0), 0.0)
    base = charging(height, tau)
    y = base - 3 * sag * extra + 3 * sag * rebound
    f = measured(y, amplitude=-100.0)
    smooth = np.convolve(y, np.ones(100) / 100, "valid")
    lowest = smooth[(TIME[:-99] >= 0) & (TIME[:-99] < DURATION - 5)].min()
    highest = smooth[(TIME[:-99] >= DURATION) & (TIME[:-99] < DURATION + 145)].max()
    steady = y[(TIME >= 400) & ON].mean()
    assert f["steady_deflection"] == pytest.approx(steady - REST, abs=1e-6)
    assert f["sag"] == pytest.approx(steady - lowest, abs=1e-3)
    assert f["sag"] > 5.0
    assert f["rebound"] == pytest.approx(highest - REST, abs=1e-3)
    assert f["rebound"] > 5.0


def test_a_bridge_error_shows_as_a_jump_at_both_ends():
    y = charging(10.0, 20.0) + 4.0 * ON
    f = measured(y)
    early = exponential_mean(0.25, 0.5, 10.0, 20.0)
    assert f["onset_jump"] == pytest.approx(4.0 + early, abs=0.02)
    assert f["end_jump"] == pytest.approx(-4.0 - early, abs=0.03)
    assert f["spike_count"] == 0


def test_moments_are_those_of_the_step():
    rng = np.random.default_rng(4)
    y = REST + rng.gamma(2.0, 3.0, len(TIME)) * 0.1
    f = measured(y)
    d = y[ON] - y[ON].mean()
    assert f["mean_voltage"] == pytest.approx(y[ON].mean())
    assert f["voltage_sd"] == pytest.approx(y[ON].std())
    assert f["voltage_skewness"] == pytest.approx(np.mean(d**3) / d.std() ** 3)
    assert f["voltage_kurtosis"] == pytest.approx(np.mean(d**4) / d.std() ** 4)


def test_later_spikes_are_means_and_changes_are_last_less_first():
    y = firing([50.0])
    for at, height, sigma in ((150.0, 90.0, 0.5), (260.0, 80.0, 0.6), (400.0, 70.0, 0.7)):
        y = firing([at], base=y, height=height, sigma=sigma)
    f = measured(y)
    assert f["peak"] == pytest.approx(REST + 100.0, abs=0.3)
    assert f["later_peak"] == pytest.approx(REST + 80.0, abs=0.3)
    assert f["peak_change"] == pytest.approx(-30.0, abs=0.5)
    # Half-way from the threshold, which lies above the foot: a little narrower than half-way from the foot.
    assert f["half_width_change"] == pytest.approx(0.25 * 2 * math.sqrt(2 * math.log(2)) - 0.03, abs=0.03)
    assert f["later_half_width"] > f["half_width"]
    assert f["later_upstroke"] < f["upstroke"]


@pytest.mark.parametrize(
    ("tail", "there"),
    [
        (10.0, set()),
        (60.0, {"after_30_ms"}),
        (150.0, {"after_30_ms", "after_100_ms", "rebound"}),
        (300.0, {"after_30_ms", "after_100_ms", "after_250_ms", "rebound"}),
    ],
)
def test_what_the_tail_does_not_reach_is_missing(tail, there):
    y = charging(10.0, 10.0)[: round((ONSET + DURATION + tail) * RATE)]
    f = measured(y, tail=tail)
    names = {"after_30_ms", "after_100_ms", "after_250_ms", "rebound"}
    assert names - missing(f) == there
    assert f["rebound_spikes"] == 0


def test_a_window_that_is_not_complete_yet_is_missing():
    y = firing([180.0, 350.0], base=charging(8.0, 10.0))
    complete = {
        "rest": ONSET,
        "onset_jump": ONSET + 0.5,
        "onset_slope": ONSET + 5.0,
        "deflection_1_ms": ONSET + 1.2,
        "deflection_3_ms": ONSET + 3.6,
        "deflection_10_ms": ONSET + 12.0,
        "deflection_30_ms": ONSET + 36.0,
        "deflection_100_ms": ONSET + 120.0,
        "spike_count": ONSET + DURATION,
        "latency": ONSET + DURATION,
        "threshold": ONSET + DURATION,
        "mean_voltage": ONSET + DURATION,
        "end_jump": ONSET + DURATION + 0.5,
        "end_slope": ONSET + DURATION + 5.0,
        "after_30_ms": ONSET + DURATION + 40.0,
        "after_100_ms": ONSET + DURATION + 120.0,
        "rebound": ONSET + DURATION + 150.0,
        "after_250_ms": ONSET + DURATION + 280.0,
        "rebound_spikes": ONSET + DURATION + TAIL,
    }
    for name, time in complete.items():
        assert np.isnan(measured(y, n=round(time * RATE) - 1)[name]), name
        assert measured(y, n=round(time * RATE))[name] == measured(y)[name], name


def batch(rows, rate=20.0):
    rows = np.asarray(rows, dtype=np.float32)
    full = [np.full(len(rows), x) for x in (rate, ONSET, DURATION, TAIL, 50.0)]
    counts, which = np.full(len(rows), rows.shape[1]), np.zeros(len(rows), dtype=np.int64)
    return measure_all(rows, counts, full[0], weights(rate)[None], which, *full[1:])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, LIMIT + 1.0, -LIMIT - 1.0])
def test_a_sweep_that_no_membrane_makes_is_not_measured(wrong):
    rows = np.stack([charging(10.0, 10.0)] * 3)
    rows[1, 7777] = wrong
    values = batch(rows)
    assert np.isnan(values[1]).all()
    assert np.isfinite(values[0, NAMES.index("rest")])
    np.testing.assert_array_equal(values[0], values[2])


def test_a_steeper_filter_of_another_sweep_changes_nothing():
    # The tables of a batch are padded to the width of the widest.
    rows = np.stack([firing([30.0, 77.7]), charging(10.0, 10.0)]).astype(np.float32)
    narrow, wide = weights(20.0), weights(50.0)
    padded = np.pad(narrow, ((0, 0), ((wide.shape[1] - narrow.shape[1]) // 2,) * 2))
    full = [np.full(2, x) for x in (20.0, ONSET, DURATION, TAIL, 50.0)]
    counts, which = np.full(2, rows.shape[1]), np.zeros(2, dtype=np.int64)
    wider = measure_all(rows, counts, full[0], np.stack([padded, wide]), which, *full[1:])
    np.testing.assert_array_equal(batch(rows), wider)


def test_the_catalogue_says_everything_about_a_feature():
    assert len(set(NAMES)) == len(FEATURES) == len(measured(charging(1.0, 10.0)))
    for feature in FEATURES:
        assert feature.unit
        assert feature.meaning.endswith(".")
        assert feature.spread in ("linear", "log")


def test_what_is_shown_as_a_logarithm_is_never_below_zero():
    rng = np.random.default_rng(5)
    for _ in range(30):
        times = np.sort(rng.uniform(-150.0, 780.0, rng.integers(0, 25)))
        y = firing(times, base=charging(rng.uniform(-20, 20), rng.uniform(2, 60))) + rng.normal(0, 0.2, len(TIME))
        f = measured(y, amplitude=rng.uniform(-100, 100))
        for feature in FEATURES:
            if feature.spread == "log" and not np.isnan(f[feature.name]):
                assert f[feature.name] >= 0, feature.name
