from dataclasses import replace

import numpy as np
import pytest

from hardware.forepulse import membrane_before, with_forepulse
from hardware.pulse import PulseError
from simulators.electrode import IDEAL
from simulators.passive import Passive
from simulators.stimulus import Dose, Epoch, Stimulus, step
from simulators.sweep import Junction, Sweep

RATE = 20.0
STEP = step(100.0, holding=-30.0, onset=100.0, duration=200.0, tail=50.0)


def played(stimulus, *, bridge=0.0, corrected=0.0, junction=0.0, noise=0.0):
    """A sweep of a cell of 100 pF and 150 MOhm that rests at -70 mV."""
    cell = Passive(electrode=replace(IDEAL, bridge=bridge, junction=junction))
    response = cell.simulate(np.array([[100.0, 1e3 / 150.0, -70.0]]), stimulus, RATE, np.random.default_rng(0))[0]
    response = response + np.random.default_rng(1).normal(0.0, noise, len(response))
    told = Junction("uncorrected", junction) if junction else Junction("corrected")
    return Sweep(response, RATE, stimulus, stimulus.command(RATE), junction=told, bridge=corrected)


def test_the_step_and_what_follows_stay_as_they_were():
    longer = with_forepulse(STEP, -20.0, 100.0, 150.0)
    assert (longer.amplitude, longer.holding, longer.step_duration, longer.tail) == (100.0, -30.0, 200.0, 50.0)
    assert longer.epochs[:3] == (Epoch(-30.0, 50.0), Epoch(-50.0, 100.0), Epoch(-30.0, 150.0))
    assert longer.epochs[3:] == STEP.epochs[1:]


def test_the_cell_has_as_long_before_the_step_as_the_longer_of_both_says():
    assert with_forepulse(STEP, -20.0, 100.0, 50.0).baseline == 100.0


def test_a_virtual_drug_before_the_step_stays_before_it():
    dose = (Dose("g_M", 0.0),)
    drugged = Stimulus("current", (Epoch(0.0, 100.0, dose), Epoch(50.0, 100.0, dose)))
    assert with_forepulse(drugged, -20.0, 100.0, 150.0).epochs[2].doses == dose


def test_every_sweep_tells_its_membrane_bridge_and_rest():
    found = membrane_before(played(with_forepulse(STEP, -20.0, 100.0, 150.0), bridge=8.0, noise=0.05))
    assert found.resistance == pytest.approx(150.0, rel=0.02)
    assert found.capacitance == pytest.approx(100.0, rel=0.03)
    assert found.access == pytest.approx(8.0, abs=1.0)
    assert found.potential == pytest.approx(-70.0 - 30.0 * 0.158, abs=0.1)
    assert found.holding == -30.0


def test_what_is_known_of_bridge_and_junction_is_taken_off_before():
    found = membrane_before(
        played(with_forepulse(STEP, -20.0, 100.0, 150.0), bridge=8.0, corrected=0.008, junction=12.0)
    )
    assert found.access == pytest.approx(0.0, abs=0.3)
    assert found.potential == pytest.approx(-70.0 - 30.0 * 0.15, abs=0.1)


@pytest.mark.parametrize(
    "stimulus",
    [
        STEP,
        Stimulus("current", (Epoch(0.0, 50.0), Epoch(-150.0, 100.0), Epoch(0.0, 150.0), Epoch(50.0, 100.0)), 3),
        Stimulus("current", (Epoch(0.0, 50.0), Epoch(-20.0, 100.0), Epoch(10.0, 150.0), Epoch(50.0, 100.0)), 3),
        Stimulus("current", (Epoch(0.0, 50.0), Epoch(-20.0, 5.0), Epoch(0.0, 150.0), Epoch(50.0, 100.0)), 3),
        Stimulus("current", (Epoch(0.0, 50.0), Epoch(-20.0, 100.0), Epoch(0.0, 60.0), Epoch(50.0, 100.0)), 3),
    ],
    ids=["no pulse", "a prepulse", "another holding", "a blip", "no recovery"],
)
def test_what_is_no_small_pulse_with_its_recovery_is_not_read_as_one(stimulus):
    assert membrane_before(played(stimulus)) is None


def test_a_sweep_with_samples_missing_from_the_pulse_is_not_tested():
    sweep = played(with_forepulse(STEP, -20.0, 100.0, 150.0))
    broken = sweep.response.copy()
    broken[500:600] = np.nan
    assert membrane_before(replace(sweep, response=broken)) is None
    assert membrane_before(replace(sweep, stimulus=None)) is None


def test_a_pulse_that_no_test_should_play_is_refused():
    with pytest.raises(PulseError, match="pulse is -200 pA"):
        with_forepulse(STEP, -200.0, 100.0, 150.0)
