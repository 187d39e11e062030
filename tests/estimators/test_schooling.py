from dataclasses import replace

import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.schooling import Sweeps, _Course, school


def finish(course):
    """Run a schooling to its end; gives the epochs and the likelihood."""
    epochs = []
    while True:
        try:
            epochs.append(next(course))
        except StopIteration as end:
            return epochs, end.value


@pytest.fixture(scope="module")
def how(spec):
    return replace(spec.likelihood, rows=900, epochs=5, learning_rate=5e-3)


def test_held_out_sweeps_grow_likelier(spec, how, made):
    epochs, likelihood = finish(school(spec.parameters, how, made.sets(400), made.sets(60, seed=9), 1))
    assert [epoch.index for epoch in epochs] == [1, 2, 3, 4, 5]
    assert epochs[-1].held_out > epochs[0].held_out + 3.0
    assert not likelihood.training
    assert not any(parameter.requires_grad for parameter in likelihood.parameters())


def test_knowing_theta_makes_sweeps_likelier_than_knowing_the_design_alone(spec, how, made):
    sets, held_out = made.sets(400), made.sets(60, seed=9)
    knowing, _ = finish(school(spec.parameters, replace(how, epochs=12), sets, held_out, 1))
    blind, _ = finish(school((), replace(how, epochs=12), sets, held_out, 1))
    assert knowing[-1].held_out > blind[-1].held_out + 1.0


def test_the_weights_that_held_out_sweeps_liked_best_are_kept(spec, how, made):
    held_out = made.sets(60, seed=9)
    epochs, likelihood = finish(school(spec.parameters, how, made.sets(400), held_out, 1))
    judges = Sweeps(held_out, True)
    found = float(judges.score(likelihood, torch.arange(len(judges))).mean())
    assert found == pytest.approx(max(epoch.held_out for epoch in epochs), abs=1e-3)


def test_one_that_was_interrupted_ends_as_an_undisturbed_one(spec, how, made, tmp_path):
    sets, held_out = made.sets(200), made.sets(60, seed=9)
    path = tmp_path / "bookmark"
    begun = school(spec.parameters, how, sets, held_out, 1, path)
    next(begun)
    next(begun)
    begun.close()
    rest, resumed = finish(school(spec.parameters, how, sets, held_out, 1, path))
    assert [epoch.index for epoch in rest] == [3, 4, 5]
    _, whole = finish(school(spec.parameters, how, sets, held_out, 1))
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_the_same_seed_teaches_the_same(spec, how, made):
    runs = [finish(school((), replace(how, epochs=1), made.sets(100), made.sets(30, seed=9), 4))[1] for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(*(run.state_dict().values() for run in runs), strict=True))


def test_sweeps_that_were_excluded_are_not_learned_from(sets):
    assert len(Sweeps(sets, True)) == int((sets.context[:, CONTEXT.index("excluded")] == 0).sum()) < len(sets.u)
    assert Sweeps(sets, False).u.shape[1] == 0
    assert Sweeps(sets, True).u.shape[1] == sets.u.shape[1] == np.shape(sets.u)[1]


def test_weights_that_held_out_sweeps_like_less_are_not_kept(spec, how, sets):
    course = _Course(spec.parameters, how, Sweeps(sets, True), 1)
    judges = Sweeps(sets, True)
    course.best = float("inf")
    before = {name: weight.clone() for name, weight in course.kept.state_dict().items()}
    course.run()
    course.choose(judges)
    assert all(torch.equal(weight, before[name]) for name, weight in course.kept.state_dict().items())
    course.best = -float("inf")
    found = course.choose(judges)
    assert course.best == found
    assert not all(torch.equal(weight, before[name]) for name, weight in course.kept.state_dict().items())
