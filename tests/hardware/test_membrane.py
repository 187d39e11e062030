import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.membrane import Membrane, membrane
from hardware.pulse import CURRENT, VOLTAGE, Pulse, PulseError
from hardware.stage import stage_of
from simulators.electrode import IDEAL, Electrode
from simulators.passive import Passive

SEEN = Electrode(series=12.0, corner=6.0, white=0.05, white_current=2.0)


def probed(pulse, C, resistance, electrode=IDEAL, rate=50.0, seed=0, **how):
    """Test a cell of which everything is known."""
    theta = np.array([[C, 1e3 / resistance, -70.0]])
    response = Passive(electrode=electrode).simulate(theta, pulse.stimulus(), rate, np.random.default_rng(seed))[0]
    return membrane(pulse, response, rate, **how)


@settings(max_examples=20)
@given(C=st.floats(50.0, 150.0), resistance=st.floats(40.0, 1500.0), series=st.floats(5.0, 25.0))
def test_a_clamped_membrane_is_read_to_one_percent(C, resistance, series):
    found = probed(VOLTAGE, C, resistance, replace(IDEAL, series=series))
    assert found.access == pytest.approx(series, rel=0.01)
    assert found.resistance == pytest.approx(resistance, rel=0.01)
    assert found.capacitance == pytest.approx(C, rel=0.01)
    assert found.holding == pytest.approx(0.0, abs=1.0)
    assert stage_of(found) == "whole cell"


@settings(max_examples=20)
@given(C=st.floats(15.0, 200.0), tau=st.floats(3.0, 35.0), bridge=st.floats(-10.0, 10.0))
def test_an_unclamped_membrane_is_read_to_two_percent_and_the_bridge_with_it(C, tau, bridge):
    resistance = 1e3 * tau / C
    found = probed(CURRENT, C, resistance, replace(IDEAL, bridge=bridge), 20.0)
    assert found.resistance == pytest.approx(resistance, rel=0.02)
    assert found.capacitance == pytest.approx(C, rel=0.02)
    assert found.tau == pytest.approx(tau, rel=0.02)
    assert found.access == pytest.approx(bridge, abs=0.5 + 0.01 * resistance)
    assert found.potential == pytest.approx(-70.0, abs=2e-4 * resistance)


@pytest.mark.parametrize("rate", [20.0, 50.0])
def test_noise_and_a_filter_move_neither_access_nor_membrane(rate):
    clamped = probed(VOLTAGE, 100.0, 150.0, SEEN, rate, corner=6.0)
    assert clamped.access == pytest.approx(12.0, rel=0.02)
    assert clamped.capacitance == pytest.approx(100.0, rel=0.02)
    assert clamped.resistance == pytest.approx(150.0, rel=0.05)
    free = probed(CURRENT, 100.0, 150.0, SEEN, rate, corner=6.0)
    assert free.resistance == pytest.approx(150.0, rel=0.03)
    assert free.capacitance == pytest.approx(100.0, rel=0.05)
    assert free.access == pytest.approx(0.0, abs=2.0)


def test_what_the_bridge_takes_off_is_added_to_what_it_leaves():
    left = probed(CURRENT, 100.0, 150.0, replace(IDEAL, bridge=3.0), bridge=12.0)
    assert left.access == pytest.approx(15.0, abs=0.3)


def test_a_membrane_that_is_held_tells_the_current_and_the_voltage_of_its_rest():
    depolarized = probed(replace(VOLTAGE, holding=-60.0), 100.0, 100.0, replace(IDEAL, series=10.0))
    assert depolarized.holding == pytest.approx(10.0 / 0.11, rel=1e-3)
    assert depolarized.potential == -60.0
    held = probed(replace(CURRENT, holding=-50.0), 100.0, 100.0)
    assert held.potential == pytest.approx(-75.0, abs=0.1)
    assert held.holding == -50.0


def ohmic(resistance, noise=1.0, seed=0):
    """The current of a pipette that ends in nothing but a resistance."""
    command = VOLTAGE.stimulus().command(20.0) - VOLTAGE.holding
    return 1e3 * command / resistance + np.random.default_rng(seed).normal(0.0, noise, len(command))


@pytest.mark.parametrize(
    ("resistance", "stage"), [(5.0, "bath"), (200.0, "sealing"), (3000.0, "seal"), (-4000.0, "seal")]
)
def test_without_a_membrane_that_charges_the_resistance_tells_the_stage(resistance, stage):
    found = membrane(VOLTAGE, ohmic(resistance), 20.0)
    assert found.resistance == pytest.approx(resistance, rel=0.05)
    assert math.isnan(found.access) and math.isnan(found.capacitance) and math.isnan(found.tau)
    assert stage_of(found) == stage


def test_a_cell_that_takes_a_nanoampere_to_hold_is_lost():
    held = Membrane("voltage", 12.0, 30.0, 80.0, 0.5, -1200.0, -70.0, 0.99)
    assert stage_of(held) == "lost"
    assert stage_of(replace(held, holding=-80.0)) == "whole cell"


def test_samples_that_are_missing_give_no_membrane():
    found = membrane(VOLTAGE, np.full(VOLTAGE.stimulus().samples(20.0), np.nan), 20.0)
    assert math.isnan(found.access) and math.isnan(found.resistance)


def test_pulses_are_averaged_one_over_the_other():
    pulse = Pulse("current", -10.0, 1.0, 2.0, 1.0, repeats=3)
    one = np.arange(80.0)
    averaged = pulse.averaged(np.concatenate([one, one + 3.0, one + 6.0]), 20.0)
    np.testing.assert_allclose(averaged, one + 3.0)
    with pytest.raises(PulseError, match="239 samples; 240 at 20 kHz were wanted"):
        pulse.averaged(np.zeros(239), 20.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 0.0}, "pulse is 0 mV; one of at most 20 mV"),
        ({"size": -50.0}, "pulse is -50 mV"),
        ({"clamp": "current", "size": 500.0}, "pulse is 500 pA; one of at most 100 pA"),
        ({"size": math.nan}, "pulse is nan mV"),
        ({"duration": 0.0}, "lasts 5 \\+ 0 \\+ 35 ms"),
        ({"repeats": 0}, "0 times"),
        ({"holding": math.inf}, "starts from inf mV"),
    ],
)
def test_a_pulse_that_no_test_should_play_is_refused(changes, words):
    with pytest.raises(PulseError, match=words):
        replace(VOLTAGE, **changes)
