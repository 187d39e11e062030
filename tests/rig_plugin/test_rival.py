"""The rival beside our forecasts: figures, aims, its ledger, and what is said where it can't be measured."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rig_plugin.benchmarks.families import judge
from rig_plugin.tasks import rival
from rig_plugin.tasks.rival import Rival
from rig_plugin.tasks.tally import Tally
from rig_plugin.tasks.trained import Trained

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}
OWN = {
    "inside_90_sbi",
    "count_half_width_over_wanted_sbi",
    "rheobase_off_sbi",
    "count_interval_score_sbi",
    "fitted_statistics_inside_90_sbi",
    "train_cpu_s_sbi",
}


@pytest.fixture
def both(elife_family):
    """The halves of the family, each forecast by what the other sweeps were: the truth, without a spread."""
    rows = elife_family.cell.rows
    made = []
    for begin in (0, 1):
        asked = np.arange(1 - begin, len(rows), 2)
        drawn = tuple(np.repeat(rows[k][None], 40, axis=0) for k in asked)
        made.append(
            SimpleNamespace(
                seen=np.arange(begin, len(rows), 2),
                asked=asked,
                drawn=drawn,
                unaided=drawn,
                tempered=drawn,
                rheobase=np.full(40, 300.0),
            )
        )
    return made


@pytest.fixture
def trained(elife_family, monkeypatch):
    """A stand-in for sbi that knows the cell, and counts what it is asked."""
    asked = []

    def train(theta, x, prior, seed):
        asked.append(len(theta))
        rng = np.random.default_rng(seed)

        def draw(observed, n):
            return elife_family.theta * (1.0 + 0.03 * rng.normal(size=(n, 8)))

        return Trained(draw, draw, draw)

    stand_in = type(sys)("sbi")
    stand_in.train = train
    monkeypatch.setitem(sys.modules, "rig_plugin.peers.sbi", stand_in)
    monkeypatch.setattr(rival, "version", lambda name: "0.27.0")
    return asked


def told(elife_family, both, given):
    rows = judge(elife_family.cell, both, beside=True, rival=given)
    assert all(set(row) == KEYS for row in rows)
    assert json.dumps(rows, allow_nan=False)
    return {row["name"].removeprefix("elife.abf/"): row for row in rows}


def test_a_rival_that_knows_the_cell_foretells_it_and_is_the_aim(elife_family, both, trained):
    figures = told(elife_family, both, Rival(20, 60))
    # Both halves are fitted, each from its own simulations.
    assert len(trained) == 2
    assert set(figures) > OWN
    assert figures["inside_90_sbi"]["value"] >= 0.85
    assert figures["inside_90_sbi"]["n"] == figures["inside_90"]["n"]
    assert figures["rheobase_off_sbi"]["value"] == 0.0
    assert figures["fitted_statistics_inside_90_sbi"]["value"] >= 11 / 14
    assert figures["count_interval_score_sbi"]["value"] < 6.0
    against = figures["count_interval_score_against_sbi"]
    assert (against["peer"], against["peer_version"], against["n"]) == ("sbi", "0.27.0", 10)
    assert against["aim"] == figures["count_interval_score_sbi"]["value"]
    assert against["value"] == figures["count_interval_score"]["value"] == 0.0
    assert against["met"]


def test_what_the_rival_is_told_comes_from_the_half_that_is_seen(elife_family, both, trained, monkeypatch):
    seen = []
    monkeypatch.setattr(rival, "chosen", lambda family, half, number: seen.append((half.tolist(), number)))
    monkeypatch.setattr(rival, "fit", lambda *given: pytest.fail("Nothing was to be fitted."))
    with pytest.raises(AttributeError):
        Rival(20, 10).figures(elife_family.cell, both, Tally())
    assert seen == [([0, 2, 4, 6, 8], 0)]


def test_it_is_judged_by_the_half_that_it_has_not_seen(elife_family, both, trained, monkeypatch):
    def right_where_unseen(fitted, family):
        return [
            np.repeat((row if k % 2 != fitted.asked.half else row + 100.0)[None], 40, axis=0)
            for k, row in enumerate(family.rows)
        ]

    monkeypatch.setattr(rival, "foretold", right_where_unseen)
    figures = told(elife_family, both, Rival(20, 40))
    assert (figures["inside_90_sbi"]["value"], figures["count_interval_score_sbi"]["value"]) == (1.0, 0.0)


def test_a_second_run_trains_nothing_and_tells_the_same(elife_family, both, trained, tmp_path):
    out = tmp_path / "fits.jsonl"
    first = told(elife_family, both, Rival(20, 30, out))
    assert len(trained) == 2
    assert told(elife_family, both, Rival(20, 30, out)) == first
    assert len(trained) == 2
    # Half a run that was killed: only what is missing is made.
    out.write_text(out.read_text().splitlines(keepends=True)[0])
    assert told(elife_family, both, Rival(20, 30, out))["inside_90_sbi"] == first["inside_90_sbi"]
    assert len(trained) == 3
    told(elife_family, both, Rival(21, 30, out))
    assert len(trained) == 5


def test_a_rival_that_is_not_installed_is_named_and_keeps_its_place(elife_family, both, monkeypatch):
    def missing(name):
        raise rival.PackageNotFoundError(name)

    monkeypatch.setattr(rival, "version", missing)
    figures = told(elife_family, both, Rival(20, 10))
    assert {figures[name]["value"] for name in OWN} == {None}
    assert {figures[name]["peer_version"] for name in OWN} == {"not installed"}
    assert {figures[name]["n"] for name in OWN} == {0}
    assert (figures["count_interval_score_against_sbi"]["aim"], figures["inside_90"]["value"]) == (None, 1.0)


def test_a_rival_that_fails_says_why_and_what_it_had_learned_is_kept(
    elife_family, both, trained, monkeypatch, tmp_path
):
    good = sys.modules["rig_plugin.peers.sbi"].train

    def second_fails(*given):
        if trained:
            raise RuntimeError("no draw\nlies inside the prior")
        return good(*given)

    monkeypatch.setattr(sys.modules["rig_plugin.peers.sbi"], "train", second_fails)
    out = tmp_path / "fits.jsonl"
    figures = told(elife_family, both, Rival(20, 10, out))
    assert figures["inside_90_sbi"]["value"] is None
    wanted = "could not be measured: RuntimeError: no draw lies inside the prior"
    assert figures["inside_90_sbi"]["peer_version"] == wanted
    assert len(out.read_text().splitlines()) == 1


def test_without_a_rival_no_figure_is_its(elife_family, both):
    assert not [name for name in told(elife_family, both, None) if "sbi" in name]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_sbi_itself_is_measured_beside(elife_family, both):
    pytest.importorskip("sbi", reason="sbi is not installed.")
    figures = told(elife_family, both, Rival(1000, 100))
    assert figures["fitted_statistics_inside_90_sbi"]["value"] >= 10 / 14
    assert figures["count_interval_score_sbi"]["value"] > 0.0
