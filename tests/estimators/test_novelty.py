import numpy as np
import pytest
import torch
from scipy import stats

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.follower import Follower
from estimators.generation import generate
from estimators.novelty import Novelty
from estimators.scaling import Scaling
from estimators.sets import Sets
from simulators.cortical import Cortical
from simulators.stimulus import step

SIZE = 200


@pytest.fixture(scope="module")
def simulated(spec):
    """Sweeps of simulated cells, those that training would take references from and fresh ones."""
    rng = np.random.default_rng(11)
    return Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, 330, rng, sweeps=2)))


@pytest.fixture(scope="module")
def novelty(simulated):
    scaling = Scaling()
    scaling.fit(torch.from_numpy(simulated.features), torch.from_numpy(simulated.context))
    half = Sets(simulated.u[:440], simulated.features[:440], simulated.context[:440], simulated.first[:221])
    return Novelty(scaling, Novelty.make(scaling, half, np.random.default_rng(0), size=SIZE))


CONTEXT_OF_STEP = np.array([100.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def trace():
    theta = np.array([[90.0, 0.06, 55.0, 6.0, 0.08, 800.0, -56.0, -70.0, 0.9, 0.03, 1.5, 0.5]])
    return Cortical().simulate(theta, step(100.0), 20.0, np.random.default_rng(0))[0]


def row_of(trace):
    follower = Follower(step(100.0), 20.0)
    follower.push(trace)
    return follower.row()


def test_fresh_training_sweeps_have_uniform_p_values(novelty, simulated):
    usable = [k for k in range(440, len(simulated.u)) if not simulated.context[k, CONTEXT.index("excluded")]]
    p = [novelty.judge(simulated.features[k].astype(float), simulated.context[k].astype(float)).p for k in usable]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_a_typical_cell_is_not_strange(novelty, trace):
    assert novelty.judge(row_of(trace), CONTEXT_OF_STEP).p > 0.05


@pytest.mark.parametrize(
    "broken",
    [
        lambda v: 0.1 * v,
        lambda v: -v,
        lambda v: np.random.default_rng(0).normal(0.0, 0.05, v.size),
        lambda v: v + 60.0,
    ],
    ids=["a tenth of the gain", "the wrong sign", "no cell", "60 mV off"],
)
def test_what_is_no_cell_on_a_sound_rig_lies_outside_the_range_of_training(novelty, trace, broken):
    outside = novelty.judge(row_of(broken(trace)), CONTEXT_OF_STEP).outside
    assert any(sentence.startswith("rest is ") for sentence in outside)


def test_ten_times_the_gain_is_not_measured_at_all(trace):
    assert np.isnan(row_of(10.0 * trace)).all()
    assert not np.isnan(row_of(trace)).all()


def test_what_is_outside_is_named_with_unit_and_range(novelty, trace):
    row = row_of(trace)
    row[NAMES.index("rest")] = 12.0
    told = novelty.judge(row, CONTEXT_OF_STEP).outside
    assert len(told) == 1
    assert told[0].startswith("rest is 12 mV, training sweeps lie in -")


def test_the_strangest_p_value_is_never_zero(novelty):
    strange = novelty.judge(np.full(len(NAMES), 1e6), CONTEXT_OF_STEP)
    assert 0 < strange.p < 1 / (SIZE / 2)
    assert strange.distance > 1.25


def test_many_sweeps_are_ranked_as_each_by_itself(novelty, simulated):
    rows, contexts = simulated.features[440:460].astype(float), simulated.context[440:460].astype(float)
    rows[3] = 1e6
    p, distance = novelty.rank(rows, contexts)
    alone = [novelty.judge(row, context) for row, context in zip(rows, contexts, strict=True)]
    np.testing.assert_allclose(p, [strange.p for strange in alone])
    np.testing.assert_allclose(distance, [strange.distance for strange in alone], rtol=1e-5)
    assert len(set(distance)) > 10
    # Beyond the strangest sweep of the reference is what none of them is as strange as.
    np.testing.assert_array_equal(distance > 1.0, p == p[3])


def test_excluded_sweeps_are_no_reference(sets):
    scaling = Scaling()
    scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    usable = int((sets.context[:, CONTEXT.index("excluded")] == 0).sum())
    assert usable < len(sets.u)
    made = Novelty.make(scaling, sets, np.random.default_rng(0), size=10**6)
    assert len(made["novelty_tokens"]) + len(made["novelty_scores"]) == usable
