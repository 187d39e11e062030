"""Designs are drawn inside their domain, and from nothing that the cell is."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.context import CONTEXT, Context
from estimators.designs import Designs, draw_set

SETS = 1500


def columns(table):
    return {name: table[:, k] for k, name in enumerate(CONTEXT)}


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(9)
    return [columns(draw_set(Designs(), rng)) for _ in range(SETS)]


def test_a_design_can_know_nothing_of_the_cell():
    assert list(inspect.signature(draw_set).parameters) == ["designs", "rng", "count", "kind"]


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.none() | st.integers(1, 60),
    low=st.floats(1.0, 50.0),
    ratio=st.floats(1.0, 30.0),
    longest=st.floats(200.0, 3000.0),
    holding=st.floats(0.0, 1.0),
    prepulse=st.floats(0.0, 1.0),
)
def test_every_sweep_lies_in_the_domain(seed, count, low, ratio, longest, holding, prepulse):
    designs = Designs(scale=(low, low * ratio), duration=(100.0, longest), holding=holding, prepulse=prepulse)
    table = draw_set(designs, np.random.default_rng(seed), count)
    assert table.shape[1] == len(CONTEXT)
    assert len(table) == count if count else designs.sweeps[0] <= len(table) <= designs.sweeps[1]
    assert np.isfinite(table).all()
    column = columns(table)
    for name, (least, most) in designs.domain().items():
        # A product may end one rounding beyond its bound.
        slack = 1e-9 * max(abs(least), abs(most))
        assert (column[name] >= least - slack).all(), name
        assert (column[name] <= most + slack).all(), name


def test_currents_keep_to_their_shares_of_the_scale():
    rng = np.random.default_rng(2)
    drawn = [columns(draw_set(Designs(scale=(100.0, 100.0)), rng)) for _ in range(1000)]
    for name, low, high in (("amplitude", -50, 100), ("holding", -50, 50), ("history_level", -60, 60)):
        values = np.concatenate([c[name] for c in drawn])
        assert low - 1e-9 <= values.min() < 0.95 * low, name
        assert 0.95 * high < values.max() <= high + 1e-9, name


@given(seed=st.integers(0, 2**32 - 1))
def test_sweeps_follow_each_other(seed):
    column = columns(draw_set(Designs(), np.random.default_rng(seed), 40))
    assert column["start"][0] == 0.0
    assert (np.diff(column["start"]) > 0.5).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_what_the_cells_of_one_set_share_is_shared(seed):
    column = columns(draw_set(Designs(), np.random.default_rng(seed), 25))
    for name in ("holding", "holding_known", "baseline", "tail", "rate", "history_duration", "history_gap"):
        assert np.ptp(column[name]) == 0, name
    assert set(column["holding_known"]) <= {0.0, 1.0}
    assert not column["excluded"].any()


def test_a_prepulse_ends_before_the_kept_baseline_begins_or_with_it(many):
    with_history = [c for c in many if c["history_duration"][0] > 0]
    assert len(with_history) / SETS == pytest.approx(0.25, abs=0.04)
    for c in with_history:
        assert (c["history_gap"] >= c["baseline"]).all()
        assert (c["history_duration"] >= 100.0).all()
    without = [c for c in many if c["history_duration"][0] == 0]
    assert all((c[name] == 0).all() for c in without for name in ("history_level", "history_gap"))


def test_the_number_of_sweeps_is_log_uniform(many):
    counts = np.array([len(c["start"]) for c in many])
    assert (counts.min(), counts.max()) == (1, 40)
    # The share up to n is log(n + 1) / log(41): a fifth has one sweep, a tenth more than 27.
    for n in (1, 3, 10, 27):
        assert np.mean(counts <= n) == pytest.approx(np.log(n + 1) / np.log(41), abs=0.04)


def test_the_scale_of_currents_is_log_uniform(many):
    # Of a set of many sweeps the strongest tells the scale to within half.
    strongest = np.log([np.abs(c["amplitude"]).max() for c in many if len(c["start"]) >= 15])
    shares = np.histogram(strongest, bins=np.log([10.0, 45.0, 100.0, 224.0, 500.0]))[0] / len(strongest)
    assert shares.min() > 0.15


def test_there_are_families_repeats_and_unstructured_sets(many):
    large = [c["amplitude"] for c in many if len(c["start"]) >= 8]
    steps = [np.diff(a) for a in large]
    ascending = np.mean([(d > 0).all() for d in steps])
    descending = np.mean([(d < 0).all() for d in steps])
    repeating = np.mean([len(np.unique(a)) <= 4 for a in large])
    assert ascending == pytest.approx(0.35 * 0.8, abs=0.06)
    assert descending == pytest.approx(0.35 * 0.2, abs=0.04)
    assert repeating == pytest.approx(0.15, abs=0.05)


def test_hyperpolarizing_and_held_sweeps_are_among_them(many):
    amplitude = np.concatenate([c["amplitude"] for c in many])
    assert 0.1 < np.mean(amplitude < 0) < 0.4
    held = np.array([c["holding"][0] for c in many])
    assert np.mean(held != 0) == pytest.approx(0.45, abs=0.05)
    known = np.array([c["holding_known"][0] for c in many])
    assert np.mean(known) == pytest.approx(0.7, abs=0.05)
    assert abs(np.corrcoef(known, held != 0)[0, 1]) < 0.08


def test_the_same_seed_draws_the_same_set():
    one, again, other = (draw_set(Designs(), np.random.default_rng(seed), 12) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_context_is_laid_out_in_the_order_of_its_columns():
    context = Context(80.0, -20.0, 1.0, 500.0, 200.0, 300.0, 20.0, history_level=-100.0, start=7.5)
    row = dict(zip(CONTEXT, context.row(), strict=True))
    assert row == {name: getattr(context, name) for name in CONTEXT}
    assert row["history_level"] == -100.0


def test_every_length_is_whole_samples_at_every_rate(many):
    for name in ("duration", "baseline", "tail", "history_duration", "history_gap"):
        lengths = np.concatenate([design[name] for design in many])
        for rate in (10.0, 20.0, 25.0, 40.0, 50.0):
            np.testing.assert_allclose(lengths * rate, np.round(lengths * rate), atol=1e-6)
