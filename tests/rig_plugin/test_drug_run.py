"""A script with a virtual drug from end to end: run on a simulated rig, kept, gone on with, exported and replayed."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware.kept.decisions import decisions
from hardware.own import read_own
from rig_plugin import rigs
from rig_plugin.__main__ import main
from rig_plugin.simulated_cell import CELLS, SimulatedCell
from rig_plugin.tasks.specimen import draw_spikes
from simulators.adex import AdEx
from simulators.adex_batch import record

RIG = "[rig]\nseed = 3\npace = 'max'\n"
KEYS = "onset_ms = 200.0\nduration_ms = 400.0\ntail_ms = 100.0\n"
FAMILY = f"[[stage]]\nkind = 'family'\namplitudes_pA = [-50.0, 100.0, 150.0]\n{KEYS}"
DRUG = f"[[stage]]\nkind = 'drug'\nconductance = 'g_M'\nfactor = -0.8\namplitudes_pA = [-50.0, 200.0]\n{KEYS}"
AFTER = f"[[stage]]\nkind = 'family'\namplitudes_pA = [-40.0]\n{KEYS}"


class Clamped(AdEx):
    """An AdEx cell with an injected conductance."""

    injected = None

    def _simulate(self, theta, stimulus, rate, rng):
        leaks = self.courses(theta, stimulus)[:, :, 1]
        wired = self._wired(stimulus, len(theta), rng)
        return record(theta, leaks, *wired, np.full(len(theta), rate), rng, self.injected)[0].astype(np.float64)


class Stranger(SimulatedCell):
    """A cell that the network's model does not describe: it adapts by its resets."""

    def simulate(self, values, electrode, stimulus, rate, rng, injected=None):
        cell = Clamped(replace(electrode, bridge=values["bridge"], offset=values["offset"], corner=0.0))
        cell.injected = injected
        theta = np.array([[100.0, 5.0, -68.0, -54.0, 1.0, 0.0, 100.0, 20.0, -60.0, 0.5]])
        response = cell.simulate(theta, stimulus, rate, rng)[0]
        draw_spikes(response, rate)
        return response


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


RUN = ("run", "rig.toml", "--script", "script.toml", "--seed", "3", "--json", "--out")


@pytest.mark.long
def test_a_virtual_drug_is_given_judged_kept_and_replayed_as_it_was(line):
    # The control of the drug is inferred from like any sweep of the family before it.
    status, trials, said = line(*RUN, "a.h5", script=FAMILY + DRUG + AFTER)
    assert status == 0
    assert [trial["sweeps_used"] for trial in trials] == [1, 2, 3, 4, 5, 5, 5, 6, 7, 8]
    control, drugged = trials[4], trials[6]
    assert drugged["posterior"] == control["posterior"]
    assert drugged["trust"]["in_distribution"] is False
    assert "of g_M taken away" in drugged["trust"]["reason"]
    assert drugged["features"]["spike_count"] > control["features"]["spike_count"]
    assert set(drugged) == set(control)
    told = [decision for decision in decisions(Path("a.h5")) if decision.kind == "drug"]
    assert [decision.event for decision in told] == ["began", "chose", "predicted", "met", "ended"]
    assert "Verdict: confirmed" in told[3].said and told[3].measured > 0.05
    assert said == [decision.said for decision in decisions(Path("a.h5"))]
    assert [sweep.stimulus.is_dosed for sweep in read_own(Path("a.h5")).sweeps] == [k in (5, 6) for k in range(10)]
    status, again, retold = line("replay", "a.h5", "--json")
    assert (status, retold) == (0, said)
    for trial, second in zip(trials, again, strict=True):
        assert all(second[key] == trial[key] for key in ("posterior", "trust", "features", "sweeps_used"))
    status, _, _ = line("export", "a.h5", "--nwb", "a.nwb", "--json")
    assert status == 0
    with h5py.File("a.nwb") as file:
        doses = file["processing/icephys/doses"]
        assert set(doses["sweep"][()]) == {5, 6} and set(doses["conductance"].asstr()[()]) == {"g_M"}
        assert any("Verdict" in text for text in file["processing/icephys/decisions/said"].asstr()[()])
    status, exported, _ = line("replay", "a.nwb", "--json")
    assert [trial["sweeps_used"] for trial in exported] == [trial["sweeps_used"] for trial in trials]


@pytest.mark.long
def test_what_goes_on_after_a_drug_rests_on_the_controls_alone(line):
    stopping = f"[stop]\nrest_mV = -90.0\n{DRUG}{AFTER}"
    status, trials, said = line(*RUN, "a.h5", script=stopping)
    assert (status, len(trials)) == (2, 7)
    assert said[-1].startswith("The experiment stopped in stage 2 (family) of 2")
    status, after, said = line(*RUN, "b.h5", "--resume", "a.h5", script=DRUG + AFTER)
    assert status == 0
    assert "the posterior rests on 5 of its sweeps" in said[0]
    assert [trial["sweeps_used"] for trial in after] == [6]


@pytest.mark.long
@pytest.mark.parametrize(
    ("factor", "said"), [("-0.8", "would not stay at rest"), ("-0.4", "it is no cell of the model")]
)
def test_a_drug_for_a_cell_of_another_model_is_withheld_or_the_cell_is_flagged(line, monkeypatch, factor, said):
    usual = CELLS["cortical"]
    monkeypatch.setattr(rigs, "CELLS", {"cortical": Stranger(usual.make, usual.parameters, usual.typical, usual.room)})
    script = f"[stop]\non_distrust = 'go on'\n{FAMILY}{DRUG.replace('-0.8', factor)}"
    status, trials, told = line(*RUN, "a.h5", script=script)
    assert status == 0
    assert trials[2]["features"]["spike_count"] > 5
    assert said in told[-2]
    assert not any(decision.event == "met" for decision in decisions(Path("a.h5")))
