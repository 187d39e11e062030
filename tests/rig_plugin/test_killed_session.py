"""A whole session, with its inference or without a gap, is killed at random moments, and becomes a valid NWB file."""

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

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    import pynwb

    from hardware.export.nwb import recover

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")

LOSS = 0.25  # [s]
# At the pace of a rig; each word on the recording tells how many samples came, how many are safe, and when.
CHILD = """
import sys, time
from pathlib import Path
from rig_plugin.opening import attach, network
from rig_plugin.settings import ProtocolSettings, RigSettings, Settings

class Teller:
    def __getattr__(self, event):
        return lambda *what: None
    def status(self, status):
        sys.stdout.write(f"{status.received} {status.on_disk} {time.monotonic()}\\n")
        sys.stdout.flush()

protocol = ProtocolSettings(duration=200.0, tail=50.0, interval=550.0, gap_free=float(sys.argv[2]))
settings = Settings(rig=RigSettings(seed=int(sys.argv[3])), protocol=protocol)
attach(settings, network(), sweeps=1000, out=Path(sys.argv[1]), listeners=[Teller()]).run()
"""


def killed(path, gap_free, seed):
    """Run a session until a random moment; give how many samples came a quarter of a second before, and were safe."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", CHILD, str(path), str(gap_free), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        first = child.stdout.readline()
        time.sleep(np.random.default_rng(seed).uniform(0, 3.0))
        child.send_signal(signal.SIGKILL)
        lines = [first, *child.stdout.read().splitlines(keepends=True)]
    # The last line may be cut.
    told = [line.split() for line in lines if line.endswith("\n")]
    early = [int(came) for came, _, moment in told if float(moment) < float(told[-1][2]) - LOSS]
    return max(early, default=0), int(told[-1][1])


def check(folder, gap_free, seed):
    path, out = folder / "session.h5", folder / "session.nwb"
    early, safe = killed(path, gap_free, seed)
    with open_hdf5(path) as file:
        stretches = [group for kind in ("sweeps", "continuous") for group in file[kind].values()]
        kept = sum(min(group["response"].size, group["command"].size) for group in stretches if "command" in group)
    assert kept >= max(early, safe)
    found = recover(path, out)
    assert found["samples"] >= kept
    assert bool(found["segments"]) == bool(gap_free)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pynwb.validate(path=str(out)) == []


@pytest.mark.long
def test_a_killed_session_has_lost_a_quarter_of_a_second_at_most_and_is_recovered(tmp_path):
    check(tmp_path, 0.0, 7)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("gap_free", [0.0, 600_000.0])
def test_each_of_fifty_killed_sessions_is(tmp_path, gap_free, seed):
    check(tmp_path, gap_free, seed)
