"""A disk that is full, gone or slow costs no sample that memory can hold, and is told."""

import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware import medium
from hardware.recorder import Recorder, RecorderError
from hardware.rig import Block, Provenance
from simulators.stimulus import step

NOISE = np.random.default_rng(1).normal(-70, 1, 50_000)
BLOCK = 1000


def append(recorder, first, last):
    """Append blocks of the noise from the first up to the last."""
    for k in range(first, last):
        recorder.append(Block(NOISE[BLOCK * k : BLOCK * (k + 1)]))


def begin(path, **options):
    recorder = Recorder(path, {}, **options)
    recorder.start(step(50.0), 50.0, Provenance())
    return recorder


def until(condition):
    """Wait for another thread, not for a time."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("It did not happen within a minute.")


def recorded(path):
    with h5py.File(path) as file:
        return file["sweeps/000000/response"][()]


class Disk:
    """Stands between the medium and the disk, and refuses what it is told to."""

    def __init__(self, monkeypatch):
        self.error = None
        self.room = None
        self.answers = threading.Event()
        self.answers.set()
        self._write = os.write
        monkeypatch.setattr(medium.os, "write", self)

    def __call__(self, descriptor, data):
        assert self.answers.wait(60)
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        if self.room is None:
            return self._write(descriptor, data)
        # As a disk does that is nearly full: the first bytes go, the others do not.
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self._write(descriptor, data[: self.room])
        self.room -= taken
        return taken


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errno.ENOSPC, "is full: free some space"),
        (errno.EROFS, "became read-only: make it writable"),
        (errno.EACCES, "may not be written to: allow it"),
        (errno.EIO, "takes nothing (Input/output error): check the disk"),
    ],
)
def test_a_disk_that_refuses_is_told_and_written_to_when_it_takes_again(tmp_path, disk, error, said):
    path = tmp_path / "session.h5"
    with begin(path) as recorder:
        append(recorder, 0, 10)
        assert recorder.flush(60)
        assert recorder.alarm is None
        disk.error = error
        append(recorder, 10, 40)
        assert not recorder.flush(60)
        assert said in recorder.alarm
        assert "30000 samples are kept in memory" in recorder.alarm
        assert (recorder.on_disk, recorder.queued, recorder.dropped) == (10_000, 30_000, 0)
        np.testing.assert_array_equal(recorded(path), NOISE[:10_000])
        disk.error = None
        append(recorder, 40, 50)
        until(lambda: recorder.alarm is None)
        assert recorder.flush(60)
        assert (recorder.on_disk, recorder.queued) == (50_000, 0)
    np.testing.assert_array_equal(recorded(path), NOISE)


@pytest.mark.parametrize("room", [1, 3000, 20_000, 100_000])
def test_a_disk_that_fills_up_in_the_middle_of_a_write_leaves_the_file_whole(tmp_path, disk, room):
    path = tmp_path / "session.h5"
    with begin(path) as recorder:
        append(recorder, 0, 10)
        assert recorder.flush(60)
        disk.room = room
        append(recorder, 10, 50)
        until(lambda: recorder.alarm is not None)
        kept = recorded(path)
        np.testing.assert_array_equal(kept, NOISE[: kept.size])
        assert recorder.on_disk == kept.size
        disk.room = None
    np.testing.assert_array_equal(recorded(path), NOISE)


def test_what_memory_has_no_room_for_becomes_a_gap_that_is_counted(tmp_path, disk):
    path = tmp_path / "session.h5"
    with begin(path, room=12 * BLOCK * 8) as recorder:
        disk.error = errno.ENOSPC
        append(recorder, 0, 1)
        until(lambda: recorder.alarm is not None)
        append(recorder, 1, 30)
        assert (recorder.dropped, recorder.queued, recorder.lost) == (17_000, 13_000, 0)
        assert "17000 were lost" in recorder.alarm
        disk.error = None
        until(lambda: recorder.alarm is None)
        assert recorder.flush(60)
        recorder.append(Block(NOISE[30_005:31_000], lost=5))
        append(recorder, 31, 40)
        assert recorder.flush(60)
        append(recorder, 40, 50)
        assert (recorder.received, recorder.lost) == (49_995, 5)
        recorder.finish({}, {})
    with h5py.File(path) as file:
        assert file["sweeps/000000/gaps"][()].tolist() == [[13_000, 17_005]]
    stored = recorded(path)
    assert np.isnan(stored[13_000:30_005]).all()
    np.testing.assert_array_equal(np.delete(stored, np.s_[13_000:30_005]), np.delete(NOISE, np.s_[13_000:30_005]))


def test_samples_dropped_at_the_end_of_a_sweep_stay_in_that_sweep(tmp_path, disk):
    path = tmp_path / "session.h5"
    with begin(path, room=5 * BLOCK * 8) as recorder:
        disk.error = errno.ENOSPC
        append(recorder, 0, 1)
        until(lambda: recorder.alarm is not None)
        append(recorder, 1, 10)
        recorder.finish({}, {})
        disk.error = None
        until(lambda: recorder.alarm is None)
        recorder.start(step(50.0), 50.0, Provenance())
        append(recorder, 10, 12)
    with h5py.File(path) as file:
        assert file["sweeps/000000/gaps"][()].tolist() == [[6000, 4000]]
        assert file["sweeps/000000/response"].shape == (10_000,)
        assert file["sweeps/000001/gaps"].shape == (0, 2)
        np.testing.assert_array_equal(file["sweeps/000001/response"][()], NOISE[10_000:12_000])


def test_a_disk_that_hangs_is_told_and_keeps_nobody_waiting(tmp_path, disk):
    now = [0.0]
    with begin(tmp_path / "session.h5", clock=lambda: now[0]) as recorder:
        assert recorder.flush(60)
        disk.answers.clear()
        append(recorder, 0, 1)
        assert not recorder.flush(0.01)
        assert recorder.alarm is None
        append(recorder, 1, 50)
        now[0] += 7.0
        assert "has not answered for 7 s" in recorder.alarm
        assert "50000 samples are kept in memory" in recorder.alarm
        disk.answers.set()
        assert recorder.flush(60)
        assert recorder.alarm is None
    np.testing.assert_array_equal(recorded(tmp_path / "session.h5"), NOISE)


def test_who_hurries_the_disk_waits_for_nothing_and_has_it_all_the_same(tmp_path, disk):
    # A clock that stands still: nothing is brought to the disk but what is asked for.
    with begin(tmp_path / "session.h5", clock=lambda: 0.0) as recorder:
        disk.answers.clear()
        append(recorder, 0, 2)
        recorder.hurry()
        assert recorder.on_disk == 0
        disk.answers.set()
        until(lambda: recorder.on_disk == 2 * BLOCK)
    with pytest.raises(RecorderError, match="closed"):
        recorder.hurry()


def test_a_recording_that_is_not_complete_is_not_closed_in_silence(tmp_path, disk):
    recorder = begin(tmp_path / "session.h5")
    disk.error = errno.ENOSPC
    append(recorder, 0, 50)
    with pytest.raises(RecorderError, match=r"not complete.*50000 samples are kept in memory"):
        recorder.close(patience=0.5)
    with pytest.raises(RecorderError, match="is closed"):
        append(recorder, 0, 1)
    disk.error = None
    recorder.close(patience=60)
    np.testing.assert_array_equal(recorded(tmp_path / "session.h5"), NOISE)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps an open file from being deleted.")
def test_a_recording_that_was_deleted_is_made_anew(tmp_path):
    path = tmp_path / "session.h5"
    with begin(path) as recorder:
        append(recorder, 0, 20)
        assert recorder.flush(60)
        path.unlink()
        append(recorder, 20, 50)
        assert recorder.flush(60)
        np.testing.assert_array_equal(recorded(path), NOISE)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the folder of an open file from being moved.")
def test_a_folder_that_vanishes_is_told_and_written_to_when_it_is_back(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    path = folder / "session.h5"
    with begin(path) as recorder:
        append(recorder, 0, 20)
        assert recorder.flush(60)
        path.unlink()
        folder.rmdir()
        append(recorder, 20, 50)
        assert not recorder.flush(60)
        assert f"{folder} is gone: bring it back" in recorder.alarm
        folder.mkdir()
        until(lambda: recorder.alarm is None)
    np.testing.assert_array_equal(recorded(path), NOISE)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps an open file from being moved.")
def test_another_file_in_its_place_is_not_overwritten(tmp_path):
    path = tmp_path / "session.h5"
    with begin(path) as recorder:
        append(recorder, 0, 20)
        assert recorder.flush(60)
        path.rename(tmp_path / "moved.h5")
        path.write_text("mine")
        append(recorder, 20, 50)
        assert not recorder.flush(60)
        assert "another file of this name" in recorder.alarm
        assert path.read_text() == "mine"
        path.unlink()
        until(lambda: recorder.alarm is None)
    np.testing.assert_array_equal(recorded(path), NOISE)


def test_a_defect_of_the_writer_is_an_alarm_that_stays(tmp_path, monkeypatch, caplog):
    recorder = begin(tmp_path / "session.h5")
    assert recorder.flush(60)

    def broken(entries):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(recorder._writer._tape, "write", broken)
    append(recorder, 0, 10)
    assert not recorder.flush(60)
    assert "can't be written any more (no such luck): begin another recording" in recorder.alarm
    with pytest.raises(RecorderError, match="not complete"):
        recorder.close(patience=0.1)
    assert "The recording failed" in caplog.text
    with contextlib.closing(recorder._writer._medium):
        recorder._writer.abandon()


# Past the soft limit of a file's size the system itself refuses, as it does on a full disk; then there is more room.
LIMITED = """
import resource, sys, time
import numpy as np
from hardware.recorder import Recorder
from hardware.rig import Block, Provenance
from simulators.stimulus import step

