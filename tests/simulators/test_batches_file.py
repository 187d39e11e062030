"""The file of a simulation of any length: it resumes and grows, knows its origin, and refuses what doesn't fit."""

import json
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from simulators.batches import Progress, read_batches
from simulators.chunks import ChunkError
from simulators.cortical import Cortical
from simulators.plan import BatchError
from simulators.stimulus import Epoch, Stimulus, step

pytestmark = pytest.mark.usefixtures("importable")

# The run that `run` makes where nothing else is said.
STIMULI = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))
CHUNK, CELLS, SEED = 8, 8 * 12, 11


KILLED = """
import sys
from stand_ins import Noisy
from simulators.batches import simulate_batches
from simulators.stimulus import step
stimuli = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))
def told(progress):
    print(progress.cells, flush=True)
    sys.stdin.readline()
simulate_batches(Noisy(), Noisy.parameters, stimuli, sys.argv[1], cells=96, rate=10.0, seed=11, chunk=8, told=told)
"""


@pytest.fixture
def begun(tmp_path, stand_ins):
    """A run in another process that waits after its third chunk."""
    path = tmp_path / "cells.h5"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for cells in (8, 16, 24):
            assert process.stdout.readline() == f"{cells}\n"
            if cells < 24:
                process.stdin.write("\n")
                process.stdin.flush()
        yield path, process
        process.kill()


def test_a_run_that_is_killed_resumes_with_identical_numbers(begun, tmp_path, stand_ins, run, same):
    path, process = begun
    process.kill()
    process.wait()
    with h5py.File(path, "a") as file:
        file.create_group("writing")["theta"] = np.zeros((2, 1))
    told = []
    run(path, stand_ins.Noisy(), told=told.append)
    assert [progress.cells for progress in told] == list(range(32, CELLS + 1, CHUNK))
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    same(tmp_path / "alone.h5", path)


def test_a_file_that_another_run_writes_is_left_to_it(begun, stand_ins, run):
    path, _ = begun
    with pytest.raises(ChunkError, match="is open in another process"):
        run(path, stand_ins.Noisy())


def test_a_sweep_that_blows_up_is_counted_and_is_nan(tmp_path, stand_ins, run):
    path = tmp_path / "cells.h5"
    progress = run(path, stand_ins.Explosive())
    expected = 0
    for batch in read_batches(path):
        blown = batch.theta[:, 0] > -30.0
        assert batch.blown_up == 2 * blown.sum()
        expected += batch.blown_up
        for response in batch.responses:
            np.testing.assert_array_equal(np.isnan(response).any(axis=1), blown)
            assert np.isfinite(response[:, : response.shape[1] // 2]).all()
    assert 0 < expected < 2 * CELLS
    assert progress == Progress(CELLS, CELLS, expected)
    assert run(path, stand_ins.Explosive(), cells=CELLS + 1).blown_up >= expected


@pytest.mark.parametrize("by_name", [False, True])
def test_a_summary_is_kept_in_place_of_the_responses(tmp_path, stand_ins, by_name, run):
    summary = "stand_ins:extremes" if by_name else stand_ins.extremes
    run(tmp_path / "whole.h5", stand_ins.Explosive())
    run(tmp_path / "cells.h5", stand_ins.Explosive(), summarize=summary)
    for whole, batch in zip(read_batches(tmp_path / "whole.h5"), read_batches(tmp_path / "cells.h5"), strict=True):
        assert batch.responses == ()
        assert batch.values.shape == (CHUNK, 2, 3)
        np.testing.assert_array_equal(batch.theta, whole.theta)
        blown = batch.theta[:, 0] > -30.0
        assert np.isnan(batch.values[blown]).all()
        for k, stimulus in enumerate(STIMULI):
            wanted = stand_ins.extremes(whole.responses[k], stimulus, 10.0)
            np.testing.assert_allclose(batch.values[~blown, k], wanted[~blown], rtol=1e-6)
    assert batch.blown_up == whole.blown_up


def test_a_summary_of_another_shape_is_refused_by_name(tmp_path, stand_ins, run):
    with pytest.raises(BatchError, match=r"stand_ins:flat gave the shape \(8,\), \(8, f\) was wanted"):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), summarize=stand_ins.flat)


def test_cells_are_rounded_up_to_whole_chunks_and_more_can_follow(tmp_path, stand_ins, run, same):
    path = tmp_path / "cells.h5"
    assert run(path, stand_ins.Noisy(), cells=9) == Progress(16, 16, 0)
    assert run(path, stand_ins.Noisy(), cells=CELLS) == Progress(CELLS, CELLS, 0)
    assert run(path, stand_ins.Noisy(), cells=9) == Progress(16, 16, 0)
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    same(tmp_path / "alone.h5", path)


