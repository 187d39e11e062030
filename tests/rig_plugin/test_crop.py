import numpy as np
import pytest

from hardware.passage import History
from rig_plugin.crop import crop
from simulators.stimulus import Epoch, Stimulus, step


def test_at_most_250_ms_before_and_300_ms_after_are_kept():
    part = crop(step(100.0, holding=-20.0, onset=700.0, duration=400.0, tail=900.0))
    assert part.stimulus == step(100.0, holding=-20.0, onset=250.0, duration=400.0, tail=300.0)
    assert part.skip == 450.0
    assert part.history is None


def test_a_short_stimulus_is_kept_whole():
    stimulus = step(100.0, onset=100.0, duration=400.0, tail=50.0)
    assert crop(stimulus).stimulus == stimulus
    assert crop(stimulus).skip == 0.0


def test_a_step_that_ends_the_sweep_has_no_tail():
    part = crop(Stimulus("current", (Epoch(0.0, 100.0), Epoch(50.0, 300.0))))
    assert part.stimulus.tail == 0.0


def test_the_epoch_before_the_baseline_is_its_history():
    stimulus = Stimulus("current", (Epoch(-90.0, 80.0), Epoch(-20.0, 500.0), Epoch(50.0, 300.0), Epoch(0.0, 100.0)), 2)
    part = crop(stimulus, History(7.0, 7.0, 7.0))
    assert part.history == History(-90.0, 80.0, 500.0)
    context = part.context(20.0)
    assert (context.history_level, context.history_duration, context.history_gap) == (-70.0, 80.0, 500.0)


def test_the_tail_keeps_its_own_level():
    stimulus = Stimulus("current", (Epoch(0.0, 100.0), Epoch(50.0, 300.0), Epoch(-30.0, 100.0)))
    assert crop(stimulus).stimulus.epochs[-1].level == -30.0


@pytest.mark.parametrize("rate", [10.0, 20.0, 25.0, 50.0])
def test_the_crop_is_the_same_samples_of_the_command(rate):
    stimulus = Stimulus("current", (Epoch(-90.0, 80.0), Epoch(-20.0, 500.0), Epoch(50.0, 300.0), Epoch(0.0, 600.0)), 2)
    part = crop(stimulus)
    whole, kept = stimulus.command(rate), part.stimulus.command(rate)
    skip = round(part.skip * rate)
    assert np.array_equal(whole[skip : skip + kept.size], kept)


def test_the_network_is_told_the_command_s_own_holding():
    context = crop(step(100.0, holding=-20.0)).context(20.0, start=3.0)
    assert (context.holding, context.holding_known, context.amplitude, context.start) == (-20.0, 1.0, 100.0, 3.0)
