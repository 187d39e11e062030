"""The engine loses nothing, whatever happens to the window, and the window knows what happens to the engine."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from estimators.slices import CELLS
from hardware.decision import Decision
from hardware.kept.decisions import decisions
from rig_plugin import opening
from rig_plugin.engine import opened
from rig_plugin.engine.client import Client
from rig_plugin.feed import Ended, Finished, Overlaid, Sliced, Started
from rig_plugin.proposal import Proposed
from rig_plugin.refined import Refined
from rig_plugin.script import Script
from rig_plugin.settings import ProtocolSettings, RecordingSettings, RigSettings, Settings
from rig_plugin.stages import FamilyStage, MembraneTestStage

AMPLITUDES = (-50.0, 50.0, 150.0)
PROTOCOL = ProtocolSettings(amplitudes=AMPLITUDES, onset=100.0, duration=200.0, tail=50.0, interval=0.0)
SAMPLES = 350 * 20
WAIT = threading.Event()


def settings(folder=None, pace="max", times=1):
    return Settings(
        rig=RigSettings(seed=1, pace=pace),
        protocol=replace(PROTOCOL, amplitudes=times * AMPLITUDES),
        recording=RecordingSettings(folder),
    )


@pytest.fixture(scope="module")
def parameters():
    return opening.network().spec.parameters


def launch(parameters, *args, **rest):
    return closing(Client(partial(opened.attach, settings(*args, **rest)), parameters))


def until(client, kind, count=1):
    """Look until so many messages of a kind came; give all that came."""
    messages = []
    while sum(isinstance(message, kind) for message in messages) < count:
        WAIT.wait(0.005)
        messages += client.take()
    return messages


def recorded(folder):
    """Count the samples of each sweep in the one recording there, and whether it is whole."""
    (path,) = Path(folder).glob("*.h5")
    with h5py.File(path) as file:
        return [(len(sweep["response"]), bool(sweep.attrs["complete"])) for sweep in file["sweeps"].values()]


def test_the_engine_gives_what_a_session_in_this_process_gives_and_can_be_started_again(parameters):
    here = list(opening.attach(settings(), opening.network()).trials())
    with launch(parameters) as client:
        for _ in range(2):
            client.start()
            messages = until(client, Ended)
            assert messages[-1] == Ended(None)
            assert [type(m) for m in messages[:-1]] == 3 * [Started, Finished, Overlaid]
            trials = [message.trial for message in messages if isinstance(message, Finished)]
            for ours, theirs in zip(trials, here, strict=True):
                told, expected = ours.to_json(), theirs.to_json()
                assert told | {"latency_ms": None} == expected | {"latency_ms": None}
                np.testing.assert_array_equal(ours.posterior.draws, theirs.posterior.draws)
                np.testing.assert_array_equal(ours.sweep.response, theirs.sweep.response)
        assert client.status.received == 3 * SAMPLES
        assert client.dropped == 0
        assert client.silence == 0.0


@pytest.mark.long
def test_a_window_that_does_not_look_loses_messages_and_the_recording_nothing(parameters, tmp_path):
    with launch(parameters, tmp_path, times=20) as client:
        client.start()
        while client.status is None or client.status.received < 55 * SAMPLES:
            WAIT.wait(0.005)
        messages = until(client, Ended)
        trials = [message.trial for message in messages if isinstance(message, Finished)]
        assert trials[-1].index == 59
        assert client.dropped > 0
        assert len(messages) + client.dropped == 3 * 60 + 1
    assert recorded(tmp_path) == 60 * [(SAMPLES, True)]


@pytest.mark.long
def test_stop_and_an_end_by_a_closed_window_leave_a_file_in_order(parameters, tmp_path):
    with launch(parameters, tmp_path, pace="real", times=20) as client:
        client.start()
        until(client, Started)
        client.stop()
        assert until(client, Ended)[-1] == Ended(None)
        (path,) = tmp_path.glob("*.h5")
        path = path.rename(tmp_path / "stopped")
        client.start()
        until(client, Started, 2)
    # Who only lets go has the running sweep finished.
    assert recorded(tmp_path) == 2 * [(SAMPLES, True)]
    with h5py.File(path) as file:
        assert [bool(sweep.attrs["complete"]) for sweep in file["sweeps"].values()] == [False]


def test_an_engine_that_dies_is_told_with_what_it_leaves_and_the_next_start_has_another(parameters, tmp_path):
    with launch(parameters, tmp_path, pace="real", times=20) as client:
        client.start()
        until(client, Started, 2)
        os.kill(client.process, signal.SIGKILL)
        (ended,) = [message for message in until(client, Ended) if isinstance(message, Ended)]
        assert "The engine died (exit status -9)" in ended.reason
        assert "`rig-plugin recover`" in ended.reason
        assert str(tmp_path) in ended.reason
        assert recorded(tmp_path)[0] == (SAMPLES, True)
        client.start()
        assert isinstance(until(client, Started)[0], Started)
        client.stop()
        until(client, Ended)


@pytest.mark.long  # test_host.py has it in one process
def test_what_can_not_be_opened_ends_the_session_in_words_and_the_next_start_is_a_new_try(parameters, tmp_path):
    with launch(parameters, tmp_path / "nowhere", pace="real") as client:
        client.start()
        (ended,) = until(client, Ended)
        assert "nowhere" in ended.reason
        (tmp_path / "nowhere").mkdir()
        client.start()
        until(client, Started)
        client.note()
        until(client, Started)
        client.mark()
        client.mark("the pipette moved")
        client.stop()
        until(client, Ended)
    (path,) = (tmp_path / "nowhere").glob("*.h5")
    with h5py.File(path) as file:
        marks = file["marks"][()]
    assert [mark["text"].decode() for mark in marks] == ["", "the pipette moved"]
    assert SAMPLES <= marks["sample"][0] < 2 * SAMPLES
    # A note belongs to the moment that was held, not to the end of its typing.
    assert marks["sample"][1] < SAMPLES


@pytest.mark.long  # test_refiner.py and test_host.py have it in one process
def test_the_cell_of_a_session_that_is_over_is_refined_when_asked_and_the_window_has_it(parameters):
    opener = partial(opened.attach, replace(settings(), protocol=replace(PROTOCOL, amplitudes=(-50.0,))))
    with closing(Client(opener, parameters)) as client:
        client.start()
        until(client, Ended)
        client.refine()
        (refined,) = until(client, Refined)
    assert refined.refusal == ""
    assert refined.trial == 0
    assert refined.draws.shape == (refined.of, len(parameters))
    assert refined.simulated == 2000


WINDOW = """
import os, signal, sys
from functools import partial
from pathlib import Path
from estimators.slices import CELLS
from hardware.decision import Decision
from hardware.kept.decisions import decisions
from rig_plugin import opening
from rig_plugin.engine import opened
from rig_plugin.engine.client import Client
from rig_plugin.script import Script
from rig_plugin.settings import ProtocolSettings, RecordingSettings, RigSettings, Settings

