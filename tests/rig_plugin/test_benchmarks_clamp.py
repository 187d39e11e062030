"""The benchmark of virtual pharmacology: what it counts, and that it runs."""

import json

import numpy as np
import pytest

from estimators.drug_score import DrugScore
from rig_plugin.__main__ import main
from rig_plugin.benchmarks.clamp import Outcome, summarized
from rig_plugin.tasks.specimen import draw_spikes

GROUPS = ("calibration", "model", "adex", "compartments", "erring")
SCORES = {"posterior": 0.1, "prior": 0.4, "no change": 0.2}


def outcome(p, session=0.5, inside=9):
    pairs = tuple((0, str(k), k < inside) for k in range(10))
    return Outcome(None, session, DrugScore("confirmed", "", p, 1.0, 1.0 / p, SCORES, pairs, (), ()))


def figures(rows):
    return {row["name"]: row for row in rows}


def test_the_level_is_that_of_one_sound_cell_in_twenty():
    sound = [outcome(p) for p in np.linspace(0.01, 1.0, 100)]
    told = figures(
        summarized(
            {
                "calibration": sound,
                "model": sound,
                "erring": sound,
                "adex": [outcome(0.001), outcome(0.001), outcome(0.9), outcome(0.9)],
                "compartments": [outcome(0.9, session=0.0), outcome(0.001), outcome(0.001), outcome(0.001)],
            }
        )
    )
    assert told["flagged_model_by_drug"]["value"] == pytest.approx(0.05, abs=0.011)
    assert told["flagged_adex_by_drug"]["value"] == 0.5
    # A cell whose sweeps can't be used is refused before, and counts for neither score.
    assert (told["flagged_compartments_by_drug"]["value"], told["flagged_compartments_by_drug"]["n"]) == (1.0, 3)
    assert told["flagged_compartments_by_session"]["value"] == 0.0
    assert told["flagged_by_drug"]["value"] == pytest.approx(5 / 7)
    assert not told["flagged_by_drug"]["met"]
    assert told["crps_no_change"]["value"] == pytest.approx(0.2)


@pytest.mark.parametrize(("inside", "met"), [(8, False), (9, True), (10, False)])
def test_coverage_has_to_lie_between_its_aims(inside, met):
    group = [outcome(0.5, inside=inside)] * 3
    row = figures(summarized(dict.fromkeys(GROUPS, group)))["coverage_90"]
    assert row["value"] == pytest.approx(inside / 10)
    assert (row["met"], row["n"]) == (met, 3)


def test_cells_without_a_drug_are_counted_and_tell_nothing_of_intervals():
    none = [Outcome("It would not stay at rest.", 0.5, None)] * 2
    told = figures(summarized(dict.fromkeys(GROUPS, none)))
    assert told["coverage_90"]["value"] is None
    assert told["without_drug_adex"]["value"] == 1.0
    assert told["flagged_by_drug"]["value"] == 0.0


@pytest.mark.long
def test_it_runs(capsys):
    assert main(["bench", "clamp", "--json", "--cells", "2"]) == 0
    told = figures(json.loads(capsys.readouterr().out)["figures"])
    assert 0.0 <= told["coverage_90"]["value"] <= 1.0
    assert told["flagged_by_both"]["n"] == 4


def test_a_spike_of_one_sample_is_drawn_as_wide_as_spikes_are_and_nothing_else_changes():
    response = np.full(200, -60.0, dtype=np.float32)
    response[100] = 0.0
    draw_spikes(response, 20.0)
    assert (response[:96] == -60.0).all() and (response[117:] == -60.0).all()
    assert response.argmax() == 100 and (response > -30.0).sum() == 9
