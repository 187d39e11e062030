"""A sweep that harms the cell is broken off, told, and not inferred from; the session goes on."""

import pytest

from hardware.model_cell import ModelCell
from hardware.own import read_own
from hardware.recorder import Recorder
from rig_plugin.protocol import family
from rig_plugin.session import Session
from simulators.harm import Harm
from simulators.stimulus import step
from tests.rig_plugin.estimate import PARAMETERS, Estimate, Notes, passive

STEPS = [step(amplitude, onset=60.0, duration=200.0, tail=50.0) for amplitude in (50.0, 700.0, -50.0)]


@pytest.fixture
def notes():
    return Notes()


def run(notes, recorder=None, harm=None):
    rig = ModelCell(passive, pace="max")
    return list(Session(rig, Estimate(), PARAMETERS, family(STEPS), recorder, (notes,), harm=harm or Harm()).trials())


def test_a_sweep_that_harms_is_broken_off_and_the_next_is_played(notes):
    trials = run(notes)
    lengths = [trial.sweep.response.size / trial.sweep.rate for trial in trials]
    # 50 ms beyond the time at which the membrane has crossed -10 mV, and the rest of a block.
    assert lengths[0] == lengths[2] == 310.0 and 60.0 + 50.0 < lengths[1] < 60.0 + 50.0 + 60.0
    assert "stayed above -10 mV for 50 ms: the sweep was broken off" in trials[1].trust.reason
    assert not trials[1].trust.in_distribution and trials[2].trust.in_distribution
    status = notes.named("status")[-1][0]
    assert status.expected == status.received and status.lost == 0


def test_what_came_of_it_is_on_the_disk_with_the_reason(notes, tmp_path):
    path = tmp_path / "cell.h5"
    trials = run(notes, Recorder(path, {}))
    recording = read_own(path)
    assert [sweep.response.size for sweep in recording.sweeps] == [trial.sweep.response.size for trial in trials]


def test_bounds_are_those_that_were_given(notes):
    trials = run(notes, harm=Harm(above=60.0))
    assert all(trial.sweep.response.size == trials[0].sweep.response.size for trial in trials)
