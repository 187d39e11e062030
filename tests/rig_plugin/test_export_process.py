"""Whatever a file does to HDF5, and whoever is killed, an export ends with a file, or one sentence and nothing."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from hardware.recorder import Recorder
from hardware.rig import Block, Provenance
from rig_plugin import export_process
from rig_plugin.export_process import written
from simulators.refusal import Refusal
from simulators.stimulus import step

ROOT = Path(__file__).resolve().parents[2]


def record(path, duration):
    """One sweep of noise at 20 kHz."""
    stimulus = step(50.0, onset=100.0, duration=duration)
    noise = np.random.default_rng(1).normal(-70.0, 1.0, stimulus.command(20.0).size)
    with Recorder(path, {}) as recorder:
        recorder.start(stimulus, 20.0, Provenance())
        for k in range(0, noise.size, 4000):
            recorder.append(Block(noise[k : k + 4000], noise[k : k + 4000]))
        recorder.finish({"rest": -70.0}, {})
    return path


@pytest.fixture(scope="module")
def long_session(tmp_path_factory):
    """One that takes a second or two to write."""
    return record(tmp_path_factory.mktemp("process") / "long.h5", 100_000.0)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return record(tmp_path_factory.mktemp("process") / "cell.h5", 300.0)


def test_the_process_gives_what_the_export_gives(session, tmp_path):
    found = written("export", session, tmp_path / "a.nwb")
    assert (found["sweeps"], found["lost"]) == (1, [])
    assert (tmp_path / "a.nwb").stat().st_size == found["bytes"]


def test_a_refusal_comes_through_as_it_was_said(session, tmp_path):
    (tmp_path / "a.nwb").write_text("mine")
    with pytest.raises(Refusal, match="never overwritten"):
        written("recover", session, tmp_path / "a.nwb")


def test_a_file_that_holds_hdf5_without_end_is_refused_and_nothing_is_left(session, tmp_path):
    with pytest.raises(Refusal, match="holds HDF5 without end"):
        written("export", session, tmp_path / "a.nwb", patience=0.0)
    assert list(tmp_path.iterdir()) == []
    assert multiprocessing.active_children() == []


def test_what_was_being_written_when_it_is_given_up_is_removed(long_session, tmp_path, monkeypatch):
    left = tmp_path / ".a.nwb.long.h5.partial"

    def give_up(*_):
        while not left.exists():
            time.sleep(0.005)
        raise Refusal("Given up.")

    monkeypatch.setattr(export_process, "_answer", give_up)
    with pytest.raises(Refusal, match="Given up"):
        written("export", long_session, tmp_path / "a.nwb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(60))
def test_damaged_bytes_end_in_a_file_or_one_sentence(session, tmp_path, seed):
    rng = np.random.default_rng(seed)
    whole = bytearray(session.read_bytes())
    if seed % 2:
        for place in rng.integers(len(whole), size=rng.integers(1, 20)):
            whole[place] = rng.integers(256)
    else:
        first = rng.integers(len(whole) - 4096)
        whole[first : first + 4096] = bytes(4096)
    path, out = tmp_path / "cell.h5", tmp_path / "cell.nwb"
    path.write_bytes(whole)
    try:
        found = written("recover" if seed % 3 else "export", path, out, patience=20.0)
        assert out.stat().st_size == found["bytes"]
    except Refusal as refusal:
        assert "\n" not in str(refusal)
        assert not out.exists()
    assert path.read_bytes() == whole
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_makes_hdf5_crash_is_refused_and_nothing_is_left(session, tmp_path, monkeypatch):
    start = BaseProcess.start
    monkeypatch.setattr(BaseProcess, "start", lambda process: start(process) or process.kill())
    with pytest.raises(Refusal, match="makes HDF5 crash"):
        written("export", session, tmp_path / "a.nwb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")
def test_a_killed_command_leaves_what_recover_clears_up(long_session, tmp_path):
    path, out = long_session, tmp_path / "cell.nwb"
    before = path.read_bytes()
    left = tmp_path / ".cell.nwb.long.h5.partial"
    code = "import sys; from rig_plugin.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "export", str(path), "--nwb", str(out), "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as exporter:
        while exporter.poll() is None and not (left.exists() and left.stat().st_size > 1_000_000):
            time.sleep(0.005)
        exporter.send_signal(signal.SIGKILL)
    assert left.exists()
    # The process that writes finds out within a second or two that nobody listens.
    again = tmp_path / "again.nwb"
    for _ in range(300):
        found = written("recover", path, again)
        if out.exists() or found["removed"]:
            break
        again.unlink()
        time.sleep(0.1)
    assert found["removed"] == [left.name]
    assert not left.exists()
    assert not out.exists()
    assert path.read_bytes() == before


def test_the_answer_is_json_whatever_went_wrong(session, tmp_path, monkeypatch):
    class Pipe:
        def send_bytes(self, said):
            self.said = said

    pipe = Pipe()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr("hardware.export.nwb.export", lambda *_: 1 // 0)
    export_process._write(pipe, "export", str(session), str(tmp_path / "a.nwb"))
    assert json.loads(pipe.said) == {"defect": "ZeroDivisionError: integer division or modulo by zero"}