def test_what_is_there_is_not_made_again(tmp_path, stand_ins, run):
    marks = tmp_path / "marks"
    marks.mkdir()
    run(tmp_path / "cells.h5", stand_ins.Held(marks))
    made = len(list(marks.iterdir()))
    assert made == 2 * CELLS // CHUNK
    run(tmp_path / "cells.h5", stand_ins.Held(marks))
    assert len(list(marks.iterdir())) == made


OTHERS = {
    "seed": {"seed": SEED + 1},
    "chunk": {"chunk": CHUNK + 1},
    "rate": {"rate": 20.0},
    "stimuli": {"stimuli": STIMULI[::-1]},
    "prior": {"prior": "narrower"},
    "summary": {"summarize": "stand_ins:extremes"},
    "simulator": {"simulator": "Explosive"},
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_file_of_another_origin_is_refused_and_left_alone(tmp_path, stand_ins, what, run):
    path = tmp_path / "cells.h5"
    run(path, stand_ins.Noisy(), cells=CHUNK)
    before = path.read_bytes()
    other = dict(OTHERS[what])
    simulator = getattr(stand_ins, other.pop("simulator", "Noisy"))()
    if what == "prior":
        other["prior"] = (replace(stand_ins.Noisy.parameters[0], low=-90.0),)
    with pytest.raises(ChunkError, match=rf"cells\.h5 was begun with another {what} and can't be continued"):
        run(path, simulator, **other)
    assert path.read_bytes() == before


def test_a_file_that_other_code_began_is_refused(tmp_path, stand_ins, monkeypatch, run):
    run(tmp_path / "cells.h5", stand_ins.Noisy(), cells=CHUNK)
    monkeypatch.setattr("simulators.plan.code", lambda *_: "another")
    with pytest.raises(ChunkError, match="was begun with another code"):
        run(tmp_path / "cells.h5", stand_ins.Noisy())


def test_a_simulator_is_another_when_its_attributes_are(tmp_path, run):
    given = {"cells": 8, "stimuli": STIMULI[:1]}
    run(tmp_path / "cells.h5", Cortical(), **given)
    with pytest.raises(ChunkError, match="another simulator"):
        run(tmp_path / "cells.h5", Cortical(E_K=-94.0), **given)


def test_a_foreign_file_is_refused_and_left_alone(tmp_path, stand_ins, run):
    text, foreign = tmp_path / "text.h5", tmp_path / "foreign.h5"
    text.write_text("Notes of a cell.", encoding="utf-8")
    with h5py.File(foreign, "w") as file:
        file["recording"] = np.arange(5)
    before = foreign.read_bytes()
    with pytest.raises(ChunkError, match=r"text\.h5 is no HDF5 file; choose another name or move it"):
        run(text, stand_ins.Noisy())
    with pytest.raises(ChunkError, match=r"foreign\.h5 holds something other than simulated batches"):
        run(foreign, stand_ins.Noisy())
    assert text.read_text(encoding="utf-8") == "Notes of a cell."
    assert foreign.read_bytes() == before
    with pytest.raises(ChunkError, match=r"nowhere is no folder; make it"):
        run(tmp_path / "nowhere" / "cells.h5", stand_ins.Noisy())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cells": 0}, "0 cells were asked for"),
        ({"chunk": 0}, "A chunk of 0 cells was asked for"),
        ({"seed": -1}, "The seed is -1"),
        ({"seed": 2**63}, "from 0 to 2\\^63 - 1"),
        ({"rate": float("nan")}, "nan kHz, a positive one"),
        ({"stimuli": ()}, "No stimulus was given"),
        ({"prior": Cortical.parameters}, r"The prior is of C \[pF\].*parameters were wanted: E_leak \[mV\]"),
        ({"prior": "wider"}, "E_leak reaches from -120 to 0 mV, within -100 to 0 mV was wanted"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_file_is_made(tmp_path, stand_ins, given, message, run):
    if given.get("prior") == "wider":
        given = {"prior": (replace(stand_ins.Noisy.parameters[0], low=-120.0),)}
    with pytest.raises(BatchError, match=message):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), **given)
    assert not (tmp_path / "cells.h5").exists()


def test_a_stimulus_in_the_wrong_clamp_is_refused_by_the_chunk_that_meets_it(tmp_path, stand_ins, run):
    clamp = Stimulus("voltage", (Epoch(-70.0, 10.0), Epoch(0.0, 10.0)))
    with pytest.raises(BatchError, match=r"Chunk 0 .*ValueError: Stimulus is in voltage clamp"):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), stimuli=(clamp,))


def test_a_file_says_what_it_was_made_from_without_pickle(tmp_path, stand_ins, run):
    run(tmp_path / "cells.h5", stand_ins.Held(tmp_path), cells=1)
    with h5py.File(tmp_path / "cells.h5", "r") as file:
        origin = json.loads(file["origin"].asstr()[()])
        assert all(item.dtype.kind in "fiuO" for item in (file["origin"], file["000000/theta"]))
    assert origin["simulator"] == ["stand_ins:Held", {"folder": str(tmp_path)}]
    assert origin["seed"] == SEED
