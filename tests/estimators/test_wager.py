import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from estimators.wager import ALARM, Wager, payout


def session(ps):
    wager = Wager()
    for p in ps:
        wager = wager.after(float(p))
    return wager


def test_a_fair_bet_pays_one_on_average():
    # In -log p the integrand is smooth; below a millionth the payout is held, which takes a little of the mean.
    mean = quad(lambda t: payout(np.exp(-t)) * np.exp(-t), 0.0, np.log(1e6), limit=200)[0]
    assert 0.9 < mean <= 1.0
    assert mean + payout(1e-6) * 1e-6 <= 1.0


@given(st.floats(1e-5, 0.9999), st.floats(1e-5, 0.9999))
def test_a_smaller_p_value_pays_more(one, other):
    assert (payout(one) >= payout(other)) or one > other


def test_the_series_near_one_meets_the_quotient():
    assert payout(0.9991) == pytest.approx(payout(0.9989), rel=1e-3)
    assert payout(1.0) == 0.5


@pytest.mark.parametrize("sweeps", [10, 100])
def test_at_most_one_sound_cell_in_twenty_is_ever_an_alarm(sweeps):
    rng = np.random.default_rng(0)
    alarms = np.mean([session(rng.random(sweeps)).is_alarm for _ in range(4000)])
    assert alarms <= 0.05


def test_a_cell_whose_sweeps_are_all_somewhat_off_is_an_alarm_though_none_alone_would_be():
    assert session([0.03] * 10).is_alarm
    assert not session([0.03]).is_alarm


def test_an_alarm_is_not_taken_back():
    wager = session([1e-4, *[0.9] * 30])
    assert wager.capital < ALARM
    assert wager.is_alarm
    assert wager.sweeps == 31


def test_a_sweep_that_could_not_happen_is_an_alarm_at_once():
    assert session([0.0]).is_alarm


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(ValueError, match="from 0 to 1"):
        Wager().after(p)
