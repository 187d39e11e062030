import math
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware.reading import read
from hardware.recorder import Recorder, RecorderError
from hardware.recording import RecordingError
from hardware.replay import Replay
from hardware.rig import Block, Provenance
from simulators.stimulus import step
from simulators.sweep import Junction

STEP = step(50.0, onset=100.0, duration=300.0, tail=200.0)
ORIGIN = Provenance(
    datetime(2024, 1, 1, tzinfo=UTC), "recorded channel", "measured", Junction("uncorrected", 14.0), bridge=0.002
)


def answer(seed=1):
    return np.random.default_rng(seed).normal(-70, 1, 6000)


def record(recorder, response, stimulus=STEP):
    recorder.start(stimulus, 10.0, ORIGIN)
    command = stimulus.command(10.0)
    for k in range(0, response.size, 200):
        recorder.append(Block(response[k : k + 200], command[k : k + 200]))


def test_what_is_recorded_is_read_bit_by_bit(tmp_path):
    path = tmp_path / "session.h5"
    with Recorder(path, {"cell": "c1"}) as recorder:
        for seed in (1, 2):
            record(recorder, answer(seed))
            recorder.finish({"rest": -70.0, "threshold": math.nan}, {"trial": seed})
        assert recorder.flush(60)
        assert recorder.received == recorder.on_disk == 12_000
    for k, sweep in enumerate(read(path).sweeps):
        np.testing.assert_array_equal(sweep.response, answer(k + 1))
        np.testing.assert_array_equal(sweep.command, STEP.command(10.0))
        assert sweep.problem is None
        assert (sweep.stimulus, sweep.rate, sweep.start) == (STEP, 10.0, ORIGIN.start)
        assert (sweep.junction, sweep.bridge, sweep.holding_source) == (ORIGIN.junction, ORIGIN.bridge, "measured")
    with h5py.File(path) as file:
        assert file["sweeps/000000/features/rest"][()] == -70.0
        assert math.isnan(file["sweeps/000000/features/threshold"][()])


def test_a_recording_is_replayed_with_the_steps_that_were_played(tmp_path):
    stimuli = [step(a, onset=100.0 + a, duration=300.0) for a in (10.0, 0.0, 30.0)]
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        for stimulus in stimuli:
            record(recorder, np.full(stimulus.command(10.0).size, -70.0), stimulus)
            recorder.finish({}, {})
    assert [p.stimulus for p in Replay(tmp_path / "session.h5").stimuli] == stimuli


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "session.h5"
    path.write_text("mine")
    with pytest.raises(RecorderError, match="not overwritten"):
        Recorder(path, {})
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RecorderError, match="can't be made"):
        Recorder(tmp_path / "no" / "session.h5", {})


def test_a_sweep_that_was_not_finished_says_so(tmp_path):
    path = tmp_path / "session.h5"
    with Recorder(path, {}) as recorder:
        record(recorder, answer()[:1000])
        record(recorder, answer())
        recorder.finish({}, {})
    first, second = Replay(path).stimuli
    assert "ended after 1000 of 6000 samples" in first.refusal
    assert second.refusal is None


def test_a_recorder_asks_for_a_sweep_first(tmp_path):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        with pytest.raises(RecorderError, match="call `start`"):
            recorder.append(Block(np.zeros(3)))
        with pytest.raises(RecorderError, match="call `start`"):
            recorder.finish({}, {})
    recorder.close()
    with pytest.raises(RecorderError, match="is closed"):
        recorder.start(STEP, 10.0, ORIGIN)


def test_a_command_in_some_blocks_only_is_refused(tmp_path):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        recorder.start(STEP, 10.0, ORIGIN)
        recorder.append(Block(np.zeros(3)))
        with pytest.raises(RecorderError, match="all or with none"):
            recorder.append(Block(np.zeros(3), np.zeros(3)))


def test_a_later_version_is_refused(tmp_path):
    Recorder(tmp_path / "session.h5", {}).close()
    with h5py.File(tmp_path / "session.h5", "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(RecordingError, match="version 99"):
        read(tmp_path / "session.h5")


WRITER = """
import sys, itertools
import numpy as np
from hardware.recorder import Recorder
from hardware.rig import Block, Provenance
from simulators.stimulus import step
stimulus = step(50.0, onset=100.0, duration=300.0, tail=200.0)
recorder = Recorder(sys.argv[1], {})
for k in itertools.count():
    recorder.start(stimulus, 10.0, Provenance())
    for b in range(30):
        recorder.append(Block(-70 - 0.001 * np.arange(200 * b, 200 * b + 200), np.zeros(200)))
        sys.stdout.write(f"{recorder.on_disk}\\n")
        sys.stdout.flush()
    recorder.finish({"rest": -70.0}, {})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")
@pytest.mark.parametrize("lines", [1, 47, 200, 333])
def test_a_killed_recording_keeps_all_that_was_said_to_be_on_disk(tmp_path, lines):
    path = tmp_path / "session.h5"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as writer:
        promised = 0
        for _ in range(lines):
            promised = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        promised = max([promised, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
    sweeps = read(path).sweeps
    assert sum(s.response.size for s in sweeps) >= promised
    for sweep in sweeps:
        np.testing.assert_array_equal(sweep.response, -70 - 0.001 * np.arange(sweep.response.size))
    assert all(s.problem is None for s in sweeps[:-1])
