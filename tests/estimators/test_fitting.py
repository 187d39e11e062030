import math
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch

import estimators
from estimators import fitting
from estimators.fitting import fit
from estimators.heads import HEADS
from estimators.prior import Prior
from estimators.simulations import SimulationsError
from simulators.refusal import Refusal

NORMAL = Prior.normal([1.0, -1.0], [[1.0, 0.3], [0.3, 0.5]])
BOX = Prior.uniform([0.0, 2.0], [1.0, 5.0])
NOISE = 0.5
QUICK = {"width": 16, "batch": 32, "validation": 0.2}


def simulate(prior, n, seed):
    """The features are theta with noise, in another unit each."""
    generator = torch.Generator().manual_seed(seed)
    theta = prior.sample(n, generator)
    noise = NOISE * torch.randn(n, prior.p, generator=generator, dtype=torch.float64)
    return theta, (theta + noise) * torch.tensor([1.0, 100.0])


def exact(x):
    """The posterior of the normal prior, by conjugacy."""
    part = NORMAL.parts[0]
    precision = torch.linalg.inv(part.covariance)
    covariance = torch.linalg.inv(precision + torch.eye(2, dtype=torch.float64) / NOISE**2)
    seen = x / torch.tensor([1.0, 100.0]) / NOISE**2
    return torch.distributions.MultivariateNormal((seen + precision @ part.mean) @ covariance, covariance)


@pytest.mark.parametrize("head", list(HEADS))
def test_every_head_learns_a_posterior_that_is_known(head):
    theta, x = simulate(NORMAL, 800, 0)
    estimator = fit(theta, x, NORMAL, heads=[head], ensemble=1, epochs=10, width=32, batch=32, seed=1)
    new_theta, new_x = simulate(NORMAL, 200, 1)
    lost = exact(new_x).log_prob(new_theta) - estimator.log_prob(new_theta, new_x)
    assert float(lost.mean()) < 0.1
    draws = estimator(new_x[0]).sample((2000,), generator=torch.Generator().manual_seed(2))
    known = exact(new_x[:1])
    torch.testing.assert_close(draws.mean(0), known.mean[0], atol=0.2, rtol=0)
    torch.testing.assert_close(draws.std(0), known.stddev[0], atol=0.1, rtol=0)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def rows():
    return simulate(BOX, 300, 3)


def again(rows, **changes):
    how = {"heads": ["mixture", "autoregressive"], "ensemble": 2, "epochs": 3, "seed": 5, **QUICK, **changes}
    return fit(*rows, BOX, **how)


@pytest.fixture(scope="module")
def fitted(rows, told):
    return again(rows, progress=told.append)


