"""What is missed, by how much, and whether so few cells can tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from estimators.aims import LEVELS, missed, missed_by_chance, stray, verdict


def found(n=10_000, deviation=0.0, stratum=None, cells=1000, **shares):
    """A calibration of one parameter that is right but for what is given."""
    right = dict(LEVELS)
    here = right | {label[1:]: share for label, share in shares.items()}
    table = {
        "coverage": {"C": right if stratum else here},
        "coverage_by_sweeps": {stratum: {"C": here}} if stratum else {},
        "cells": {stratum: cells},
        "sbc_deviation": {"C": 0.0 if stratum else deviation},
        "sbc_deviation_by_stratum": {stratum: {"C": deviation}} if stratum else {},
        "n": n,
    }
    table |= {"missed": missed(table), "missed_by_chance": missed_by_chance(table)}
    return table | {"verdict": verdict(table)}


def test_what_is_right_is_not_listed():
    assert found()["missed"] == found(stratum="silent")["missed"] == []
    assert "holds what it promises" in found()["verdict"]


@pytest.mark.parametrize(("share", "listed", "sure"), [(0.919, 0, False), (0.924, 1, False), (0.93, 1, True)])
def test_a_pooled_coverage_may_be_two_points_off(share, listed, sure):
    rows = found(_90=share)["missed"]
    assert len(rows) == listed
    assert any(row["beyond_noise"] for row in rows) == sure


@pytest.mark.parametrize(("share", "listed", "sure"), [(0.871, 0, False), (0.869, 1, False), (0.845, 1, True)])
def test_a_coverage_in_a_stratum_may_be_three_points_off(share, listed, sure):
    rows = found(stratum="adaptive", _90=share)["missed"]
    assert [row["stratum"] for row in rows] == ["adaptive"] * listed
    assert any(row["beyond_noise"] for row in rows) == sure


def test_a_miss_has_its_figures_and_their_standard_error():
    (row,) = found(stratum="3", _50=0.45)["missed"]
    assert (row["figure"], row["parameter"], row["level"], row["cells"]) == ("coverage", "C", "50", 1000)
    assert (row["value"], row["off"], row["aim"]) == (0.45, pytest.approx(-0.05), 0.03)
    assert row["standard_error"] == pytest.approx(0.0158, abs=1e-4)
    assert row["noise"] == pytest.approx(1.96 * row["standard_error"])


@pytest.mark.parametrize(("deviation", "listed", "sure"), [(0.029, 0, False), (0.032, 1, False), (0.045, 1, True)])
def test_pooled_ranks_may_be_three_hundredths_off(deviation, listed, sure):
    rows = found(deviation=deviation)["missed"]
    assert [row["figure"] for row in rows] == ["sbc_deviation"] * listed
    assert any(row["beyond_noise"] for row in rows) == sure


@pytest.mark.parametrize(("deviation", "listed"), [(0.042, 0), (0.044, 1)])
def test_ranks_of_a_stratum_are_listed_only_where_they_stray_further_than_uniform_ones(deviation, listed):
    assert len(found(stratum="1", deviation=deviation)["missed"]) == listed


def test_the_farthest_beyond_its_aim_comes_first():
    rows = found(_50=0.53, _80=0.85, _90=0.94)["missed"]
    assert [row["level"] for row in rows] == ["80", "90", "50"]


@pytest.mark.parametrize("n", [20, 500, 5000])
def test_uniform_ranks_stray_no_further_in_nineteen_of_twenty_cases(n):
    assert 0.03 < stats.kstwo.sf(stray(n), n) <= 0.05


def test_by_chance_is_what_cells_that_are_drawn_so_miss():
    rng = np.random.default_rng(4)
    shares = {label: rng.binomial(1000, level, 4000) / 1000 for label, level in LEVELS.items()}
    drawn = sum((np.abs(shares[label] - level) > 0.03).mean() for label, level in LEVELS.items())
    ranks = np.sort(rng.random((1000, 2000)), axis=0)
    off = np.abs(ranks - (np.arange(1000) + 0.5)[:, None] / 1000).max(axis=0) + 0.5e-3
    drawn += (off > stray(1000)).mean()
    assert found(n=10**9, stratum="3")["missed_by_chance"] == pytest.approx(drawn, rel=0.15)


def test_one_cell_misses_every_coverage():
    assert found(n=10**9, stratum="3", cells=1)["missed_by_chance"] == pytest.approx(4 + 0.05)


@given(st.floats(0.0, 1.0), st.integers(1, 100_000))
def test_a_coverage_that_is_surely_missed_is_missed(share, n):
    rows = found(n=n, _80=share)["missed"]
    assert bool(rows) == (abs(share - 0.8) > 0.02)


@pytest.mark.parametrize("n", [1, 20, 300])
@pytest.mark.parametrize("side", [-1, 1])
def test_what_is_off_by_just_its_aim_is_hardly_ever_called_surely_missed(n, side):
    rows = {count: found(n=n, _90=count / n)["missed"] for count in range(n + 1)}
    sure = [count for count, missed_ in rows.items() if any(row["beyond_noise"] for row in missed_)]
    sure = [count for count in sure if (count / n - 0.9) * side > 0]
    assert stats.binom.pmf(sure, n, 0.9 + side * 0.02).sum() < 0.025


def test_one_cell_is_never_sure():
    assert not any(row["beyond_noise"] for row in found(n=1, _50=0.0, _80=0.0, _90=0.0, _95=0.0)["missed"])


def test_the_verdict_names_who_surely_misses_and_where():
    said = found(stratum="adaptive", _90=0.8)["verdict"]
    assert said.startswith("Not every interval holds what it promises: C miss")
    assert "(adaptive)" in said
    assert "all cells" in found(_90=0.8)["verdict"]


def test_the_verdict_on_few_cells_says_that_they_are_few():
    assert "So few fresh cells (50) can't tell" in found(n=50)["verdict"]


def test_the_verdict_never_calls_a_pooled_miss_a_promise_held():
    assert "some intervals miss" in found(_90=0.924)["verdict"]


def test_a_stratum_without_cells_misses_nothing():
    table = found()
    table["coverage_by_design"] = {"adaptive": {"C": dict.fromkeys(LEVELS)}}
    table["sbc_deviation_by_stratum"] = {"adaptive": {"C": None}}
    table["cells"] = {"adaptive": 0}
    assert missed(table) == []
