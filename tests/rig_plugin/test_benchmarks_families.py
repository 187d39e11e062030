import json

import numpy as np
import pytest

from estimators.context import Context
from estimators.features import NAMES
from rig_plugin.__main__ import main
from rig_plugin.benchmarks.families import _Line, measure
from rig_plugin.opening import network
from rig_plugin.tasks.cell import Cell, cells
from rig_plugin.tasks.half import held
from rig_plugin.tasks.in_sample import AREAS, in_sample, single
from rig_plugin.tasks.tally import Tally, interval_score, rheobase_off
from simulators.refusal import Refusal

COUNT, REST = NAMES.index("spike_count"), NAMES.index("rest")
KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}


def test_an_interval_costs_its_width_and_twenty_times_what_it_misses():
    assert interval_score(2.0, 5.0, 3.0) == 3.0
    assert interval_score(2.0, 5.0, 6.0) == 3.0 + 20.0
    assert interval_score(2.0, 5.0, 1.5) == 3.0 + 10.0


def test_a_straight_line_is_narrow_where_lines_are_right_and_wide_where_they_are_not():
    currents = np.arange(0.0, 100.0, 10.0)
    low, high = _Line(currents, currents / 5.0).interval(45.0)
    assert low <= 9.0 <= high
    assert high - low <= 2.0
    jagged = currents / 5.0 + np.tile([0.0, 6.0], 5)
    assert np.ptp(_Line(currents, jagged).interval(45.0)) > 10.0


def test_what_hardly_any_draw_has_was_not_predicted():
    truth = np.full(len(NAMES), np.nan)
    truth[[COUNT, REST]] = 3.0, -70.0
    drawn = np.full((200, len(NAMES)), np.nan)
    drawn[:, COUNT] = 3.0
    drawn[:3, REST] = -70.0
    assert held(drawn, truth) == {"spike_count": True, "rest": False}


def test_rheobase_is_off_by_steps_of_the_family():
    rows = np.zeros((10, len(NAMES)))
    rows[:, COUNT] = (0, 0, 0, 1, 2, 3, 4, 4, 5, 5)
    contexts = tuple(Context(20.0 * k, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0) for k in range(10))
    family = Cell("cell.abf", rows, contexts)
    assert rheobase_off(family, np.array([58.0])) == 0.0
    assert rheobase_off(family, np.array([60.0])) == 0.0
    assert rheobase_off(family, np.array([38.0, 39.0, 61.0])) == 1.0
    assert rheobase_off(family, np.array([np.inf])) == 7.0


def test_a_tally_keeps_what_was_held_how_wide_and_at_which_cost():
    truths, drawn = np.full((2, len(NAMES)), np.nan), np.full((201, len(NAMES)), np.nan)
    truths[:, COUNT], truths[:, REST] = (20.0, 0.0), (-70.0, -60.0)
    drawn[:, COUNT], drawn[:, REST] = np.linspace(0.0, 20.0, 201), np.linspace(-71.0, -69.0, 201)
    tally = Tally()
    for truth in truths:
        tally.add(drawn, truth)
    # Nine tenths go from 1 to 19 spikes; of 20 a fifth are wanted, and a silent sweep wants none.
    assert tally.inside == [False, True, False, False]
    assert tally.widths == pytest.approx([9.0 / 4.0])
    assert tally.scores == pytest.approx([18.0 + 20.0, 18.0 + 20.0])
    assert (tally.share, tally.half_width, tally.score) == pytest.approx((0.25, 2.25, 38.0))


def test_a_ledger_without_a_number_of_simulations_is_refused(tmp_path):
    with pytest.raises(Refusal, match="--simulations N"):
        measure(data=tmp_path, out=tmp_path / "fits.jsonl")


def test_a_family_knows_its_currents_and_counts():
    rows = np.zeros((2, len(NAMES)))
    rows[:, COUNT] = 0, 4
    contexts = tuple(Context(pA, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0) for pA in (-20.0, 100.0))
    family = Cell("cell.abf", rows, contexts)
    assert family.currents.tolist() == [-20.0, 100.0]
    assert family.counts.tolist() == [0.0, 4.0]


