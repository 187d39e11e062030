"""An hour of four channels at 50 kHz, faster than it would take: nothing is lost and memory does not grow."""

import multiprocessing
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware.recorder import Recorder
from hardware.track import Track

NAMES = ("a", "b", "c", "d")
BIT = 400 / 2**16
SECOND = 50_000


def second(k):
    """Make the k-th second, as a converter of 16 bit gives it, shape (4, 50,000)."""
    rng = np.random.default_rng(k % 7)
    return BIT * (rng.integers(-16, 16, (4, SECOND)).astype(np.float64) - k % 1000)


def resident():
    """Tell what this process holds in memory [bytes]."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def soak(path, seconds, pipe):
    memory = []
    with Recorder(path, {}) as recorder:
        recorder.start_continuous(50.0, dict.fromkeys(NAMES, Track()))
        for k in range(seconds):
            whole = second(k)
            for first in range(0, SECOND, 1000):
                recorder.append_continuous(dict(zip(NAMES, whole[:, first : first + 1000], strict=True)))
            # An hour takes minutes: five seconds are kept waiting at most, as if the disk were just fast enough.
            while recorder.queued > 5 * SECOND:
                time.sleep(1e-3)
            if k % (seconds // 20) == 0:
                memory.append(resident())
        recorder.finish_continuous()
        assert recorder.flush(60)
        pipe.send((recorder.received, recorder.on_disk, recorder.dropped, memory))


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Memory is read from /proc.")
def test_an_hour_is_recorded_without_a_loss_and_in_the_same_memory(tmp_path):
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=soak, args=(tmp_path / "hour.h5", 3600, there))
    process.start()
    there.close()
    received, on_disk, dropped, memory = here.recv()
    process.join()
    assert (received, on_disk, dropped) == (3600 * SECOND, 3600 * SECOND, 0)
    # The first figures are of a process that is still starting; 32 MiB more in an hour would be a leak.
    assert max(memory[2:]) - memory[2] < 32 * 2**20
    with h5py.File(tmp_path / "hour.h5") as file:
        group = file["continuous/000000"]
        assert group["gaps"].shape == (0, 2)
        for k in range(0, 3600, 37):
            for name, wanted in zip(NAMES, second(k), strict=True):
                np.testing.assert_array_equal(group[name][SECOND * k : SECOND * (k + 1)], wanted)
