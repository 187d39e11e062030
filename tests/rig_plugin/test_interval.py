"""The interval between sweeps: kept from start to start, refused where it can't be, and too short once said."""

import numpy as np
import pytest

from rig_plugin import opening
from rig_plugin.interval import Interval, check_interval
from rig_plugin.settings import ProtocolSettings, RigSettings, Settings
from rig_plugin.toml_table import SettingsError
from rig_plugin.trial import Posterior
from simulators.gate_table import m_time_constant, pospischil_gates
from simulators.parameter import Parameter
from simulators.stimulus import step

STEP = step(50.0, onset=200.0, duration=500.0, tail=300.0)
TAU = Parameter("tau_max", "ms", 50.0, 6000.0, "log")
FACTOR = Parameter("rate_factor", "1", 0.1, 4.0, "log")


def believed(tau_max, rate_factor=None):
    given = [(TAU, tau_max)] + ([(FACTOR, rate_factor)] if rate_factor else [])
    return Posterior(tuple(p for p, _ in given), np.tile([value for _, value in given], (9, 1)))


@pytest.fixture(scope="module")
def network():
    return opening.network()


class Clock:
    """A clock that moves when something waits for it, or is told to."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


def test_sweeps_begin_an_interval_after_one_another_however_long_they_take(network, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("rig_plugin.interval.time", clock)
    protocol = ProtocolSettings(amplitudes=4 * (0.0,), onset=50.0, duration=200.0, tail=20.0)
    session = opening.attach(Settings(RigSettings(seed=1, pace="max"), protocol=protocol), network)
    interval, begun = session._interval, []
    interval._duration = 5000.0
    begin = interval.begin
    monkeypatch.setattr(interval, "begin", lambda: begun.append(clock.now) or begin())
    monkeypatch.setattr(session._gate, "_pause", clock.wait)
    for trial in session.trials():
        # A sweep, what is made of it and who is told take their time; once they take more than the interval.
        clock.now += 7.0 if trial.index == 1 else 1.5
    assert begun == [100.0, 105.0, 112.0, 117.0]


def test_a_simulated_cell_says_start_to_start_what_was_asked_for_and_never_begins_before_the_end(network):
    def starts(interval):
        protocol = ProtocolSettings(amplitudes=(0.0, 0.0), onset=50.0, duration=200.0, tail=20.0, interval=interval)
        trials = list(opening.attach(Settings(RigSettings(seed=1, pace="max"), protocol=protocol), network).trials())
        return (trials[1].sweep.start - trials[0].sweep.start).total_seconds()

    assert starts(5000.0) == 5.0
    assert starts(0.0) == pytest.approx(0.27)


def test_nothing_is_left_of_an_interval_before_the_first_sweep_nor_of_none():
    interval, none = Interval(3.6e6), Interval()
    assert (interval.left, none.left) == (0.0, 0.0)
    interval.begin()
    none.begin()
    assert 3500.0 < interval.left <= 3600.0
    assert none.left == 0.0


@pytest.mark.parametrize(
    ("duration", "is_alive", "said"),
    [
        (5000.0, True, None),
        (1999.0, True, "2 s at least"),
        (0.0, True, "2 s at least"),
        (0.0, False, None),
        (900.0, False, "longest sweep lasts 1 s"),
        (1000.0, False, None),
    ],
)
def test_an_interval_that_leaves_no_rest_or_no_time_is_refused(duration, is_alive, said):
    if said is None:
        check_interval(duration, [STEP], is_alive=is_alive)
        return
    with pytest.raises(SettingsError, match=said):
        check_interval(duration, [STEP], is_alive=is_alive)


def test_what_the_m_current_has_not_forgotten_is_said_once():
    interval = Interval(2000.0)
    assert interval.remark(None, -70.0) is None
    assert interval.remark(believed(4000.0), -70.0) is None
    # 6000 ms over 6.33 are .95 s at -70 mV, three times which are 2.8 s.
    said = interval.remark(believed(6000.0), -70.0)
    assert "about 0.95 s to settle at rest" in said and "every 2 s" in said and "set interval_s to 3" in said
    assert interval.remark(believed(6000.0), -70.0) is None


@pytest.mark.parametrize(
    ("interval", "posterior", "is_said"),
    [
        (Interval(2000.0), believed(3000.0, 0.5), True),
        (Interval(2000.0), believed(3000.0, 1.0), False),
        (Interval(2000.0, 0.4), believed(3000.0), True),
        (Interval(5000.0, 0.4), believed(3000.0), False),
        (Interval(), believed(6000.0, 0.1), False),
        (Interval(2000.0), Posterior((FACTOR,), np.ones((3, 1))), False),
    ],
)
def test_a_slower_bath_makes_a_slower_current_and_without_an_interval_nothing_is_said(interval, posterior, is_said):
    assert (interval.remark(posterior, -70.0) is not None) is is_said


def test_the_time_constant_is_that_of_the_gate():
    gate = pospischil_gates(-56.0, 800.0, 0.7)["p"]
    np.testing.assert_allclose(gate.tau, m_time_constant(gate.voltages, 800.0, 0.7), rtol=1e-12)
