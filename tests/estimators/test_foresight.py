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


def test_the_same_draws_answer_alike_whoever_asks_first(checkpoint):
    one, other = foresee(checkpoint), foresee(checkpoint)
    other.answers(replace(STEP, amplitude=-20.0), DRAWS)
    np.testing.assert_array_equal(one.answers(STEP, DRAWS).features, other.answers(STEP, DRAWS).features)
    assert one.simulated == BLOCK
    assert not np.array_equal(foresee(checkpoint, seed=1).answers(STEP, DRAWS).features[0], one.answers(STEP, DRAWS))


def test_under_the_same_step_noise_and_rig_are_shared_so_that_the_rest_does_not_change(checkpoint):
    cells = foresee(checkpoint)
    one, other = (cells.answers(replace(STEP, amplitude=a), DRAWS).features[:, REST] for a in (20.0, 21.0))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_gain_is_what_the_density_of_the_own_theta_gains_on_average(checkpoint):
    everything = range(len(checkpoint.spec.parameters))
    cells = foresee(checkpoint, columns=everything)
    answers = cells.answers(STEP, DRAWS).features
    (scores,) = cells.scores([STEP], [answers], DRAWS)
    rows, contexts = seen()
    told = np.stack([context.row() for context in [*contexts, STEP.context(SETTING)]])
    u = torch.as_tensor(cells.u[DRAWS], dtype=torch.float32)
    for k in (0, 7):
        after = checkpoint.network.density(np.vstack([rows, answers[k]]), told)
        assert after.log_prob(u[[k]])[0].item() == pytest.approx(scores.gain[k] + cells._now[k], abs=1e-3)  # noqa: SLF001
    assert cells.entropy == pytest.approx(-cells._now.mean(), abs=0.3)  # noqa: SLF001


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
    answers = cells.answers(STEP, DRAWS).features
    assert cells.distorted(answers, STEP, DRAWS) is answers


def test_a_shipped_network_carries_on_what_the_model_missed_of_the_sweeps_so_far():
    checkpoint = load(shipped("cortical-steps"))
    _, contexts = seen()
    answers = [foresee(checkpoint).answers(StepCandidate(c.amplitude, duration=200.0), DRAWS).features for c in contexts]
    whole = np.isfinite(answers[0][:, REST]) & np.isfinite(answers[1][:, REST])
    typical = np.stack([each[whole][0] for each in answers])
    typical[:, REST] += 15.0
    raised = foresee(checkpoint, typical)
    sweep = raised.answers(STEP, DRAWS).features
    carried = raised.distorted(sweep, STEP, DRAWS)
    fresh = foresee(checkpoint, typical, carry=False)
    # What was seen lies 15 mV above what these draws have, and so will what is to come.
    again = raised.answers(StepCandidate(-40.0, duration=200.0), DRAWS).features[:, REST]
    missed = typical[0, REST] - np.nanmedian(again)
    assert np.nanmedian(carried[:, REST] - sweep[:, REST]) == pytest.approx(missed, abs=max(2.0, 0.4 * abs(missed)))
    plain = fresh.answers(STEP, DRAWS).features
    blank = fresh.distorted(plain, STEP, DRAWS)
    np.testing.assert_array_equal(np.isfinite(blank), np.isfinite(plain))
    assert abs(np.nanmedian(blank[:, REST] - plain[:, REST])) < 0.4 * abs(missed)
    silent = sweep[:, COUNT] == 0
    assert (carried[silent, COUNT] == 0).all()


def test_a_cell_without_sweeps_can_not_be_foreseen(checkpoint):
    with pytest.raises(ValueError, match="0 sweeps have 2 contexts"):
        foresee(checkpoint, np.empty((0, len(NAMES))))
