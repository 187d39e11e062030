"""`check`: what is refused before minutes are spent, and what is said and written afterwards."""

import json
import os
from pathlib import Path

import pytest

from estimators import calibration
from rig_plugin.__main__ import main
from rig_plugin.report import calibration as report


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "NET.h5"
    path.write_bytes(b"no checkpoint")
    return str(path)


@pytest.fixture
def checked(monkeypatch):
    """Checking that takes no time; notes how many cells were asked for."""
    asked = []

    def check(network, *, simulations):
        asked.append(simulations)
        return {"n": simulations, "verdict": "Fine.", "rank_counts": {"C": [1, 2]}}

    monkeypatch.setattr(calibration, "check", check)
    monkeypatch.setattr(report, "calibration_page", lambda found, file, today: f"{file} {found['n']}")
    return asked


def refused(capsys, *arguments):
    assert main(["check", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return told.err


def test_five_thousand_cells_are_asked_for(capsys, checked, network):
    assert main(["check", network, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 5000


def test_one_cell_can_be_asked_for(capsys, checked, network):
    assert main(["check", network, "--simulations", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 1
    assert "--simulations" in refused(capsys, network, "--simulations", "0")


def test_the_page_is_written_and_what_was_found_is_said_all_the_same(capsys, checked, network, tmp_path):
    out = tmp_path / "REPORT.html"
    assert main(["check", network, "--simulations", "3", "--html", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 3
    assert out.read_text(encoding="utf-8") == "NET.h5 3"


def test_counts_of_ranks_are_for_machines(capsys, checked, network):
    assert main(["check", network]) == 0
    told = capsys.readouterr().out
    assert "Fine." in told
    assert "rank_counts" not in told


def test_a_page_that_is_there_is_refused_before_anything_is_done(capsys, checked, network, tmp_path):
    out = tmp_path / "REPORT.html"
    out.write_text("mine")
    assert "never overwritten" in refused(capsys, network, "--html", str(out))
    assert (out.read_text(), checked) == ("mine", [])


def test_a_page_that_came_meanwhile_is_kept_and_what_was_found_is_said(capsys, checked, network, tmp_path, monkeypatch):
    out = tmp_path / "REPORT.html"
    monkeypatch.setattr(report, "calibration_page", lambda *_: out.write_text("mine") and "other")
    assert main(["check", network, "--html", str(out), "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["n"] == 5000
    assert "never overwritten" in told.err
    assert out.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["NET.h5", "REPORT.html"]


def test_a_folder_that_is_missing_is_refused_before_anything_is_done(capsys, checked, network, tmp_path):
    told = refused(capsys, network, "--html", str(tmp_path / "gone" / "REPORT.html"))
    assert "gone is no folder" in told
    assert checked == []


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_done(capsys, checked, network, monkeypatch):
    monkeypatch.setattr("rig_plugin.commands.arguments.os.access", lambda path, mode: mode != os.W_OK)
    out = Path(network).with_name("REPORT.html")
    assert f"{out.parent} can't be written to" in refused(capsys, network, "--html", str(out))
    assert checked == []


def test_a_folder_is_no_page(capsys, checked, network, tmp_path):
    assert "never overwritten" in refused(capsys, network, "--html", str(tmp_path))


def test_a_network_that_is_missing_or_damaged_is_refused(capsys, network, tmp_path):
    said = refused(capsys, str(tmp_path / "none.h5"))
    assert "none.h5 is no file, a checkpoint, cortical-steps, patchseq-13 or cortical-tracking was wanted" in said
    assert "take a sound copy" in refused(capsys, network)
