import math

import numpy as np
import pytest

from rig_plugin.trial import Posterior
from rig_plugin.widgets.conductance import has_dendrite, is_density, total_capacitance, whole_cell
from rig_plugin.widgets.density import BINS, drawn, position, prior, value
from rig_plugin.widgets.envelope import envelope
from rig_plugin.widgets.number import clock, fixed, places, significant, space, with_unit
from simulators.parameter import Parameter

LINEAR = Parameter("V_T", "mV", -80.0, -40.0)
LOG = Parameter("C", "pF", 15.0, 400.0, "log")
NORMAL = Parameter("offset", "mV", -8.0, 8.0, "normal")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(52, 71, 0), (60.3, 62.1, 1), (0.05, 0.13, 2), (1100, 1900, -2), (-1.5, 0.5, 1), (0.9951, 1.0052, 3)],
)
def test_an_interval_decides_how_many_digits_it_deserves(low, high, expected):
    assert places(low, high) == expected


def test_an_interval_without_width_still_gets_digits():
    assert places(1.0, 1.0) == 2
    assert places(math.nan, 1.0) == 2


def test_missing_numbers_are_a_dash():
    assert fixed(math.nan, 1) == significant(math.inf) == "–"


def test_zero_has_no_sign():
    assert fixed(-0.04, 1) == "0.0"


@pytest.mark.parametrize(("number", "text"), [(-68.237, "−68.2"), (0.00123456, "0.00123"), (7.0, "7"), (0.0, "0")])
def test_three_digits_are_significant(number, text):
    assert significant(number) == text


def test_units_are_left_out_where_there_is_none():
    assert with_unit("0.95", "1") == "0.95"
    assert with_unit("61", "pF") == "61 pF"


def test_times_and_spaces_are_short():
    assert clock(3661.0) == "01:01:01"
    assert space(4_200_000_000) == "4.2 GB"


@pytest.mark.parametrize("parameter", [LINEAR, LOG, NORMAL], ids=lambda p: p.scale)
def test_the_axis_runs_from_the_lower_to_the_upper_bound(parameter):
    ends = position(parameter, np.array([parameter.low, parameter.high]))
    np.testing.assert_allclose(ends, [0.0, 1.0], atol=1e-12)
    assert value(parameter, float(position(parameter, np.array(parameter.low * 0.7 + parameter.high * 0.3)))) == (
        pytest.approx(parameter.low * 0.7 + parameter.high * 0.3)
    )


@pytest.mark.parametrize("parameter", [LINEAR, LOG, NORMAL], ids=lambda p: p.scale)
def test_draws_from_the_prior_look_like_the_prior(parameter):
    draws = parameter.constrain(np.random.default_rng(1).normal(size=20_000))
    np.testing.assert_allclose(drawn(parameter, draws), prior(parameter), atol=0.35)


@pytest.mark.parametrize("parameter", [LINEAR, LOG, NORMAL], ids=lambda p: p.scale)
def test_a_density_has_its_peak_where_the_draws_are_and_a_mean_of_one(parameter):
    draws = parameter.constrain(np.random.default_rng(2).normal(0.5, 0.1, size=2_000))
    density = drawn(parameter, draws)
    assert density.mean() == pytest.approx(1.0)
    peak = (float(np.argmax(density)) + 0.5) / BINS
    assert peak == pytest.approx(float(np.median(position(parameter, draws))), abs=0.03)


def test_draws_that_are_all_alike_have_a_density():
    assert np.isfinite(drawn(LOG, np.full(100, 61.0))).all()


def test_a_conductance_is_multiplied_by_the_capacitance_of_its_own_draw(scripted):
    posterior = scripted.posterior(3, np.random.default_rng(3))
    expected = posterior.draws[:, 4] * posterior.draws[:, 0]
    np.testing.assert_array_equal(whole_cell(posterior, "g_M"), expected)
    assert np.median(expected) == pytest.approx(0.07 * 61.0, rel=0.5)


def test_nanosiemens_need_a_density_and_a_capacitance(scripted):
    g_M = scripted.parameters[4]
    assert is_density(g_M, scripted.parameters)
    assert not is_density(scripted.parameters[6], scripted.parameters)
    assert not is_density(g_M, scripted.parameters[1:])


def test_a_dendrite_adds_its_capacitance_and_its_leak_and_nothing_else(scripted):
    plain = scripted.posterior(3, np.random.default_rng(3))
    ratio = np.random.default_rng(4).uniform(0.5, 2.0, len(plain.draws))
    parameters = (*plain.parameters, Parameter("dendrite_ratio", "1", 0.3, 3.0), Parameter("coupling", "nS", 2.0, 60.0))
    wide = Posterior(parameters, np.column_stack([plain.draws, ratio, ratio]))
    C, g_leak = plain.draws[:, 0], plain.draws[:, 1]
    assert has_dendrite(wide.parameters) and not has_dendrite(plain.parameters)
    np.testing.assert_allclose(total_capacitance(wide), C * (1.0 + ratio))
    np.testing.assert_array_equal(total_capacitance(plain), C)
    np.testing.assert_allclose(whole_cell(wide, "g_leak"), g_leak * C * (1.0 + ratio))
    for name in ("g_Na", "g_M"):
        np.testing.assert_array_equal(whole_cell(wide, name), whole_cell(plain, name))


def test_an_envelope_keeps_every_spike_and_few_points():
    samples = np.zeros(100_000)
    samples[[5_000, 50_001, 99_998]] = 40.0
    times, values = envelope(samples, 20.0, 0.0, 5_000.0, 800)
    assert values.size < 2 * 800 + 200
    np.testing.assert_allclose(times[values == 40.0], [250.0, 2500.05, 4999.9], atol=7.0)


def test_an_envelope_of_few_samples_is_the_samples():
    samples = np.arange(100.0)
    times, values = envelope(samples, 20.0, 0.0, 5.0, 800)
    np.testing.assert_array_equal(values, samples)
    np.testing.assert_allclose(times, np.arange(100) / 20.0)


def test_an_envelope_holds_what_is_visible_only():
    times, _ = envelope(np.zeros(100_000), 20.0, 1_000.0, 1_100.0, 5_000)
    assert times[0] == pytest.approx(1_000.0, abs=0.2)
    assert times[-1] == pytest.approx(1_100.0, abs=0.2)


def test_nothing_is_visible_beyond_the_end():
    times, values = envelope(np.zeros(100), 20.0, 50.0, 60.0, 100)
    assert times.size == values.size == 0
