"""A single pulse is noise; the median of the last seven is quiet, and follows a changed access within a few sweeps."""

import numpy as np
import pytest

from rig_plugin.balance import ASSUMED, PULSES, balance


def sounds(rng, size, mean=1.3, noise=ASSUMED):
    return (mean + noise * rng.normal(size=size)).tolist()


def first_amber(pulses, start):
    """Count the pulses after a change until the bridge is called off."""
    told = [balance(pulses[: start + k]).is_off for k in range(1, len(pulses) - start + 1)]
    return told.index(True) + 1 if any(told) else len(told) + 1


def test_a_sound_bridge_is_hardly_ever_called_off_though_each_seventh_pulse_is():
    rng = np.random.default_rng(0)
    sessions = [sounds(rng, 40) for _ in range(60)]
    single = np.mean([abs(each) > 10.0 for pulses in sessions for each in pulses])
    median = np.mean([balance(pulses[: k + 1]).is_off for pulses in sessions for k in range(40)])
    assert 0.12 < single < 0.20
    assert median < 0.005


@pytest.mark.parametrize(("size", "within", "share"), [(25.0, 4, 0.8), (25.0, 5, 0.93), (-30.0, 4, 0.9)])
def test_a_changed_access_is_called_off_within_a_few_pulses(size, within, share):
    rng = np.random.default_rng(1)
    changed = [sounds(rng, 10, 0.0) + sounds(rng, 10, size) for _ in range(100)]
    assert np.mean([first_amber(pulses, 10) <= within for pulses in changed]) > share


def test_the_error_is_that_of_the_median_and_a_change_is_not_taken_for_noise():
    rng = np.random.default_rng(2)
    told = [balance(sounds(rng, 40, 0.0, 5.0)) for _ in range(300)]
    assert all(each.pulses == PULSES for each in told)
    assert np.median([each.error for each in told]) == pytest.approx(np.std([each.median for each in told]), rel=0.2)
    jumped = balance([0.1, -0.1, 0.2, 0.0, -0.1, 0.1, 40.0, 40.1, 39.9, 40.2, 40.0])
    assert jumped.median == 40.0 and jumped.error < 2.0 and jumped.is_off
    assert "+40 ± 2 MOhm (median of the last 7 pulses)" in jumped.alarm.said


def test_what_a_pulse_can_not_tell_is_left_out_and_the_newest_is_never_made_up():
    assert balance([]) is None and balance([1.0, float("nan")]) is None
    assert balance([1.0, float("nan"), 3.0]).pulses == 2
    first = balance([20.0])
    assert (first.median, first.error, first.is_off, first.alarm) == (20.0, ASSUMED, False, None)
    assert balance([22.0]).alarm.rule == "bridge"