if __name__ == "__main__":
    protocol = ProtocolSettings(amplitudes=(-50.0, 50.0, 150.0), onset=100.0, duration=200.0, tail=50.0, interval=0.0)
    settings = Settings(RigSettings(seed=1), protocol=protocol, recording=RecordingSettings(Path(sys.argv[1])))
    client = Client(partial(opened.attach, settings), opening.network().spec.parameters)
    client.start()
    while client.status is None or client.status.received < 8000:
        client.take()
    print(client.process, client.memory, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="Whether a process is there is looked up in /proc.")
def test_a_window_that_is_killed_in_the_middle_of_a_sweep_costs_nothing(tmp_path):
    window = subprocess.run(
        [sys.executable, "-c", WINDOW, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert window.returncode == -signal.SIGKILL
    process, memory = window.stdout.split()
    while Path(f"/proc/{process}").exists():
        WAIT.wait(0.01)
    assert recorded(tmp_path) == 2 * [(SAMPLES, True)]
    assert not Path(f"/dev/shm/{memory}").exists()


@pytest.mark.long  # test_host.py and test_inbox.py have both ends in one process
def test_what_is_looked_at_is_sliced_in_the_engine_also_after_it_died(parameters):
    with launch(parameters, times=20) as client:
        client.look(("C", "V_T"))
        for _ in range(2):
            client.start()
            sliced = [message for message in until(client, Sliced, 2) if isinstance(message, Sliced)]
            assert sliced[0].slices.names == ("C", "V_T")
            assert sliced[0].slices.pair_densities.shape == (1, CELLS, CELLS)
            os.kill(client.process, signal.SIGKILL)
            until(client, Ended)


@pytest.mark.long  # test_host.py and test_inbox.py have both ends in one process, test_gate.py what a gate does
def test_a_sweep_waits_in_the_engine_for_a_word_and_another_protocol_is_played_from_the_next_start_on(parameters):
    with launch(parameters) as client:
        client.gate("accept")
        client.start()
        waiting = until(client, Proposed)
        client.play(replace(PROTOCOL, amplitudes=(20.0, -20.0)))
        client.skip()
        waiting += until(client, Proposed)
        client.go()
        (started,) = (message for message in until(client, Proposed) if isinstance(message, Started))
        assert started.live.stimulus.amplitude == 50.0
        client.stop()
        assert until(client, Ended)[-1] == Ended(None)
        assert [(each.stimulus.amplitude, each.place, each.count, each.waits) for each in waiting] == [
            (-50.0, 0, 3, True),
            (50.0, 1, 3, True),
        ]
        # Even in another engine, since this one dies.
        os.kill(client.process, signal.SIGKILL)
        client._process.join()
        client.gate("auto")
        client.start()
        played = [
            message.trial.sweep.stimulus.amplitude for message in until(client, Ended) if isinstance(message, Finished)
        ]
        assert played == [20.0, -20.0]


@pytest.mark.long
def test_a_protocol_that_leaves_the_limits_is_refused_in_words_before_anything_is_put_out(parameters):
    with launch(parameters) as client:
        client.play(replace(PROTOCOL, amplitudes=(2000.0,)))
        client.start()
        (ended,) = until(client, Ended)
        assert "outside the limits [-1000, 1000] pA" in ended.reason


@pytest.mark.long
def test_the_engine_plays_a_script_and_tells_what_it_decides(parameters, tmp_path):
    played = Script((MembraneTestStage(), FamilyStage(PROTOCOL)))
    with closing(Client(partial(opened.script, settings(tmp_path), played), parameters)) as client:
        client.start()
        messages = until(client, Ended)
    assert messages[-1] == Ended(None)
    told = [message for message in messages if isinstance(message, Decision)]
    assert [decision.event for decision in told] == ["began", "measured", "ended", "began", "ended", "finished"]
    assert sum(isinstance(message, Finished) for message in messages) == 3
    (path,) = tmp_path.glob("*.h5")
    assert repr(decisions(path)) == repr(told)
    done = partial(opened.script, settings(tmp_path), played, resume=path)
    with closing(Client(done, parameters)) as client:
        client.start()
        (ended,) = until(client, Ended)
    assert "all 2 stages done" in ended.reason
