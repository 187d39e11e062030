"""The commands `export` and `recover`, as a user goes through them."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import h5py
import pytest

from estimators.features import FEATURES
from hardware.replay import Replay
from rig_plugin import opening
from rig_plugin.__main__ import main
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.settings import RigSettings, Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _same_hook_afterwards(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.delenv("RIG_PLUGIN_DEBUG", raising=False)


@pytest.fixture(scope="module")
def shipped():
    return opening.network()


@pytest.fixture(scope="module")
def session(shipped, tmp_path_factory):
    """A recording of four sweeps of a simulated cell."""
    path = tmp_path_factory.mktemp("export") / "cell.h5"
    opening.attach(Settings(rig=RigSettings(pace="max", seed=3)), shipped, sweeps=4, out=path).run()
    return path


def told(capsys, *arguments):
    """Status, JSON objects, and standard error of a command."""
    with warnings.catch_warnings():
        status = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, [json.loads(line) for line in said.out.splitlines()], said.err


def test_an_export_replays_to_the_features_and_posteriors_of_the_recording(session, shipped, tmp_path, capsys):
    out = tmp_path / "cell.nwb"
    status, (found,), error = told(capsys, "export", session, "--nwb", out, "--json")
    assert (status, error) == (0, "")
    assert (found["sweeps"], found["unfinished"], found["lost"], found["lost_samples"]) == (4, [], [], 0)
    ours, theirs = (
        [trial.to_json() for trial in opening.replay(ReplaySettings(path, pace="max"), shipped).trials()]
        for path in (session, out)
    )
    assert len(ours) == 4
    for one, other in zip(ours, theirs, strict=True):
        for key in ("features", "posterior", "stimulus", "sweeps_used", "trust"):
            assert one[key] == other[key], key


def test_features_are_exported_with_their_definitions_and_as_they_were_read(session, tmp_path, capsys):
    told(capsys, "export", session, "--nwb", tmp_path / "a.nwb", "--json")
    with h5py.File(session) as kept, h5py.File(tmp_path / "a.nwb") as nwb:
        table = nwb["processing/icephys/features"]
        for feature in FEATURES:
            column = table[feature.name]
            assert feature.meaning in column.attrs["description"]
            stored = [kept[f"sweeps/{k:06d}/features/{feature.name}"][()] for k in range(4)]
            assert [repr(float(value)) for value in column] == [repr(float(value)) for value in stored]


def test_without_json_a_human_reads_what_was_written_and_lost(session, tmp_path, capsys):
    with warnings.catch_warnings():
        assert main(["export", str(session), "--nwb", str(tmp_path / "a.nwb")]) == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["sweeps", "4"] in said and ["membrane_tests", "0"] in said and ["lost_samples", "0"] in said


def test_recover_writes_beside_the_recording_and_leaves_it_as_it_was(session, tmp_path, capsys):
    copy = tmp_path / "cell.h5"
    copy.write_bytes(session.read_bytes())
    with h5py.File(copy, "a") as file:
        sweep = file["sweeps/000003"]
        sweep.attrs["complete"] = False
        del sweep["features"], sweep["summary"]
        sweep["response"].resize((5000,))
    before = copy.read_bytes()
    status, (found,), error = told(capsys, "recover", copy, "--json")
    assert (status, error) == (0, "")
    assert (found["sweeps"], found["unfinished"]) == (4, [3])
    assert [(loss["where"], loss["first_sample"]) for loss in found["lost"]] == [("sweep 3", 5000)]
    assert copy.read_bytes() == before
    refusals = [passage.refusal for passage in Replay(tmp_path / "cell.nwb").stimuli]
    assert refusals[:3] == [None] * 3
    assert "ended after 5000 of" in refusals[3]


@pytest.mark.parametrize("command", ["export", "recover"])
def test_what_can_not_be_used_is_refused_in_one_line(session, tmp_path, capsys, command):
    taken, letter = tmp_path / "taken.nwb", tmp_path / "letter.h5"
    taken.write_text("mine")
    letter.write_text("Dear all")
    for given, out, said in [
        (session, taken, "never overwritten"),
        (session, tmp_path / "no" / "a.nwb", "is no folder"),
        (tmp_path / "none.h5", tmp_path / "a.nwb", "does not exist"),
        (letter, tmp_path / "a.nwb", "is no HDF5 file"),
    ]:
        status, lines, error = told(capsys, command, given, "--nwb", out, "--json")
        assert (status, lines) == (2, [])
        assert said in error
        assert len(error.splitlines()) == 1
    assert taken.read_text() == "mine"
    assert not (tmp_path / "a.nwb").exists()


def test_recover_does_not_write_over_a_file_of_its_own_choice(session, tmp_path, capsys):
    copy = tmp_path / "cell.h5"
    copy.write_bytes(session.read_bytes())
    (tmp_path / "cell.nwb").write_text("mine")
    status, lines, error = told(capsys, "recover", copy, "--json")
    assert (status, lines) == (2, [])
    assert "never overwritten" in error
    assert (tmp_path / "cell.nwb").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="Folders have other permissions on Windows.")
def test_a_folder_that_can_not_be_written_to_is_refused_in_one_line(session, tmp_path, capsys, monkeypatch):
    # Whoever runs the tests as the administrator may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    status, lines, error = told(capsys, "export", session, "--nwb", tmp_path / "a.nwb", "--json")
    assert (status, lines) == (2, [])
    assert "can't be written to" in error


def test_a_process_of_its_own_says_one_json_object_and_nothing_else(session, tmp_path):
    code = "import sys; from rig_plugin.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "export", str(session), "--nwb", str(tmp_path / "a.nwb"), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["sweeps"] == 4
