import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.epochs import largest_pulse, middle_mean, plateaus

RATE = 20.0


def table(found):
    return [(p.start, p.stop, p.level) for p in found]


def test_an_exact_command_is_cut_at_each_change():
    command = np.repeat([0.0, -100.0, 0.0, 35.0, 0.0], [468, 6000, 10000, 10000, 3532])
    assert table(plateaus(command, RATE)) == [
        (0, 468, 0.0),
        (468, 6468, -100.0),
        (6468, 16468, 0.0),
        (16468, 26468, 35.0),
        (26468, 30000, 0.0),
    ]


@settings(max_examples=30, deadline=None)
@given(
    amplitude=st.floats(5, 1000) | st.floats(-1000, -5),
    onset=st.integers(200, 8000),
    duration=st.integers(400, 8000),
    seed=st.integers(0, 1000),
)
def test_a_step_in_a_noisy_current_is_found(amplitude, onset, duration, seed):
    rng = np.random.default_rng(seed)
    command = np.repeat([20.0, 20.0 + amplitude, 20.0], [onset, duration, 4000]) + rng.normal(
        0, 0.5, onset + duration + 4000
    )
    before, step, after = plateaus(command, RATE)
    assert step.start == pytest.approx(onset, abs=3)
    assert step.stop == pytest.approx(onset + duration, abs=3)
    assert step.level - before.level == pytest.approx(amplitude, abs=0.3)
    assert before.constant
    assert step.constant
    assert after.constant


def test_the_artefacts_of_spikes_are_no_steps():
    rng = np.random.default_rng(1)
    command = np.repeat([50.0, 25.0, 50.0], [1600, 20000, 8400]) + rng.normal(0, 2.5, 30000)
    for k in range(2000, 28000, 1500):
        command[k : k + 20] += 400.0
        command[k + 20 : k + 40] -= 400.0
    assert [p.level for p in plateaus(command, RATE)] == pytest.approx([50, 25, 50], abs=0.5)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_ramp_is_not_constant(noise):
    command = np.concatenate([np.zeros(4000), np.linspace(0, 300, 8000), np.zeros(4000)])
    command += np.random.default_rng(1).normal(0, noise, command.size) * (noise > 0)
    assert not all(p.constant for p in plateaus(command, RATE))


def test_hum_alone_is_no_step():
    command = 3 * np.sin(2 * np.pi * 0.05 * np.arange(20000) / RATE)
    assert len(plateaus(command, RATE)) == 1


def test_an_edge_of_a_few_samples_is_one_change():
    command = np.concatenate([np.zeros(2000), [10.0, 60.0, 90.0], np.full(4000, 100.0)])
    assert table(plateaus(command, RATE)) == [(0, 2001, 0.0), (2001, 6003, 100.0)]


def test_a_command_with_gaps_is_refused():
    with pytest.raises(ValueError, match="not numbers"):
        plateaus(np.array([0.0, np.nan]), RATE)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_highest_pulse_of_a_train_is_told(noise):
    command = np.zeros(40000)
    for k in range(10000, 30000, 1000):
        command[k : k + 40] = 2500.0
    command += np.random.default_rng(1).normal(0, noise, command.size) * (noise > 0)
    assert largest_pulse(command, plateaus(command, RATE), RATE) == pytest.approx(2500, rel=0.01)


def test_the_middle_mean_ignores_outliers():
    assert middle_mean(np.array([1.0, 2.0, 2.0, 1000.0])) == 2.0