noise = np.random.default_rng(1).normal(-70, 1, 50_000)
recorder = Recorder(sys.argv[1], {})
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, most))
recorder.start(step(50.0), 50.0, Provenance())
for k in range(0, 50_000, 1000):
    recorder.append(Block(noise[k : k + 1000]))
    recorder.flush(5.0)
alarm, kept = recorder.alarm, recorder.on_disk
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    recorder.close(60)
sys.stdout.write(f"{kept} {alarm}")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit to a file's size.")
@pytest.mark.parametrize("more", [False, True], ids=["for good", "for a while"])
def test_where_the_system_allows_no_larger_file_what_is_there_stays_readable(tmp_path, more):
    path = tmp_path / "session.h5"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", LIMITED, str(path), *(["more"] if more else [])]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    kept, alarm = done.stdout.split(" ", 1)
    assert "takes no larger file" in alarm
    assert 5000 < int(kept) < 40_000
    np.testing.assert_array_equal(recorded(path), NOISE if more else NOISE[: int(kept)])


# Nobody closes it, and it is still written to when the interpreter goes.
LEFT_OPEN = """
import sys
import numpy as np
from hardware.recorder import Recorder
from hardware.rig import Block, Provenance
from simulators.stimulus import step

recorder = Recorder(sys.argv[1], {})
recorder.start(step(50.0), 50.0, Provenance())
for block in np.random.default_rng(1).normal(-70, 1, (50, 1000)):
    recorder.append(Block(block))
"""


def test_a_recording_that_nobody_closed_is_whole_when_the_program_ends(tmp_path):
    path = tmp_path / "session.h5"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN, str(path)], capture_output=True, env=environment, check=True
    )
    assert done.stderr == b""
    np.testing.assert_array_equal(recorded(path), NOISE)
