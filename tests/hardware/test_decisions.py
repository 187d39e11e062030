"""What a script decided is kept in its recording, in order, survives a kill, and goes into the NWB file."""

import json
import math
import signal
import subprocess
import sys
import warnings
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.decision import EVENTS, Decision
from hardware.kept.decisions import decisions
from hardware.recorder import Recorder
from hardware.recording import RecordingError
from hardware.rig import Block, Provenance
from simulators.stimulus import step

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    from exported_file import complaints, opened, rows

    from hardware.export.nwb import export, recover

STEP = step(50.0, onset=50.0, duration=100.0, tail=50.0)
MISSED = Decision(2, "wait", "missed", "The rest is -50 mV.", "rest_mV", -50.0, -60.0, "mV")
CHILD = """
import os, signal, sys
from hardware.decision import Decision
from hardware.recorder import Recorder
recorder = Recorder(sys.argv[1], {})
for k in range(5):
    recorder.decide(Decision(k, "rest", "began", f"Stage {k}."))
recorder.flush(5.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def record(path, *told):
    """A recording of one sweep, with decisions before it and one after it; give these as they were kept."""
    recorder = Recorder(path, {})
    kept = [recorder.decide(decision) for decision in told]
    recorder.start(STEP, 20.0, Provenance())
    recorder.append(Block(np.full(4000, -70.0), STEP.command(20.0)))
    recorder.finish({}, {})
    kept.append(recorder.decide(Decision(-1, "", "finished", "All.")))
    recorder.close()
    return kept


def test_decisions_are_kept_in_order_with_their_place_and_time(tmp_path):
    path = tmp_path / "a.h5"
    kept = record(path, MISSED)
    assert repr(decisions(path)) == repr(kept)
    assert [(each.sample, each.sweeps) for each in kept] == [(0, 0), (4000, 1)]
    assert (kept[0].measured, kept[0].bound) == (-50.0, -60.0) and math.isnan(kept[1].bound)
    assert [each.is_over for each in (*kept, Decision(0, "rest", "ended", ""))] == [False, False, True]


def test_a_recording_without_a_script_has_no_list_and_what_is_none_is_refused(tmp_path):
    Recorder(tmp_path / "a.h5", {}).close()
    assert decisions(tmp_path / "a.h5") == []
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        assert "decisions" not in file
        file["decisions"] = np.zeros((2, 2))
    with pytest.raises(RecordingError, match="run `recover`"):
        decisions(tmp_path / "a.h5")
    h5py.File(tmp_path / "b.h5", "w").close()
    with pytest.raises(RecordingError, match="no recording of this program"):
        decisions(tmp_path / "b.h5")


@given(said=st.text(), event=st.sampled_from(EVENTS), measured=st.floats(allow_infinity=False))
def test_a_decision_comes_through_a_letter(said, event, measured):
    told = Decision(0, "family", event, said, "rest_mV", measured, math.nan, "mV")
    assert repr(Decision.of(json.loads(json.dumps(told.to_json(), allow_nan=False)))) == repr(told)


def test_whatever_text_a_reason_has_is_kept(tmp_path):
    said = "Größe\0 \N{GREEK SMALL LETTER MU}\n'\"" + "x" * 100_000
    with Recorder(tmp_path / "a.h5", {}) as recorder:
        kept = recorder.decide(replace(MISSED, said=said))
    assert kept.said == said.replace("\0", " ")
    assert decisions(tmp_path / "a.h5") == [kept]


def test_decisions_go_into_the_nwb_file(tmp_path):
    record(tmp_path / "a.h5", MISSED)
    export(tmp_path / "a.h5", tmp_path / "a.nwb")
    assert complaints(tmp_path / "a.nwb") == []
    with opened(tmp_path / "a.nwb") as io:
        table = rows(io.read(), "decisions")
    assert table["said"].tolist() == ["The rest is -50 mV.", "All."]
    assert table["bound"].tolist()[0] == -60.0
    assert table["sweeps"].tolist() == [0, 1]


def test_decisions_that_are_damaged_are_told_as_lost_and_the_rest_is_recovered(tmp_path):
    record(tmp_path / "a.h5", MISSED)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["decisions"]
        file["decisions"] = np.zeros((2, 2))
    found = recover(tmp_path / "a.h5", tmp_path / "a.nwb")
    assert [loss["where"] for loss in found["lost"]] == ["decisions"]
    assert found["samples"] == 4000


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")
def test_a_kill_leaves_the_decisions(tmp_path):
    path = tmp_path / "a.h5"
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [each.said for each in decisions(path)] == [f"Stage {k}." for k in range(5)]
