"""Tables: every number comes back exactly, what is missing is empty, and a file is whole or not there."""

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.membrane import Membrane
from rig_plugin.comma_line import comma_line
from rig_plugin.draws import DrawsError, draws
from rig_plugin.ledger import Ledger, LedgerError
from rig_plugin.trial import Latency, Trial, Trust
from rig_plugin.whole_file import WholeFileError, write_whole

ODD = 'A "seal", lost\r\nat −70 mV;\tµ\x00'
BARE = Trial(2, 7, None, {}, None, 0, Trust(False, float("nan"), None), Latency(1.0, None, 2.0))


def read(pieces):
    """Read a table as Python's own reader does."""
    text = b"".join(pieces).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@given(st.lists(texts | st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=2, max_size=5))
def test_every_text_and_number_comes_back(cells):
    line = comma_line(cells).decode("utf-8")
    assert line.endswith("\r\n")
    (found,) = csv.reader(io.StringIO(line, newline=""))
    assert [type(cell)(told) for cell, told in zip(cells, found, strict=True)] == cells


def test_what_no_file_can_hold_is_escaped_and_nothing_is_empty():
    assert comma_line(["\udcff", None, "", False]) == b"\\udcff,,,false\r\n"


def test_a_row_says_what_the_json_of_the_command_says(scripted):
    ledger = Ledger(scripted.parameters, scripted.features)
    good = scripted.trial(3, reason=ODD)
    ledger.enter(good)
    (row,) = read(ledger.pieces())
    told = good.to_json()
    assert row["trial"] == "3" and row["file_sweep"] == ""
    assert float(row["stimulus.step_pA"]) == told["stimulus"]["step_pA"] == 120.0
    assert json.loads(row["stimulus.epochs"]) == told["stimulus"]["epochs"]
    for feature in scripted.features:
        name = f"features.{feature.name}" + (f" [{feature.unit}]" if feature.unit != "1" else "")
        value = told["features"][feature.name]
        assert row[name] == ("" if value is None else repr(value))
    for parameter in scripted.parameters:
        for quantile in ("median", "q05", "q95"):
            unit = f" [{parameter.unit}]" if parameter.unit != "1" else ""
            found = row[f"posterior.{parameter.name}.{quantile}{unit}"]
            assert float(found) == told["posterior"][parameter.name][quantile]
    assert row["posterior.withheld"] == "" and row["trust.reason"] == ODD and row["trust.in_distribution"] == "true"
    assert [float(row[f"latency_ms.{name}"]) for name in ("features", "posterior", "total")] == [4.0, 12.0, 17.0]
    assert row["sweeps_used"] == "4" and row["trust.score"] == "0.94"


def test_a_withheld_posterior_is_empty_cells_and_the_reason(scripted):
    ledger = Ledger(scripted.parameters, scripted.features)
    ledger.enter(scripted.trial(1, withheld=True, reason="No spike, yet."))
    ledger.enter(BARE)
    for row, reason in zip(read(ledger.pieces()), ("No spike, yet.", "No reason was given."), strict=True):
        quantiles = [name for name in row if name.startswith("posterior.") and name != "posterior.withheld"]
        assert len(quantiles) == 3 * len(scripted.parameters) and not any(row[name] for name in quantiles)
        assert row["posterior.withheld"] == reason
    assert row["file_sweep"] == "7" and row["stimulus.clamp"] == row["trust.score"] == row["features.sag [mV]"] == ""


def test_what_the_test_pulse_says_is_in_the_row(scripted):
    trial = scripted.trial(1)
    trial.__dict__["membrane"] = Membrane("current", 1.5, 148.25, 61.5, 9.125, -35.0, -71.5, 0.99)
    ledger = Ledger(scripted.parameters, scripted.features)
    ledger.enter(trial)
    (row,) = read(ledger.pieces())
    told = {name: float(cell) for name, cell in row.items() if name.startswith("membrane.")}
    assert told == {f"membrane.{name}": value for name, value in trial.to_json()["membrane"].items()}


def test_a_table_is_that_of_the_moment_when_it_was_asked_for(scripted):
    ledger = Ledger(scripted.parameters, scripted.features)
    with pytest.raises(LedgerError, match="first trial"):
        ledger.pieces()
    ledger.enter(scripted.trial(0))
    pieces = ledger.pieces()
    ledger.enter(scripted.trial(1))
    assert [row["trial"] for row in read(pieces)] == ["0"]
    assert [row["trial"] for row in read(ledger.pieces())] == ["0", "1"]
    ledger.clear()
    ledger.enter(scripted.trial(5))
    assert [row["trial"] for row in read(ledger.pieces())] == ["5"]


def test_a_disk_without_room_is_told_when_the_table_is_saved(scripted):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    ledger = Ledger(scripted.parameters, scripted.features)
    ledger.enter(scripted.trial(0))
    ledger._file = Full()
    ledger.enter(scripted.trial(1))
    with pytest.raises(LedgerError, match=r"after 1 trials.*No space left"):
        ledger.pieces()
    ledger.clear()
    with pytest.raises(LedgerError, match="first trial"):
        ledger.pieces()


def test_draws_come_back_as_they_were_and_withheld_ones_do_not_come(scripted):
    trial = scripted.trial(2)
    rows = list(csv.reader(io.StringIO(b"".join(draws(trial)).decode(), newline="")))
    assert rows[0][:2] == ["C [pF]", "g_leak [mS/cm2]"] and rows[0][8] == "kinetics"
    assert np.array_equal(np.array(rows[1:], float), trial.posterior.draws)
    with pytest.raises(DrawsError, match=r"withheld\. The seal broke"):
        draws(dataclasses.replace(trial, posterior=None, trust=Trust(False, math.nan, "The seal broke.")))


def test_a_file_is_whole_or_as_it_was(tmp_path):
    file = tmp_path / "table.csv"
    assert write_whole(file, [b"old"]) == 3

    def broken():
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(WholeFileError, match=r"table\.csv can't be written \(No space left on device\); choose"):
        write_whole(file, broken())
    assert file.read_bytes() == b"old"
    assert write_whole(file, [b"new", b"er"]) == 5
    assert file.read_bytes() == b"newer" and [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    with pytest.raises(WholeFileError, match="No such file"):
        write_whole(tmp_path / "nowhere" / "a.csv", [b""])
