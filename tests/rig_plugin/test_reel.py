"""A recording that is begun and ended in the middle of a session."""

from dataclasses import replace

import h5py
import pytest

from rig_plugin import opening
from rig_plugin.reel import Reel
from rig_plugin.settings import ProtocolSettings, RecordingSettings, RigSettings, Settings
from simulators.refusal import Refusal

PROTOCOL = ProtocolSettings(
    amplitudes=(-50.0, 50.0, 100.0, 150.0), onset=100.0, duration=200.0, tail=50.0, interval=0.0
)
SETTINGS = Settings(rig=RigSettings(seed=1, pace="max"), protocol=PROTOCOL)


class Told:
    """Keeps each status."""

    def __init__(self):
        self.statuses = []

    def status(self, status):
        self.statuses.append(status)

    def __getattr__(self, name):
        return lambda *_: None


@pytest.fixture
def network():
    return opening.network()


def sweeps(path):
    with h5py.File(path) as file:
        return len(file["sweeps"])


def test_what_is_recorded_lies_between_the_wishes_and_each_file_is_whole(tmp_path, network):
    told = Told()
    session = opening.attach(SETTINGS, network, listeners=(told,))
    wishes = {0: True, 1: False, 2: True}
    for trial in session.trials():
        if trial.index in wishes:
            session.record(wishes[trial.index], tmp_path)
    assert [sweeps(path) for path in sorted(tmp_path.iterdir())] == [1, 1]
    # What is counted is of the file that is written.
    assert told.statuses[-1].recording and told.statuses[-1].lost == 0
    assert told.statuses[-1].received == told.statuses[-1].on_disk == told.statuses[-1].expected == 7000
    assert {status.recording for status in told.statuses} == {True, False}


def test_a_recording_that_cannot_be_begun_is_a_sentence_and_the_session_goes_on(tmp_path, network):
    told = Told()
    session = opening.attach(SETTINGS, network, listeners=(told,))
    session.record(True, tmp_path / "nowhere")
    assert len(list(session.trials())) == 4
    assert "nowhere" in told.statuses[-1].refusal and "choose another" in told.statuses[-1].refusal
    assert not told.statuses[-1].recording


def test_a_recording_of_a_rig_file_is_ended_and_another_begun_in_its_folder(tmp_path, network):
    session = opening.attach(replace(SETTINGS, recording=RecordingSettings(folder=tmp_path)), network)
    for trial in session.trials():
        if trial.index in (0, 1):
            session.record(trial.index == 1)
    assert [sweeps(path) for path in sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)] == [1, 2]


def test_a_held_command_is_recorded_from_one_page_to_another(tmp_path, network):
    held = replace(PROTOCOL, gap_free=30_000.0)
    session = opening.attach(replace(SETTINGS, protocol=held), network, listeners=(told := Told(),))
    asked = []

    def started(*_):
        asked.append(True)
        session.record(len(asked) == 1, tmp_path)

    told.started = started
    session.run()
    (path,) = tmp_path.iterdir()
    with h5py.File(path) as file:
        (stretch,) = file["continuous"].values()
        assert stretch.attrs["complete"]
    assert len(asked) > 2 and {status.recording for status in told.statuses} == {True, False}


def test_nothing_is_recorded_where_nothing_can_be():
    reel = Reel()
    reel.ask(True)
    assert reel.is_asked and not reel.turn() and "open a rig" in reel.refusal
    assert not reel.is_asked and not reel.turn()


def test_a_file_that_is_not_closed_as_a_whole_is_told_and_left():
    class Broken:
        def close(self):
            raise Refusal("Half of it is missing: look at the disk.")

    reel = Reel(Broken())
    reel.ask(False)
    assert reel.turn() and reel.recorder is None and "Half of it" in reel.refusal
