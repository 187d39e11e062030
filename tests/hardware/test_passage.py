import numpy as np
import pytest

from hardware.epochs import plateaus
from hardware.passage import cut
from hardware.recording import RecordedSweep

RATE = 10.0


def passage(levels, milliseconds, onset, end):
    command = np.repeat(np.asarray(levels, dtype=float), (np.asarray(milliseconds) * RATE).astype(int))
    sweep = RecordedSweep(4, np.full(command.size, -70.0), RATE, command)
    return cut(sweep, plateaus(command, RATE), round(onset * RATE), round(end * RATE))


def test_at_most_250_ms_before_and_300_ms_after_are_kept():
    found = passage([0, 50, 0], [1000, 500, 1000], 1000, 1500)
    assert (found.start, found.stop) == (7500, 18000)
    assert [(e.level, e.duration) for e in found.stimulus.epochs] == [(0, 250), (50, 500), (0, 300)]
    assert found.history is None


def test_the_next_change_of_current_ends_the_passage():
    assert passage([0, 50, 0, 20], [100, 500, 80, 100], 100, 600).stimulus.tail == 80


def test_what_precedes_the_constant_current_is_history():
    found = passage([0, -100, 10, 60, 10], [40, 300, 120, 500, 400], 460, 960)
    assert (found.stimulus.baseline, found.stimulus.holding) == (120, 10)
    assert (found.history.level, found.history.duration, found.history.gap) == (-100, 300, 120)


def test_a_step_of_0_pA_has_the_length_of_the_family():
    found = passage([-20], [2000], 400, 900)
    assert [(e.level, e.duration) for e in found.stimulus.epochs] == [(-20, 250), (-20, 500), (-20, 300)]


def test_less_than_50_ms_of_constant_current_is_refused():
    found = passage([0, -100, 0, 60], [40, 300, 30, 500], 370, 870)
    assert found.stimulus is None
    assert "Sweep 4 has 30.0 ms of constant current before the step, at least 50 ms" in found.refusal


def test_a_step_that_ends_the_sweep_has_no_tail():
    found = passage([0, 50], [100, 500], 100, 600)
    assert (found.stimulus.tail, found.stop) == (0, 6000)


@pytest.mark.parametrize("rate", [10.0, 20.0, 33.333, 50.0])
def test_the_stimulus_is_as_long_as_the_samples(rate):
    command = np.repeat([0.0, 70.0, 0.0], [12341, 23452, 34563])
    found = cut(RecordedSweep(0, command - 70, rate, command), plateaus(command, rate), 12341, 35793)
    sampled = found.stimulus.command(rate)
    np.testing.assert_array_equal(sampled, command[found.start : found.stop])
