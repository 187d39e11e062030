"""A script that ended too soon goes on in a new file with what the former says, and both are replayed as they were."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from hardware.decision import Decision
from hardware.kept.decisions import decisions
from hardware.recorder import Recorder
from hardware.recording import RecordingError
from hardware.rig import Block, Provenance
from rig_plugin.__main__ import main
from rig_plugin.former import before, former
from rig_plugin.script import read_script
from simulators.stimulus import Dose, step

RIG = "[rig]\nseed = 3\npace = 'max'\n"
TEST = "[[stage]]\nkind = 'membrane-test'\n"
FAMILY = "[[stage]]\nkind = 'family'\namplitudes_pA = [{}]\nonset_ms = 100.0\nduration_ms = 200.0\ntail_ms = 50.0\n"
FIRST, SECOND = FAMILY.format("-50.0"), FAMILY.format("-40.0, 60.0")
STEP = step(-50.0, onset=100.0, duration=200.0, tail=50.0)
DRUGGED = (STEP.dosed((Dose("g_M", 1.0, -0.05),)),)


@pytest.fixture
def line(tmp_path, capsys, monkeypatch):
    """Run a command line in a folder with a rig and a script; give exit status, JSON lines and what was said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    Path("rig.toml").write_text(RIG, encoding="utf-8")

    def line(*arguments, script=None):
        if script is not None:
            Path("script.toml").write_text(script, encoding="utf-8")
        status = main(arguments)
        said = capsys.readouterr()
        return status, [json.loads(text) for text in said.out.splitlines()], said.err.splitlines()

    return line


def bare(trial, *left):
    """A trial without what depends on the computer, and on who asks."""
    return {
        key: value for key, value in trial.items() if key not in ("latency_ms", "file_sweep", "next_stimulus", *left)
    }


def test_a_script_that_stopped_goes_on_and_is_replayed_as_it_was(line):
    run = ("run", "rig.toml", "--script", "script.toml", "--json", "--out")
    stopping = f"[stop]\nrest_mV = -90\n{TEST}{FIRST}{SECOND}"
    # The first script stops at its first sweep, the second at the first of what is left, the third is through.
    status, one, said = line(*run, "a.h5", script=stopping)
    assert (status, len(one)) == (2, 1)
    assert said[-1].startswith("The experiment stopped in stage 2 (family) of 3")
    assert said[:-1] == [decision.said for decision in decisions(Path("a.h5"))]
    status, two, said = line(*run, "b.h5", "--resume", "a.h5", script=f"{TEST}{FIRST}{SECOND}")
    assert status == 0
    assert said[0] == "Stage 1 (membrane-test) was over in a.h5; the posterior rests on 1 of its sweeps."
    assert [trial["sweeps_used"] for trial in (*one, *two)] == [1, 2, 3, 4]
    with h5py.File("b.h5") as file:
        told = json.loads(file["metadata"][()])
    assert told["protocol"]["stages"][1]["kind"] == "family" and Path(told["resumes"]).name == "a.h5"
    for name, trials in (("a.h5", one), ("b.h5", two)):
        status, again, said = line("replay", name, "--json")
        assert [bare(trial) for trial in again] == [bare(trial) for trial in trials]
        assert said == [decision.said for decision in decisions(Path(name))]
    status, _, said = line(*run, "c.h5", "--resume", "b.h5")
    assert (status, said) == (2, ["b.h5 has all 3 stages done: there is nothing to go on with."])
    assert not Path("c.h5").exists()


def keep(path, script, over, *, resumes=None, drug=False, checkpoint="ab"):
    """A recording of a script, the first stages of which are over; one sweep in the last, then under a drug."""
    described = {"protocol": script.to_json(), "checkpoint": checkpoint, "resumes": resumes}
    with Recorder(path, described) as recorder:
        for k in range(over):
            kind = "drug" if drug else "family"
            recorder.decide(Decision(k, kind, "began", "It begins."))
            for played in (STEP, *(DRUGGED if drug else ())) if k == over - 1 else ():
                recorder.start(played, 20.0, Provenance())
                recorder.append(Block(np.full(7000, -70.0), STEP.command(20.0)))
                recorder.finish({"rest": -70.0}, {"trust": {"in_distribution": path.stem != "odd", "reason": "Odd."}})
            recorder.decide(Decision(k, kind, "ended", "It is over."))
        recorder.decide(Decision(over, "family", "began", "It begins."))
        recorder.start(STEP, 20.0, Provenance())
        recorder.append(Block(np.full(20, -70.0), STEP.command(20.0)[:20]))


@pytest.fixture
def script(tmp_path):
    def script(text):
        path = tmp_path / "script.toml"
        path.write_text(text, encoding="utf-8")
        return read_script(path)

    return script