def test_a_folder_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("RIG_DATA", raising=False)
    with pytest.raises(Refusal, match="--data FOLDER"):
        measure()
    with pytest.raises(Refusal, match="holds a family of steps or a sweep that fires"):
        measure(data=tmp_path)


@pytest.mark.long
def test_families_are_found_among_recordings_of_every_kind(data):
    found = list(cells(data, network()))
    assert [cell.name for cell in found if cell.is_family] == [
        "171116sh_0018.abf",
        "18713001.abf",
        "190619B_0003.abf",
        "LantyerEtAl2018_180817_ME_9_CC.nwb",
    ]


@pytest.mark.long
def test_cells_of_one_sweep_are_told_apart_from_families(data):
    single = [cell for cell in cells(data, network()) if len(cell.rows) == 1 and cell.counts[0] > 0]
    assert {number for cell in single for number in AREAS if number in cell.name} == set(AREAS)
    assert not any(cell.is_family for cell in single)


def test_a_trace_is_what_its_features_were_measured_on(data):
    cell = next(cell for cell in cells(data, network()) if cell.name == "171116sh_0018.abf")
    assert len(cell.traces) == len(cell.rows) == 17
    for trace, row, context in zip(cell.traces, cell.rows, cell.contexts, strict=True):
        assert len(trace) == round((context.baseline + context.duration + context.tail) * context.rate)
        onset, end = (round(time * context.rate) for time in (context.baseline, context.baseline + context.duration))
        assert np.mean(trace[onset - 1000 : onset]) == pytest.approx(row[REST], abs=0.1)
        # Its spikes reach 40 mV, and nothing else comes near 0.
        above = trace[onset:end] > 0.0
        assert (above[1:] & ~above[:-1]).sum() == row[COUNT]


@pytest.mark.long
def test_a_single_sweep_is_predicted_from_itself_beside_the_paper_s_area(data):
    checkpoint = network()
    alone = [single(cell, checkpoint, 90) for cell in cells(data, checkpoint) if "567399060" in cell.name]
    share, capacitance = in_sample(alone)
    assert share["n"] == 5
    assert 0.0 <= share["value"] <= 1.0
    assert capacitance["peer"] == "area of the eLife paper"
    assert capacitance["value"] * capacitance["ratio"] == pytest.approx(160.9)
    assert in_sample([]) == []


def test_the_page_shows_what_is_recorded_and_never_replaces_another(data, tmp_path, capsys):
    folder, page = tmp_path / "cells", tmp_path / "REPORT.html"
    folder.mkdir()
    (folder / "allen_567399060_sweep38.nwb").symlink_to(data / "allen_567399060_sweep38.nwb")
    arguments = ["bench", "families", "--data", str(folder), "--html", str(page), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["figures"][0]["name"] == "in_sample_90"
    text = page.read_text(encoding="utf-8")
    assert "allen_567399060_sweep38.nwb (in-sample)" in text
    assert "11 spikes recorded" in text
    assert main(arguments) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == text


def test_another_network_is_asked_where_one_is_named(data, tmp_path, capsys):
    other = tmp_path / "OTHER.h5"
    other.write_bytes(b"no checkpoint")
    assert main(["bench", "families", "--data", str(data), "--network", str(other)]) == 2
    assert "OTHER.h5" in capsys.readouterr().err


@pytest.mark.long
def test_real_cells_are_predicted_with_their_learned_error_and_mostly_by_the_posterior_alone(data):
    figures = measure(data=data)
    assert all(set(figure) == KEYS for figure in figures)
    assert json.dumps(figures, allow_nan=False)
    values = {figure["name"]: figure["value"] for figure in figures}
    for family in {name.split("/")[0] for name in values if name.endswith("/inside_90")}:
        with_it, without = values[f"{family}/inside_90"], values[f"{family}/inside_90_without_discrepancy"]
        assert 0.8 <= with_it <= 0.98
        assert 0.6 <= without < with_it
