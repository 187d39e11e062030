"""The benchmark of the adaptive choice asks all cells alike, and lets nobody judge themselves."""

from dataclasses import replace

import numpy as np
import pytest

from estimators.checkpoint import load, save
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.pretrained import FIRST
from rig_plugin.benchmarks import adaptive
from rig_plugin.tasks.asking import WAYS, cycled, first
from rig_plugin.tasks.cohort import Cohort, Record
from simulators.refusal import Refusal

AMPLITUDE = CONTEXT.index("amplitude")


@pytest.fixture
def checkpoint():
    return load(FIRST)


@pytest.fixture
def answered(monkeypatch):
    """Cells that answer with noise, and fire above three times their unit."""

    def respond(theta, context, rig, rng, names, spoil=None):
        spoil(np.full((len(theta), 4), -70.0, dtype=np.float32), np.full(len(theta), 4), {})
        features = rng.normal(size=(len(theta), len(NAMES)))
        unit = 10.0 * theta[:, names.index("C")] * theta[:, names.index("g_leak")]
        features[:, NAMES.index("spike_count")] = np.where(context[:, AMPLITUDE] > 3.0 * unit, 4.0, 0.0)
        return features

    monkeypatch.setattr("rig_plugin.tasks.cohort.respond", respond)


def test_who_asks_the_same_gets_the_same_answer(checkpoint, answered):
    cohort, one, other = Cohort(checkpoint, 4, 3, 0), Record(), Record()
    for record in (one, other):
        cohort.ask(record, first(cohort))
        cohort.ask(record, cycled([2.0])(cohort, record, np.random.default_rng(0)))
    assert all((a == b).all() for a, b in zip(one.features, other.features, strict=True))
    rows, contexts = one.of(2)
    assert rows.shape == (2, len(NAMES)) and contexts[1].amplitude == pytest.approx(2.0 * cohort.unit[2])
    assert contexts[0].amplitude == pytest.approx(-cohort.unit[2]) and contexts[1].start == 5.0


def test_a_search_closes_in_on_the_rheobase_and_plays_multiples_of_it(checkpoint, answered):
    cohort, record = Cohort(checkpoint, 30, 10, 1), Record()
    cohort.ask(record, first(cohort))
    while len(record.features) < 7:
        cohort.ask(record, WAYS["well_ordered"](cohort, record, np.random.default_rng(0)))
    within = cohort.reach > 6.0 * cohort.unit
    found = record.amplitudes()[within, 5] / 1.5 / cohort.unit[within]
    assert within.any() and np.abs(found - 3.0).max() < 1.6


def test_nobody_judges_themselves(checkpoint, tmp_path):
    with pytest.raises(Refusal, match="Nobody judges"):
        adaptive.measure(cells=2)
    with pytest.raises(Refusal, match="same seed as who chooses"):
        adaptive.measure(cells=2, judge=FIRST)


@pytest.mark.long
def test_every_way_is_told_after_every_number_of_sweeps(checkpoint, tmp_path):
    judge = tmp_path / "judge.h5"
    save(judge, replace(checkpoint, spec=replace(checkpoint.spec, seed=checkpoint.spec.seed + 1)))
    rows = {row["name"]: row for row in adaptive.measure(cells=3, judge=judge, draws=32)}
    for way in ("adaptive", "adaptive_bold", "adaptive_unbound", "random", "ascending", "well_ordered", "best_four"):
        assert rows[f"log_prob_1/{way}"]["value"] == rows["log_prob_1/adaptive"]["value"]
        assert np.isfinite(rows[f"entropy_10/{way}"]["value"]) and 0.0 <= rows[f"broken/{way}"]["value"] < 1.0
    assert rows["choice_ms_p99"]["aim"] == 300.0 and rows["sweeps_to_family_ten"]["peer"] != "adaptive"
    assert (
        rows["ahead_4_low/random"]["value"] <= rows["ahead_4/random"]["value"] <= rows["ahead_4_high/random"]["value"]
    )
