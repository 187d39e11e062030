import numpy as np
import pytest

from rig_plugin.quality import no_cell, no_voltage, warnings_of
from rig_plugin.trial import Posterior
from simulators.parameter import Parameter
from simulators.sweep import Junction, Sweep

GOOD = {"rest": -68.0, "rest_noise": 0.1, "peak": 30.0, "threshold": -45.0}
BRIDGE = (Parameter("bridge", "MOhm", -20.0, 20.0, "normal"),)


def sweep(**changes):
    return Sweep(np.zeros(10), 20.0, **({"junction": Junction("corrected"), "holding_source": "measured"} | changes))


def test_a_good_sweep_has_no_remark():
    assert warnings_of(sweep(), GOOD, Posterior(BRIDGE, np.zeros((9, 1)))) == []


def test_missing_features_are_no_fault():
    assert warnings_of(sweep(), dict.fromkeys(GOOD, float("nan")), None) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rest": -42.0}, "rest is -42.0 mV, above -50 mV"),
        ({"peak": -10.0}, "35 mV high, less than 40 mV"),
        ({"rest_noise": 0.8}, "noise is 0.80 mV, above 0.5 mV"),
    ],
)
def test_what_is_doubtful_is_said_with_value_and_bound(change, said):
    (told,) = warnings_of(sweep(), GOOD | change, None)
    assert said in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"junction": Junction()}, "junction potential is unknown"),
        ({"holding_source": "unknown"}, "E_leak is the effective one, at holding"),
    ],
)
def test_what_the_file_does_not_say_is_said(change, said):
    (told,) = warnings_of(sweep(**change), GOOD, None)
    assert said in told


@pytest.mark.parametrize(("off", "warned"), [(12.0, True), (-12.0, True), (8.0, False)])
def test_a_bridge_that_is_surely_off_is_said_with_its_size(off, warned):
    told = warnings_of(sweep(), GOOD, Posterior(BRIDGE, np.full((50, 1), off)))
    assert any(f"{off:.0f} MOhm" in sentence for sentence in told) == warned


@pytest.mark.parametrize("voltage", [np.nan, np.inf, -151.0, 1e4])
def test_no_membrane_has_such_a_voltage(voltage):
    response = np.full(100, -70.0)
    response[7] = voltage
    assert no_voltage(response).endswith(".")
    assert no_voltage(np.full(100, -70.0)) is None


def test_a_pipette_in_the_bath_is_no_cell():
    assert "0.0 mV, above -30 mV" in no_cell(0.0)
    assert no_cell(-40.0) is None
    assert no_cell(float("nan")) is None


@pytest.mark.parametrize(("value", "warned"), [(19.9, True), (0.0, False)])
def test_a_value_at_the_edge_of_its_prior_is_called_a_bound(value, warned):
    told = warnings_of(sweep(), GOOD, Posterior(BRIDGE, np.full((9, 1), value)))
    assert any("bridge lies at the edge of its prior" in sentence for sentence in told) is warned