class Watcher:
    """An observer that notes what it is shown."""

    def __init__(self):
        self.seen = []

    def expect(self, context):
        return None

    def observe(self, row, context, prediction=None, refusal=None):
        self.seen.append((context.amplitude, refusal))
        return SimpleNamespace(sweeps_used=len(self.seen))


def test_it_goes_on_with_the_first_stage_that_is_not_over_by_the_stages_as_they_were(tmp_path, script):
    asked = script(TEST + FIRST + SECOND)
    keep(tmp_path / "a.h5", asked, 2)
    found = former(tmp_path / "a.h5")
    assert found.first_left(asked) == 2
    assert found.first_left(script(TEST + FIRST + FAMILY.format("70.0"))) == 2
    with pytest.raises(RecordingError, match=r"stage 2 \(family\) done with other keys"):
        found.first_left(script(TEST + FAMILY.format("-55.0") + SECOND))
    with pytest.raises(RecordingError, match="all 2 stages done"):
        found.first_left(script(TEST + FIRST))
    Recorder(tmp_path / "none.h5", {}).close()
    with pytest.raises(RecordingError, match="tells of no script"):
        former(tmp_path / "none.h5").first_left(asked)


def test_whole_sweeps_of_all_that_went_before_are_seen_again_but_not_those_under_a_drug(tmp_path, script):
    asked = script(TEST + FIRST + SECOND)
    keep(tmp_path / "a.h5", asked, 1)
    keep(tmp_path / "odd.h5", asked, 1, resumes="elsewhere/a.h5")
    keep(tmp_path / "drug.h5", asked, 1, resumes=str(tmp_path / "odd.h5"), drug=True)
    watcher = Watcher()
    assert former(tmp_path / "drug.h5").take_in(watcher) == 3
    assert watcher.seen == [(-50.0, None), (-50.0, "Odd."), (-50.0, None)]
    assert before(tmp_path / "drug.h5").path.name == "odd.h5"
    assert before(tmp_path / "a.h5") is None
    # One that names itself ends there.
    keep(tmp_path / "round.h5", asked, 1, resumes="round.h5")
    assert len(former(tmp_path / "round.h5").sweeps) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--resume", "rig.toml"), "--script"),
        (("--script", "script.toml", "--sweeps", "3"), "--sweeps"),
        (("--script", "script.toml", "--gap-free", "3"), "--gap-free"),
        (("--script", "script.toml", "--membrane-test", "voltage"), "--membrane-test"),
        (("--script", "script.toml", "--resume", "rig.toml"), "no HDF5 file"),
    ],
)
def test_options_that_contradict_a_script_are_refused(line, arguments, words):
    status, told, said = line("run", "rig.toml", *arguments, script=TEST)
    assert (status, told, len(said)) == (2, [], 1)
    assert words in said[0]


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")
def test_a_script_that_was_killed_goes_on_with_what_it_had(line):
    Path("real.toml").write_text("[rig]\nseed = 3\n[protocol]\ninterval_s = 1.0\n", encoding="utf-8")
    text = TEST + FIRST + FAMILY.format(", ".join(20 * ["-40.0"]))
    Path("script.toml").write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "rig_plugin",
        "run",
        "real.toml",
        "--script",
        "script.toml",
        "--json",
        "--out",
        "a.h5",
    ]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        for _ in range(3):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    kept = decisions(Path("a.h5"))
    assert [(each.stage, each.event) for each in kept[-2:]] == [(1, "ended"), (2, "began")]
    status, trials, said = line(
        "run", "rig.toml", "--script", "script.toml", "--resume", "a.h5", "--out", "b.h5", "--json"
    )
    assert status == 0
    assert "3 of its sweeps" in said[1]
    assert trials[0]["sweeps_used"] == 4 and len(trials) == 20


@pytest.mark.long
def test_the_posterior_chooses_the_sweeps_of_an_adaptive_stage(line):
    adaptive = "[[stage]]\nkind = 'adaptive'\ng_M = 0.001\nmost_sweeps = 2\nleast_gain_bits = 0.0\n"
    run = ("run", "rig.toml", "--script", "script.toml", "--json", "--out", "a.h5")
    status, trials, said = line(*run, script=FIRST + adaptive)
    assert status == 0
    assert [trial["sweeps_used"] for trial in trials] == [1, 2, 3]
    told = decisions(Path("a.h5"))
    events = [each.event for each in told if each.kind == "adaptive"]
    assert (events[0], events.count("chose"), events[-1]) == ("began", 3, "ended")
    assert {each.stage for each in told if each.event == "chose"} == {1}
    assert "gain" in said[3]
