from dataclasses import replace

import numpy as np
import pytest
import torch

from estimators.abort import AbortRule
from estimators.candidate import Setting, StepCandidate
from estimators.checkpoint import load
from estimators.context import Context
from estimators.features import NAMES
from estimators.foresight import BLOCK, Foresight
from estimators.pretrained import shipped

SETTING = Setting(baseline=50.0, tail=50.0, start=20.0)
STEP = StepCandidate(60.0, duration=200.0)
DRAWS = np.arange(BLOCK)
REST, COUNT = NAMES.index("rest"), NAMES.index("spike_count")


def seen(n=2):
    rng = np.random.default_rng(1)
    contexts = [Context(-40.0 + 20.0 * k, 0.0, 1.0, 200.0, 50.0, 50.0, 20.0, start=5.0 * k) for k in range(n)]
    return rng.normal(size=(n, len(NAMES))), contexts


def foresee(checkpoint, rows=None, *, columns=(0, 1), seed=0, **more):
    told, contexts = seen()
    return Foresight(
        checkpoint, told if rows is None else rows, contexts, SETTING, columns, AbortRule(), seed, 2 * BLOCK, **more
    )


def play(cells, step=STEP, draws=DRAWS):
    return cells.answers([(step, draws)])[0].features


def test_the_same_draws_answer_alike_whoever_asks_first(checkpoint):
    one, other = foresee(checkpoint), foresee(checkpoint)
    alone = play(one)
    some = DRAWS[5:20]
    beside = other.answers([(replace(STEP, amplitude=-20.0, duration=300.0), DRAWS), (STEP, some)])
    np.testing.assert_array_equal(beside[1].features, alone[some])
    assert (one.simulated, other.simulated) == (BLOCK, BLOCK + 15)
    assert not np.array_equal(play(foresee(checkpoint, seed=1)), alone)


def test_under_the_same_step_noise_and_rig_are_shared_so_that_the_rest_does_not_change(checkpoint):
    cells = foresee(checkpoint)
    one, other = (play(cells, replace(STEP, amplitude=a))[:, REST] for a in (20.0, 21.0))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_gain_is_what_the_density_of_the_own_theta_gains_on_average(checkpoint):
    everything = range(len(checkpoint.spec.parameters))
    cells = foresee(checkpoint, columns=everything)
    answers = play(cells)
    (scores,) = cells.scores([STEP], [answers], DRAWS)
    rows, contexts = seen()
    told = np.stack([context.row() for context in [*contexts, STEP.context(SETTING)]])
    u = torch.as_tensor(cells.u[DRAWS], dtype=torch.float32)
    for k in (0, 7):
        after = checkpoint.network.density(np.vstack([rows, answers[k]]), told)
        assert after.log_prob(u[[k]])[0].item() == pytest.approx(scores.gain[k] + cells._now[k], abs=1e-3)
    assert cells.entropy == pytest.approx(-cells._now.mean(), abs=0.3)


def test_theta_walks_on_until_the_sweep_to_come(checkpoint):
    later = replace(SETTING, start=1e9)
    rows, contexts = seen()
    now, then = (
        Foresight(checkpoint, rows, contexts, setting, (0,), AbortRule(), 0, 320) for setting in (SETTING, later)
    )
    assert np.corrcoef(now.u[:, 0], checkpoint.spec.parameters[0].unconstrain(now.theta[:320, 0]))[0, 1] > 0.99
    apart = np.corrcoef(then.u[:, 0], checkpoint.spec.parameters[0].unconstrain(then.theta[:320, 0]))[0, 1]
    assert abs(apart) < 0.3


def test_a_network_without_a_discrepancy_distorts_nothing(checkpoint):
    cells = foresee(checkpoint)
    answers = play(cells)
    assert cells.distorted(answers, STEP, DRAWS) is answers


def test_a_shipped_network_carries_on_what_the_model_missed_of_the_sweeps_so_far():
    checkpoint = load(shipped("cortical-steps"))
    _, contexts = seen()
    answers = [play(foresee(checkpoint), StepCandidate(c.amplitude, duration=200.0)) for c in contexts]
    whole = np.isfinite(answers[0][:, REST]) & np.isfinite(answers[1][:, REST])
    typical = np.stack([each[whole][0] for each in answers])
    typical[:, REST] += 15.0
    raised = foresee(checkpoint, typical)
    sweep = play(raised)
    carried = raised.distorted(sweep, STEP, DRAWS)
    fresh = foresee(checkpoint, typical, carry=False)
    # What was seen lies 15 mV above what these draws have, and so will what is to come.
    again = play(raised, StepCandidate(-40.0, duration=200.0))[:, REST]
    missed = typical[0, REST] - np.nanmedian(again)
    assert abs(missed) > 5.0
    assert 0.3 < np.nanmedian(carried[:, REST] - sweep[:, REST]) / missed < 1.2
    plain = play(fresh)
    blank = fresh.distorted(plain, STEP, DRAWS)
    np.testing.assert_array_equal(np.isfinite(blank), np.isfinite(plain))
    assert abs(np.nanmedian(blank[:, REST] - plain[:, REST])) < 0.2 * abs(missed)
    silent = sweep[:, COUNT] == 0
    assert (carried[silent, COUNT] == 0).all()


def test_a_cell_without_sweeps_can_not_be_foreseen(checkpoint):
    with pytest.raises(ValueError, match="0 sweeps have 2 contexts"):
        foresee(checkpoint, np.empty((0, len(NAMES))))
