"""The process that opens files: it gives what the readers give, and whatever happens in it stays there."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware import reading_room
from hardware.choice import Choice
from hardware.formats import reader_of
from hardware.reading import read
from hardware.reading_room import ReadingRoom
from hardware.recording import RecordingError

DESK = (
    "import sys; sys.path[:] = {path!r}; import os, time, numpy as np, hardware.reading_desk as desk\n"
    "read = desk._read\n"
    "def act(question):\n"
    "    {act}\n"
    "    return read(question)\n"
    "desk._read = act; desk.serve()"
)
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="This system has no such bound.")


@pytest.fixture
def room(monkeypatch):
    """Open a room in which something is done before each file is read."""
    rooms = []

    def made(act=None, **options):
        if act is not None:
            monkeypatch.setattr(reading_room, "_DESK", DESK.replace("{act}", act))
        rooms.append(ReadingRoom(**options))
        return rooms[-1]

    yield made
    for each in rooms:
        each.forget()


@pytest.fixture
def path(make_nwb, tmp_path):
    return make_nwb(tmp_path / "a.nwb", tables=True, bias=-20e-12)


def same(a, b):
    """Whether two recordings are the same bit by bit."""
    assert (a.path, a.format, a.channels, a.problems, a.clamp_source) == (
        b.path, b.format, b.channels, b.problems, b.clamp_source,
    )  # fmt: skip
    assert len(a.sweeps) == len(b.sweeps)
    for x, y in zip(a.sweeps, b.sweeps, strict=True):
        for name, value in vars(x).items():
            other = getattr(y, name)
            if isinstance(value, np.ndarray):
                assert (value.dtype, value.tobytes(), value.flags.writeable) == (other.dtype, other.tobytes(), False)
            else:
                assert value == other
    return True


def test_a_recording_comes_over_bit_by_bit(path):
    assert same(read(path), reader_of(path)(path, Choice()))


def test_every_real_recording_comes_over_bit_by_bit(data):
    compared = 0
    for path in sorted(data.glob("*.*")):
        try:
            here = reader_of(path)(path, Choice())
        except RecordingError as error:
            with pytest.raises(RecordingError) as caught:
                read(path)
            assert str(caught.value) == str(error)
        else:
            compared += same(read(path), here)
    assert compared >= 13


def test_a_recording_of_ours_keeps_its_stimulus_and_its_corrections(tmp_path):
    from hardware.recorder import Recorder
    from hardware.rig import Block, Provenance
    from simulators.stimulus import step
    from simulators.sweep import Junction

    stimulus = step(50.0, onset=100.0, duration=100.0, tail=100.0)
    with Recorder(tmp_path / "own.h5", {}) as recorder:
        recorder.start(stimulus, 10.0, Provenance(junction=Junction("uncorrected", 14.0), bridge=0.003))
        recorder.append(Block(np.full(3000, -70.0), stimulus.command(10.0)))
        recorder.finish({}, {})
    (sweep,) = read(tmp_path / "own.h5").sweeps
    assert (sweep.stimulus, sweep.junction, sweep.bridge) == (stimulus, Junction("uncorrected", 14.0), 0.003)
    assert same(read(tmp_path / "own.h5"), reader_of(tmp_path / "own.h5")(tmp_path / "own.h5", Choice()))


def test_the_process_stays_for_the_next_file(room, path):
    kept = room()
    kept.read(path, Choice())
    first = kept._process.pid
    kept.read(path, Choice())
    assert kept._process.pid == first


def test_a_process_that_has_gone_meanwhile_is_replaced_unnoticed(room, path):
    kept = room()
    kept.read(path, Choice())
    kept._process.kill()
    kept._process.wait()
    assert len(kept.read(path, Choice()).sweeps) == 4


def test_a_process_that_nobody_asks_ends_by_itself_and_is_replaced_unnoticed(room, path):
    kept = room("desk._IDLE = 0.1")
    kept.read(path, Choice())
    first = kept._process
    assert first.wait(30) == 0
    kept.read(path, Choice())
    assert kept._process is not first


@pytest.mark.parametrize("end", ["os.abort()", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_crash_is_a_refusal_and_the_next_file_is_read(room, path, end, monkeypatch):
    kept = room(end)
    with pytest.raises(RecordingError, match="crashes the library that reads it"):
        kept.read(path, Choice())
    monkeypatch.undo()
    assert len(kept.read(path, Choice()).sweeps) == 4


def test_a_file_that_takes_for_ever_is_refused_in_time(room, path):
    with pytest.raises(RecordingError, match=r"not read within 0\.5 s"):
        room("time.sleep(600)", patience=0.5).read(path, Choice())


@ON_POSIX
def test_a_file_that_asks_for_too_much_memory_is_refused(room, path):
    with pytest.raises(RecordingError, match="more memory than any file of its size"):
        room("np.ones(2**29)").read(path, Choice())


@ON_POSIX
def test_the_process_can_write_no_file(room, path, tmp_path):
    act = f"open({str(tmp_path / 'written')!r}, 'wb', buffering=0).write(b'x')"
    with pytest.raises(RecordingError, match="File too large"):
        room(act).read(path, Choice())
    assert (tmp_path / "written").stat().st_size == 0


def test_what_a_library_prints_is_no_answer(room, path, capfd):
    loud = room("os.write(1, b'WARNING'); os.write(2, b'WARNING'); sys.stdout.write('WARNING')")
    assert len(loud.read(path, Choice()).sweeps) == 4
    assert capfd.readouterr() == ("", "")


def test_an_answer_that_is_none_is_a_refusal(room, path):
    with pytest.raises(RecordingError, match="gives no recording"):
        room("desk.send = lambda pipe, r: desk.send_object(pipe, {{}})").read(path, Choice())


@pytest.mark.parametrize("error", ["RuntimeError('a\\x1b[2J\\nb')", "RecursionError()", "SystemError('x' * 10**6)"])
def test_whatever_is_raised_is_one_sentence_that_no_terminal_obeys(room, path, error):
    with pytest.raises(RecordingError, match="is damaged") as caught:
        room(f"raise {error}").read(path, Choice())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 1000


@pytest.mark.parametrize("is_forgiving", [False, True])
def test_a_process_in_which_a_library_stumbled_reads_no_other_file(room, path, is_forgiving):
    kept = room(is_forgiving=is_forgiving)
    kept.read(path, Choice())
    first, cut = kept._process.pid, path.with_name("cut.nwb")
    cut.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(RecordingError, match="truncated"):
        kept.read(cut, Choice())
    kept.read(path, Choice())
    assert (kept._process.pid == first) == is_forgiving


def test_a_fork_leaves_the_process_to_its_owner(room, path):
    kept = room()
    kept.read(path, Choice())
    owned, owner = kept._process, kept._owner
    # What a copy of this process finds: another's process.
    kept._owner = -1
    kept.forget()
    assert owned.poll() is None
    kept._process, kept._owner = owned, -1
    kept.read(path, Choice())
    assert kept._process is not owned
    assert owned.poll() is None
    kept.forget()
    kept._process, kept._owner = owned, owner


def test_a_script_without_a_guard_reads_and_leaves_no_process(path, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom hardware.reading import _ROOM, read\n"
        "n = len(read(sys.argv[1]).sweeps)\nsys.stdout.write(f'{n} {_ROOM._process.pid}')",
        encoding="utf-8",
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, str(script), str(path)],
        capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(root)}, check=True,
    )  # fmt: skip
    sweeps, child = map(int, done.stdout.split())
    assert (sweeps, done.stderr) == (4, "")
    assert not Path(f"/proc/{child}").exists()


def damaged(path, edit):
    with h5py.File(path, "a") as file:
        edit(file)
    return path


def elsewhere(file):
    del file["acquisition/answer0_00/data"]
    file["acquisition/answer0_00/data"] = h5py.ExternalLink("other.h5", "data")


def stored_outside(file):
    series = file["acquisition/answer0_00"]
    del series["data"]
    series.create_dataset("data", (6000,), "f8", external=[("other.raw", 0, 48_000)]).attrs["unit"] = "volts"


def put_together(file):
    layout = h5py.VirtualLayout((6000,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "data", (6000,))
    series = file["acquisition/answer0_00"]
    del series["data"]
    series.create_virtual_dataset("data", layout).attrs["unit"] = "volts"


@pytest.mark.parametrize("edit", [elsewhere, stored_outside, put_together])
def test_a_recording_that_leads_to_another_file_is_refused(path, edit):
    path.with_name("other.raw").write_bytes(bytes(48_000))
    with pytest.raises(RecordingError, match="another file"):
        read(damaged(path, edit))


@pytest.mark.parametrize("name", ["bias_current", "starting_time"])
def test_a_value_that_claims_to_be_an_array_is_not_allocated(path, name):
    def inflate(file):
        series = file["acquisition/answer0_00"]
        kept = dict(series[name].attrs)
        del series[name]
        series.create_dataset(name, shape=(2**33,), chunks=(1000,), dtype="f8").attrs.update(kept)

    with pytest.raises(RecordingError, match="holds no single value"):
        read(damaged(path, inflate))


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(path):
    def inflate(file):
        series = file["acquisition/answer0_00"]
        unit = dict(series["data"].attrs)
        del series["data"]
        zeros = series.create_dataset("data", shape=(45_000_000,), chunks=(45_000_000,), dtype="f8", compression="gzip")
        zeros.attrs.update(unit)
        zeros[:100] = 1.0

    with pytest.raises(RecordingError, match="in pieces of 45000000 samples"):
        read(damaged(path, inflate))


def test_a_table_that_repeats_one_series_for_ever_is_refused(path):
    def repeat(file):
        table = file["general/intracellular_ephys/intracellular_recordings"]
        for column in ("responses/response", "stimuli/stimulus"):
            rows = np.repeat(table[column][:1], 30_000)
            attributes = dict(table[column].attrs)
            del table[column]
            table.create_dataset(column, data=rows, dtype=rows.dtype).attrs.update(attributes)

    with pytest.raises(RecordingError, match="no column of at most 20000 rows"):
        read(damaged(path, repeat))


def test_a_name_is_shown_and_never_obeyed(path):
    def rename(file):
        file["acquisition/answer0_00"].attrs["stimulus_description"] = "\x1b]0;owned\x07steps"

    assert (
        read(damaged(path, rename)).sweeps[0].protocol
        == "\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}steps"
    )


@pytest.mark.parametrize("rate", [1e-6, 1e9])
def test_a_rate_that_no_digitizer_has_is_refused(path, rate):
    def hurry(file):
        for place in ("acquisition", "stimulus/presentation"):
            for series in file[place].values():
                series["starting_time"].attrs.modify("rate", rate)

    with pytest.raises(RecordingError, match="kHz was wanted"):
        read(damaged(path, hurry))