def same(one, other):
    """Tell whether two estimators are the same to the last bit."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_head_that_held_out_rows_like_best_is_chosen(fitted):
    first = {each["head"]: each["held_out"] for each in fitted.record["trainings"][:2]}
    assert fitted.record["head"] == max(first, key=first.get)
    assert [each["split"] for each in fitted.record["trainings"]] == [0, 0, 1]
    assert {network.plan.head for network in fitted.networks} == {fitted.record["head"]}
    assert len(fitted.networks) == 2


def test_schedules_are_tried_with_the_best_head_and_the_best_of_all_is_repeated(rows, monkeypatch):
    monkeypatch.setattr(fitting, "SCHEDULES", ((2, 0.01, 2), (1, 1.0, 2), (4, 0.01, 2)))
    told = []
    estimator = again(rows, epochs=None, ensemble=3, progress=told.append)
    trainings = estimator.record["trainings"]
    first = max(trainings[:2], key=lambda each: each["held_out"])["head"]
    assert [each["head"] for each in trainings[2:4]] == [first, first]
    assert [each["schedule"] for each in trainings[:4]] == [0, 0, 1, 2]
    best = max(trainings[:4], key=lambda each: each["held_out"])
    assert [(each["head"], each["schedule"], each["split"]) for each in trainings[4:]] == [
        (best["head"], best["schedule"], split) for split in (1, 2)
    ]
    assert len(estimator.networks) == 3
    epochs, decay, _ = fitting.SCHEDULES[best["schedule"]]
    assert estimator.record["schedule"] == {"epochs": epochs, "weight_decay": decay}
    assert {each.of for each in told} == {6}
    assert told[-1].seconds_left == 0


def test_the_chosen_schedule_says_how_many_networks_there_are(rows, monkeypatch):
    monkeypatch.setattr(fitting, "SCHEDULES", ((1, 0.01, 2), (2, 0.01, 4), (1, 1.0, 3)))
    told = []
    estimator = again(rows, heads=["mixture"], epochs=None, ensemble=None, progress=told.append)
    best = max(estimator.record["trainings"][:3], key=lambda each: each["held_out"])["schedule"]
    assert len(estimator.networks) == fitting.SCHEDULES[best][2]
    assert (told[0].of, told[-1].of) == (6, 2 + fitting.SCHEDULES[best][2])
    assert told[-1].seconds_left == 0


def test_every_epoch_is_told_with_the_time_left(told, fitted):
    assert [(each.training, each.epoch) for each in told] == [(k, e) for k in range(3) for e in (1, 2, 3)]
    assert {(each.of, each.epochs) for each in told} == {(3, 3)}
    assert all(each.seconds_left > 0 for each in told[:-1])
    assert told[-1].seconds_left == 0
    assert all(math.isfinite(each.loss) and math.isfinite(each.held_out) for each in told)


def test_the_same_seed_fits_the_same_estimator_and_another_another(fitted, rows):
    assert same(again(rows), fitted)
    assert not same(again(rows, seed=6), fitted)


def test_the_randomness_of_others_is_left_alone(rows):
    torch.manual_seed(8)
    expected = torch.rand(3)
    torch.manual_seed(8)
    again(rows, heads=["mixture"], ensemble=1, epochs=1, dropout=0.1)
    assert torch.equal(torch.rand(3), expected)


class Killed(Exception):
    """Stands for a kill between two epochs."""


def killed_at(training, epoch):
    def progress(now):
        if (now.training, now.epoch) == (training, epoch):
            raise Killed

    return progress


@pytest.mark.parametrize(("training", "epoch"), [(0, 2), (1, 3), (2, 1)])
def test_a_killed_fit_goes_on_from_its_last_epoch_and_ends_where_an_undisturbed_one_does(
    fitted, rows, tmp_path, training, epoch
):
    with pytest.raises(Killed):
        again(rows, bookmark=tmp_path / "bookmark", progress=killed_at(training, epoch))
    told = []
    resumed = again(rows, bookmark=tmp_path / "bookmark", progress=told.append)
    assert len(told) == 9 - (3 * training + epoch)
    assert same(resumed, fitted)
    assert resumed.record["trainings"] == fitted.record["trainings"]


@pytest.mark.parametrize("change", ["seed", "rows", "epochs", "damage"])
def test_the_bookmark_of_another_fit_or_a_damaged_one_is_not_gone_on_from(rows, tmp_path, change):
    path = tmp_path / "bookmark"
    how = {"heads": ["mixture"], "ensemble": 1}
    with pytest.raises(Killed):
        again(rows, bookmark=path, progress=killed_at(0, 1), **how)
    if change == "damage":
        with h5py.File(path, "r+") as file:
            del file["numbers"]
    told = []
    changed = {"seed": {"seed": 7}, "epochs": {"epochs": 4}}.get(change, {})
    table = simulate(BOX, 300, 4) if change == "rows" else rows
    again(table, bookmark=path, progress=told.append, **how, **changed)
    assert [each.epoch for each in told] == list(range(1, len(told) + 1))


def test_each_network_of_an_ensemble_holds_other_rows_out(rows, monkeypatch):
    from estimators import tournament

    seen = []

    class Watched(tournament.Descent):
        def __init__(self, plan, schedule, train, held_out, seed, device):
            seen.append({tuple(row) for row in held_out.z.tolist()})
            assert len(train.z) + len(held_out.z) == 300
            assert not seen[-1] & {tuple(row) for row in train.z.tolist()}
            super().__init__(plan, schedule, train, held_out, seed, device)

    monkeypatch.setattr(tournament, "Descent", Watched)
    again(rows, heads=["mixture"], ensemble=3, epochs=1)
    assert [len(each) for each in seen] == [60, 60, 60]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_training_ends_when_patience_does(rows):
    estimator = again(rows, heads=["mixture"], ensemble=1, epochs=60, patience=1, batch=16)
    assert estimator.record["trainings"][0]["epochs"] < 60


def test_failed_simulations_and_constant_features_are_left_out_and_told(rows):
    theta, x = rows
    x = torch.cat([x, torch.full((300, 1), 4.0), torch.full((300, 1), math.nan)], dim=1)
    x[::3] = math.nan
    estimator = fit(theta, x, BOX, heads=["mixture"], ensemble=1, epochs=1, **QUICK)
    assert (estimator.record["rows"], estimator.record["failed"]) == (200, 100)
    assert estimator.record["constant"] == [2, 3]
    usual, strange = estimator([0.5, 300.0, 4.0, math.nan]), estimator([0.5, 300.0, -1e9, 7.0])
    assert usual.log_prob(theta[0]) == strange.log_prob(theta[0])


def test_what_a_missing_feature_told_is_not_known_without_it():
    theta, x = simulate(NORMAL, 800, 0)
    x[::2, 1] = math.nan
    estimator = fit(theta, x, NORMAL, heads=["mixture"], ensemble=1, epochs=10, width=32, batch=32)
    there, missing = estimator([[1.0, -100.0], [1.0, math.nan]]).sample((2000,)).std(0)[:, 1]
    expected = float(exact(torch.tensor([[1.0, -100.0]], dtype=torch.float64)).stddev[0, 1])
    assert float(there) == pytest.approx(expected, rel=0.2)
    assert float(missing) > 1.3 * float(there)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t, x: (t[:, :1], x), r"Theta has shape \(300, 1\)"),
        (lambda t, x: (t[:299], x), r"Theta has shape \(299, 2\) and x \(300, 2\)"),
        (lambda t, x: (t[:, 0], x), r"theta given has shape \(300,\)"),
        (lambda t, x: (t, "features"), "x given is no table of numbers"),
        (lambda t, x: (put(t, 7, 1, math.nan), x), "theta_2 of row 7 is nan, which is not finite"),
        (lambda t, x: (put(t, 7, 0, math.inf), x), "theta_1 of row 7 is inf, which is not finite"),
        (lambda t, x: (put(t, 9, 1, 6.5), x), "theta_2 of row 9 is 6.5, which is outside the prior"),
        (lambda t, x: (put(t, slice(9, 12), 1, 6.5), x), r"row 9 is 6.5.*\(2 more rows"),
        (lambda t, x: (t, put(x, 3, 0, -math.inf)), r"x\[0\] of row 3 is -inf"),
        (lambda t, x: (t, x * math.nan), "All 300 simulations failed"),
        (lambda t, x: (t[:49], x[:49]), "There are 49 simulations"),
        (lambda t, x: (t, put(x, slice(0, 260), slice(0, 2), math.nan)), "There are 40 simulations"),
        (lambda t, x: (t, 0.0 * x + 1.0), "None of the 2 features varies"),
    ],
)
def test_rows_that_teach_nothing_are_refused_in_words(rows, change, words):
    with pytest.raises(SimulationsError, match=words):
        fit(*change(*rows), BOX, epochs=1)


def put(table, row, column, value):
    table = table.clone()
    table[row, column] = value
    return table


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": ["spline"]}, "'spline' is no head"),
        ({"heads": []}, "No head was given"),
        ({"ensemble": 0}, "ensemble is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"width": 0}, "width is 0"),
        ({"validation": 0.0}, "validation share is 0.0"),
        ({"validation": 0.7}, "validation share is 0.7"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"device": "tpu"}, "device is 'tpu'"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_before_anything_is_trained(rows, changes, words):
    with pytest.raises(Refusal, match=words):
        again(rows, **changes)


def test_arrays_of_numpy_are_taken_as_they_are(rows):
    arrays = [np.asarray(table, dtype=np.float32) for table in rows]
    estimator = again(arrays, heads=["mixture"], ensemble=1, epochs=1)
    assert estimator(arrays[1]).sample().shape == (300, 2)


def test_fit_is_at_hand_in_the_package_which_loads_nothing_for_it():
    assert estimators.fit is fit
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = estimators.train
    words = "import sys, estimators; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout == "False\n"
