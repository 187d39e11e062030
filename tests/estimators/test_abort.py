import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from estimators.abort import AbortRule, AbortRuleError, upper_bound
from estimators.features import NAMES

RATE = 10.0


def broken(trace, spikes=0.0, **bounds):
    """Ask of one sweep, behind which lies what is not its own."""
    samples = np.full((1, len(trace) + 100), 400.0, dtype=np.float32)
    samples[0, : len(trace)] = trace
    features = np.full((1, len(NAMES)), np.nan)
    features[0, NAMES.index("spike_count")] = spikes
    return bool(AbortRule(**bounds).breaks(samples, np.array([len(trace)]), RATE, features)[0])


def stretch(level, milliseconds):
    trace = np.full(3000, -70.0)
    trace[1000 : 1000 + round(milliseconds * RATE)] = level
    return trace


@pytest.mark.parametrize(
    ("level", "milliseconds", "aborts"),
    [
        (-5.0, 50.0, True),
        (-5.0, 49.9, False),
        (-15.0, 200.0, False),
        (-121.0, 5.0, True),
        (-121.0, 4.9, False),
        (-119.0, 200.0, False),
        (151.0, 0.1, True),
        (-151.0, 0.1, True),
        (np.nan, 0.1, True),
        (149.0, 1.0, False),
    ],
)
def test_a_sweep_is_aborted_exactly_where_the_bounds_have_it(level, milliseconds, aborts):
    assert broken(stretch(level, milliseconds)) is aborts


def test_two_short_stretches_are_not_a_long_one():
    trace = stretch(-5.0, 30.0)
    trace[2000:2300] = -5.0
    assert not broken(trace)


def test_one_spike_more_than_the_most_aborts():
    assert not broken(stretch(-70.0, 1.0), spikes=20, max_spikes=20)
    assert broken(stretch(-70.0, 1.0), spikes=21, max_spikes=20)


@given(st.integers(0, 40), st.integers(1, 400), st.sampled_from([0.9, 0.95]))
def test_the_bound_is_the_share_at_which_so_few_would_be_a_rarity(aborted, draws, confidence):
    bound = upper_bound(aborted, draws, confidence)
    if aborted >= draws:
        assert bound == 1.0
    else:
        assert binom.cdf(aborted, draws, bound) == pytest.approx(1.0 - confidence, rel=1e-6)


def test_no_draw_aborting_it_takes_149_draws_to_admit_at_two_percent():
    rule = AbortRule()
    assert rule.fewest == 149
    assert upper_bound(0, 149, rule.confidence) < rule.share < upper_bound(0, 148, rule.confidence)


@pytest.mark.parametrize(
    "bounds", [{"above": -130.0}, {"beyond": np.nan}, {"max_spikes": 0}, {"below_for": 0.0}, {"share": 0.0}]
)
def test_bounds_that_make_no_sense_are_refused(bounds):
    with pytest.raises(AbortRuleError, match="wanted"):
        AbortRule(**bounds)
