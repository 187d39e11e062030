from dataclasses import replace

import numpy as np
import pytest

from hardware.epochs import plateaus
from hardware.family import NoStepError, observe
from hardware.recording import RecordedSweep

RATE = 10.0


def sweeps(*commands):
    return [RecordedSweep(k, np.full(c.size, -70.0), RATE, c) for k, c in enumerate(commands)]


def command(levels, milliseconds):
    return np.repeat(np.asarray(levels, dtype=float), (np.asarray(milliseconds) * RATE).astype(int))


def family(members, epoch=None):
    return observe(members, [plateaus(s.command, s.rate) for s in members], epoch)


def test_the_first_epoch_that_varies_is_observed():
    lengths = [100, 300, 200, 300, 100]
    found = family(sweeps(*(command([0, -50, 0, a, 0], lengths) for a in (-20, 0, 20, 40))))
    assert found.observed == 3
    assert set(found.steps) == {(6000, 9000)}


def test_a_sweep_of_0_pA_is_observed_where_the_others_have_the_step():
    found = family(sweeps(*(command([0, a, 0], [100, 300, 200]) for a in (-50, 0, 50))))
    assert found.steps == ((1000, 4000),) * 3
    assert found.epochs[1].levels == (-50, 0, 50)


def test_where_no_epoch_varies_the_longest_step_is_observed():
    found = family(sweeps(command([0, -20, 0, 130, 0, 40, 0], [100, 50, 100, 500, 900, 100, 100])))
    assert (found.observed, found.steps) == (3, ((2500, 7500),))


def test_a_long_rest_after_the_step_is_not_the_step():
    assert family(sweeps(command([-10, 90, -10], [100, 200, 5000]))).observed == 1


def test_a_step_that_begins_later_in_each_sweep_is_followed():
    members = sweeps(*(command([0, a, 0], [100 + 20 * k, 300, 400 - 20 * k]) for k, a in enumerate((30, 60, 90))))
    assert family(members).steps == ((1000, 4000), (1200, 4200), (1400, 4400))


def test_an_edge_moved_by_noise_in_one_sweep_is_put_back():
    members = sweeps(*(command([0, a, 0], [100, 300, 100]) for a in (10, 20, 30)))
    found = [plateaus(s.command, s.rate) for s in members]
    first, second, third = found[1]
    found[1] = (replace(first, stop=1035), replace(second, start=1035), third)
    assert observe(members, found).steps == ((1000, 4000),) * 3


@pytest.mark.parametrize("levels", [[0, 0, 0], [40, 40, 40]])
def test_a_constant_current_is_no_step(levels):
    with pytest.raises(NoStepError, match="No step"):
        family(sweeps(command(levels, [100, 100, 100])))


def test_a_pulse_shorter_than_20_ms_is_no_step():
    with pytest.raises(NoStepError, match="at least 20 ms"):
        family(sweeps(command([0, 500, 0], [100, 10, 100])))


def test_a_test_pulse_beside_a_train_of_large_pulses_is_no_step():
    train = command([0, -50, *[0, 2500] * 5, 0], [100, 100, *[100, 2] * 5, 100])
    with pytest.raises(NoStepError, match="give --epoch 1"):
        family(sweeps(train))
    assert family(sweeps(train), epoch=1).steps == ((1000, 2000),)


@pytest.mark.parametrize("epoch", [0, 3, -1])
def test_an_epoch_that_is_not_there_is_refused_with_the_choices(epoch):
    with pytest.raises(NoStepError, match=r"1: 100\.0-400\.0 ms at 50 pA; 2: 400\.0-600\.0 ms at 0 pA"):
        family(sweeps(command([0, 50, 0], [100, 300, 200])), epoch)
