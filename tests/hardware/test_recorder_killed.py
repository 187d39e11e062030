"""A recording is killed at random moments: every file opens, and what it holds is what was put in."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from hardware.hdf5 import open_hdf5
from hardware.reading import read
from hardware.recording import RecordingError

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    import pynwb

    from hardware.export.nwb import recover

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")

LOSS = 0.25  # [s]
# Both modes at the pace of a rig, in blocks of 20 ms; each tells how many samples came, how many are safe, and when.
CHILD = """
import sys, time
import numpy as np
from hardware.recorder import Recorder
from hardware.track import Track
from hardware.rig import Block, Provenance
from simulators.stimulus import step

path, mode, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
rate, names = (50.0, ("a", "b", "c", "d")) if mode == "continuous" else (20.0, ("response", "command"))
size = int(20 * rate)
recorder = Recorder(path, {"seed": seed})
stimulus = step(50.0, onset=100.0, duration=200.0, tail=100.0)
begun = time.monotonic()
if mode == "continuous":
    recorder.start_continuous(rate, {name: Track() for name in names})
for k in range(10_000):
    traces = dict(zip(names, np.random.default_rng([seed, k]).normal(-70, 1, (len(names), size))))
    lost = 7 if k % 11 == 5 else 0
    if mode == "continuous":
        recorder.append_continuous(traces, lost)
    else:
        if k % 20 == 0:
            recorder.start(stimulus, rate, Provenance())
        recorder.append(Block(**traces, lost=lost))
        if k % 20 == 19:
            recorder.finish({"rest": float(k)}, {"trial": k // 20})
    if k % 13 == 0:
        recorder.mark(f"block {k}")
    sys.stdout.write(f"{recorder.received} {recorder.on_disk} {time.monotonic()}\\n")
    sys.stdout.flush()
    time.sleep(max(0.0, begun + 0.02 * (k + 1) - time.monotonic()))
"""


def killed(path, mode, seed):
    """Record until a random moment; give how many samples came a quarter of a second before, and how many were safe."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", CHILD, str(path), mode, str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        first = child.stdout.readline()
        time.sleep(np.random.default_rng(seed).uniform(0, 1.2))
        child.send_signal(signal.SIGKILL)
        lines = [first, *child.stdout.read().splitlines(keepends=True)]
    # The last line may be cut.
    told = [line.split() for line in lines if line.endswith("\n")]
    # A child that had to wait for its turn gets the samples of that time in one moment, as from a driver's buffer.
    early = [int(came) for came, _, moment in told if float(moment) < float(told[-1][2]) - LOSS]
    return max(early, default=0), int(told[-1][1])


def laid_out(seed, blocks, channels, size):
    """Lay out what was put in, shape (channels, n), with NaN where samples were lost."""
    parts = []
    for k in blocks:
        lost = 7 if k % 11 == 5 else 0
        parts += [np.full((channels, lost), np.nan), np.random.default_rng([seed, k]).normal(-70, 1, (channels, size))]
    return np.concatenate(parts, axis=1)


def check_stretch(group, names, wanted):
    """Compare what is there with the beginning of what was put in; give how many samples are there."""
    stored = [group[name][()] for name in names if name in group]
    count = min((trace.size for trace in stored), default=0) if len(stored) == len(names) else 0
    for trace, put_in in zip(stored, wanted, strict=False):
        np.testing.assert_array_equal(trace[:count], put_in[:count])
    for first, lost in group["gaps"][()]:
        assert np.isnan(wanted[0][first : first + lost]).all()
    return int(np.isfinite(wanted[0][:count]).sum())


def check_continuous(path, seed):
    with open_hdf5(path) as file:
        if "000000" not in file["continuous"]:
            return 0
        group = file["continuous/000000"]
        blocks = 1 + max(group[name].size for name in "abcd") // 1000
        return check_stretch(group, "abcd", laid_out(seed, range(blocks), 4, 1000))


def check_sweeps(path, seed):
    kept = 0
    with open_hdf5(path) as file:
        groups = [file["sweeps"][name] for name in sorted(file["sweeps"])]
        for k, group in enumerate(groups):
            wanted = laid_out(seed, range(20 * k, 20 * k + 20), 2, 400)
            kept += check_stretch(group, ("response", "command"), wanted)
            if k < len(groups) - 1:
                assert group.attrs["complete"]
                assert group["features/rest"][()] == 20 * k + 19
                assert group["response"].shape == wanted[0].shape
    for sweep in read(path).sweeps:
        assert "lost" in sweep.problem or "ended after" in sweep.problem
    return kept


def check_marks(path):
    with open_hdf5(path) as file:
        texts = [row["text"].decode() for row in file["marks"][()]]
    assert texts == [f"block {13 * k}" for k in range(len(texts))]


def check_kill(path, mode, seed):
    early, promised = killed(path, mode, seed)
    kept = (check_continuous if mode == "continuous" else check_sweeps)(path, seed)
    check_marks(path)
    assert kept >= max(promised, early)
    return kept


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mode", ["sweeps", "continuous"])
def test_a_killed_recording_opens_and_has_lost_a_quarter_of_a_second_at_most(tmp_path, mode, seed):
    check_kill(tmp_path / "session.h5", mode, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 150))
@pytest.mark.parametrize("mode", ["sweeps", "continuous"])
def test_each_of_a_hundred_killed_recordings_does_and_is_recovered(tmp_path, mode, seed):
    path, out = tmp_path / "session.h5", tmp_path / "session.nwb"
    if not check_kill(path, mode, seed):
        # Killed in its first tenth of a second it has nothing to recover.
        with pytest.raises(RecordingError, match="nothing was recorded in it"):
            recover(path, out)
        return
    recover(path, out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pynwb.validate(path=str(out)) == []
