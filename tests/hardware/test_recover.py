"""What a dead program leaves behind becomes the same NWB file; no recording is changed, nothing is written over."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware.reading import read
from hardware.recording import RecordingError

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    import pynwb

    from hardware.export.disk import Disk
    from hardware.export.nwb import export, recover
    from hardware.export.partial import ExportError, PartialFile

ROOT = Path(__file__).resolve().parents[2]
RAMP = -70.0 - 0.001 * np.arange(6000)
killing = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def child(code, *arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def is_valid(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pynwb.validate(path=str(path)) == []


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
        recorder.flush()
        sys.stdout.write(f"{recorder.on_disk}\\n")
        sys.stdout.flush()
    recorder.finish({"rest": -70.0}, {})
"""


@killing
@pytest.mark.parametrize("lines", [1, 47, 90])
def test_a_killed_recording_is_recovered_to_its_last_flush(tmp_path, lines):
    path = tmp_path / "session.h5"
    with child(WRITER, path) as writer:
        for _ in range(lines):
            promised = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        promised = max([promised, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
    before = digest(path)
    found = recover(path, tmp_path / "session.nwb")
    assert digest(path) == before
    assert found["samples"] >= promised
    assert is_valid(tmp_path / "session.nwb")
    sweeps = read(tmp_path / "session.nwb").sweeps
    assert len(sweeps) == found["sweeps"]
    for sweep in sweeps:
        np.testing.assert_array_equal(sweep.response, RAMP[: sweep.response.size])
    assert all(sweep.problem is None for sweep in sweeps[:-1])


EXPORTER = """
import sys
from pathlib import Path
from hardware.export.nwb import export
export(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def long_session(make_session, path, segments=1, samples=3_000_000):
    """Noise, so that packing it takes a second or two."""
    noise = np.random.default_rng(1).normal(-70, 1, samples)
    whole = {"response": (noise, "volts", 1e-3), "command": (noise, "amperes", 1e-12)}
    return make_session(path, [{}], segments=[{"channels": whole}] * segments)


def killed_export(path, out, size):
    """Kill an export when what it writes has reached a size; the name of what it leaves behind."""
    left = out.with_name(f".{out.name}.{path.name}.partial")
    with child(EXPORTER, path, out) as exporter:
        while exporter.poll() is None and not (left.exists() and left.stat().st_size >= size):
            time.sleep(0.005)
        exporter.send_signal(signal.SIGKILL)
    return left


@killing
@pytest.mark.long  # tests/rig_plugin/test_export_process.py kills one
@pytest.mark.parametrize("size", [0, 5_000_000])
def test_a_killed_export_leaves_no_half_file_and_recovery_clears_up(make_session, tmp_path, size):
    path, out = long_session(make_session, tmp_path / "a.h5"), tmp_path / "a.nwb"
    before = digest(path)
    left = killed_export(path, out, size)
    assert left.exists()
    assert not out.exists()
    found = recover(path, out)
    assert found["removed"] == [left.name]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5", "a.nwb"]
    assert digest(path) == before
    assert is_valid(out)


@killing
@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
def test_an_export_killed_at_any_moment_leaves_the_recording_as_it_was(make_session, tmp_path, seed):
    path, out = long_session(make_session, tmp_path / "a.h5"), tmp_path / "a.nwb"
    before = digest(path)
    with child(EXPORTER, path, out) as exporter:
        time.sleep(np.random.default_rng(seed).uniform(0.5, 4.0))
        exporter.send_signal(signal.SIGKILL)
    assert digest(path) == before
    assert is_valid(out) if out.exists() else recover(path, out)["sweeps"] == 1
    assert not list(tmp_path.glob(".*")) or out.exists()


def test_an_export_that_still_runs_keeps_its_file(make_session, tmp_path):
    path = make_session(tmp_path / "a.h5", [{}])
    left = tmp_path / ".b.nwb.a.h5.partial"
    with closing(Disk(left)):
        assert recover(path, tmp_path / "a.nwb")["removed"] == []
        with pytest.raises(ExportError, match="by another program"):
            export(path, tmp_path / "b.nwb")
    assert recover(path, tmp_path / "c.nwb")["removed"] == [left.name]


def damage(path, name, chunk):
    """Overwrite one chunk of a trace with what is no gzip stream."""
    with h5py.File(path) as file:
        where = file[name].id.get_chunk_info(chunk)
    with path.open("r+b") as file:
        file.seek(where.byte_offset)
        file.write(b"\xff" * where.size)


def test_a_damaged_stretch_is_nan_and_told_and_all_else_is_there(make_session, tmp_path):
    path = make_session(tmp_path / "a.h5", [{"response": RAMP}, {"response": RAMP}])
    damage(path, "sweeps/000000/response", 3)
    with pytest.raises(RecordingError, match=r"damaged in '/sweeps/000000/response' .*run `recover` on it") as caught:
        export(path, tmp_path / "a.nwb")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5"]
    found = recover(path, tmp_path / "a.nwb")
    assert [(loss["where"], loss["first_sample"], loss["samples"]) for loss in found["lost"]] == [
        ("sweep 0", 1500, 500)
    ]
    with h5py.File(tmp_path / "a.nwb") as nwb:
        saved = nwb["acquisition/response_000000/data"][:]
        np.testing.assert_array_equal(saved[1500:2000], np.nan)
        np.testing.assert_array_equal(np.delete(saved, range(1500, 2000)), np.delete(RAMP, range(1500, 2000)))
        np.testing.assert_array_equal(nwb["acquisition/response_000001/data"][:], RAMP)


def edited(make_session, tmp_path, edit, sweeps=3):
    path = make_session(tmp_path / "a.h5", [{"response": RAMP}] * sweeps)
    with h5py.File(path, "a") as file:
        edit(file)
    return path


@pytest.mark.parametrize(
    ("edit", "sweeps", "where"),
    [
        (lambda f: f["sweeps/000001"].attrs.pop("stimulus"), 2, "sweep 1"),
        (lambda f: f["sweeps/000001"].attrs.modify("stimulus", "{"), 2, "sweep 1"),
        (lambda f: f["sweeps/000001"].attrs.modify("rate", -1.0), 2, "sweep 1"),
        (lambda f: f["sweeps/000001/response"].attrs.modify("unit", "amperes"), 2, "sweep 1"),
        (lambda f: f["sweeps/000001"].pop("response"), 2, "sweep 1"),
        (lambda f: f["sweeps/000001/response"].resize((0,)), 2, "sweep 1"),
        (lambda f: f.pop("marks") and f.create_group("marks"), 3, "marks"),
        (lambda f: f["metadata"].write_direct(np.array("{", dtype=h5py.string_dtype())), 3, "metadata"),
    ],
)
def test_what_can_not_be_read_is_told_and_the_rest_is_saved(make_session, tmp_path, edit, sweeps, where):
    found = recover(edited(make_session, tmp_path, edit), tmp_path / "a.nwb")
    assert found["sweeps"] == sweeps
    assert [loss["where"] for loss in found["lost"]] == [where]
    assert is_valid(tmp_path / "a.nwb")


def test_samples_that_were_promised_and_never_written_are_not_taken_for_zeros(make_session, tmp_path):
    def promise(file):
        group = file["sweeps/000001"]
        attributes = dict(group["response"].attrs)
        del group["response"]
        trace = group.create_dataset("response", shape=(6000,), chunks=(500,), dtype="f8")
        trace[:1000], trace[2500:4100] = RAMP[:1000], RAMP[2500:4100]
        trace.attrs.update(attributes)

    found = recover(edited(make_session, tmp_path, promise), tmp_path / "a.nwb")
    assert [(loss["first_sample"], loss["samples"]) for loss in found["lost"]] == [(1000, 1500), (4500, 1500)]
    with h5py.File(tmp_path / "a.nwb") as nwb:
        saved = nwb["acquisition/response_000001/data"][:]
    assert saved.size == 4500
    assert np.flatnonzero(np.isnan(saved)).tolist() == list(range(1000, 2500))


def test_a_response_that_is_longer_than_its_command_loses_nothing(make_session, tmp_path):
    path = edited(make_session, tmp_path, lambda f: f["sweeps/000002/command"].resize((3000,)))
    recover(path, tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb") as nwb:
        assert nwb["acquisition/response_000002/data"].shape == (6000,)
        assert nwb["stimulus/presentation/command_000002/data"].shape == (3000,)
    last = read(tmp_path / "a.nwb").sweeps[2]
    assert last.response.size == last.command.size == 3000
    assert "ended after 3000 of 6000 samples" in last.problem


@pytest.mark.long
def test_memory_is_bounded_however_long_the_recording_is(make_session, tmp_path):
    path = make_session(tmp_path / "a.h5", [{}])
    samples = 30_000_000
    with h5py.File(path, "a") as file:
        group = file.create_group("continuous/000000")
        group.attrs.update({"rate": 50e3, "start": "", "complete": True})
        for name, unit, conversion in (("response", "volts", 1e-3), ("command", "amperes", 1e-12)):
            trace = group.create_dataset(
                name, shape=(samples,), chunks=(1 << 16,), dtype="f8", compression="gzip", compression_opts=1
            )
            for k in range(0, samples, 1 << 20):
                trace[k : k + (1 << 20)] = -70.0
            trace.attrs.update({"unit": unit, "conversion": conversion})
    export(make_session(tmp_path / "small.h5", [{}]), tmp_path / "small.nwb")
    tracemalloc.start()
    try:
        recover(path, tmp_path / "a.nwb")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # One trace is 240 MB.
    assert peak < 40e6
    with h5py.File(tmp_path / "a.nwb") as nwb:
        assert nwb["acquisition/response_gap_free_000000/data"].shape == (samples,)
        assert nwb["acquisition/response_gap_free_000000/data"][-1] == -70.0


def test_nothing_is_written_over_not_even_what_comes_while_it_is_written(make_session, tmp_path):
    path, out = make_session(tmp_path / "a.h5", [{}]), tmp_path / "a.nwb"
    partial = PartialFile(out, path)
    with pytest.raises(ExportError, match="never overwritten"), partial.open():
        out.write_text("mine")
    assert out.read_text() == "mine"
    assert not partial.path.exists()
    with pytest.raises(ExportError, match="never overwritten"):
        export(path, out)
    assert out.read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no folders that can be brought to the disk.")
def test_the_name_is_given_when_all_is_on_the_disk_and_is_then_brought_there_too(make_session, tmp_path, monkeypatch):
    steps, fsync, link = [], os.fsync, os.link

    def seen_fsync(descriptor):
        steps.append("folder" if os.path.isdir(f"/dev/fd/{descriptor}") else os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "link", lambda *names: steps.append("name") or link(*names))
    found = export(make_session(tmp_path / "a.h5", [{}]), tmp_path / "a.nwb")
    assert steps == [found["bytes"], "name", "folder"]


def test_on_a_disk_without_hard_links_nothing_is_written_over_either(make_session, tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    path, out = make_session(tmp_path / "a.h5", [{}]), tmp_path / "a.nwb"
    export(path, out)
    assert is_valid(out)
    with pytest.raises(ExportError, match="never overwritten"), PartialFile(tmp_path / "b.nwb", path).open():
        (tmp_path / "b.nwb").write_text("mine")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5", "a.nwb", "b.nwb"]


FULL = """
import resource, signal, sys
from pathlib import Path
from hardware.export.nwb import export
from simulators.refusal import Refusal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    export(Path(sys.argv[1]), Path(sys.argv[2]))
except Refusal as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't limit the size of a file.")
@pytest.mark.parametrize("limit", [1000, 100_000, 3_000_000])
def test_a_full_disk_is_told_in_one_sentence_and_nothing_is_left(make_session, tmp_path, limit):
    path = long_session(make_session, tmp_path / "a.h5", samples=500_000)
    with child(FULL, path, tmp_path / "a.nwb", limit) as exporter:
        said, error = exporter.communicate()
    assert (exporter.returncode, error) == (0, "")
    assert "can't be written" in said
    assert len(said.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]
