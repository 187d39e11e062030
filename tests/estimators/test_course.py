"""A training that is stopped and gone on with ends where an undisturbed one does, and one bad batch does it no harm."""

import math

import numpy as np
import pytest
import torch

from estimators.course import Course, _schedule


def line():
    torch.manual_seed(0)
    return torch.nn.Linear(2, 1)


def made():
    steps = {"learning_rate": 0.05, "weight_decay": 0.0, "warming": 0.1, "keep": 0.9}
    return Course(line(), line(), np.random.default_rng(1), **steps)


def epoch(course, bad=False):
    def losses():
        for k in range(10):
            x = torch.from_numpy(course.rng.normal(size=(8, 2))).float()
            loss = ((course.network(x)[:, 0] - x[:, 0]) ** 2).mean()
            yield (course.epoch + k / 10) / 5, loss * math.nan if bad and k == 3 else loss

    loss = course.go_through(losses())
    course.judge(-loss)
    return loss


def weights(network):
    return torch.cat([tensor.flatten() for tensor in network.state_dict().values()])


def test_steps_warm_up_and_fall_to_nothing():
    sizes = [_schedule(progress, 0.1) for progress in np.linspace(0.0, 1.0, 101)]
    assert sizes[0] < 0.02
    assert np.argmax(sizes) in (9, 10)
    assert sizes[-1] == pytest.approx(0.0, abs=1e-9)


def test_it_learns_and_keeps_the_best_average():
    course = made()
    losses = [epoch(course) for _ in range(5)]
    assert losses[-1] < 0.5 * losses[0]
    assert course.best == -min(losses)
    assert not torch.equal(weights(course.kept), weights(line()))


def test_a_batch_that_is_no_number_changes_nothing():
    course = made()
    assert math.isfinite(epoch(course, bad=True))
    assert torch.isfinite(weights(course.network)).all()
    assert torch.isfinite(weights(course.averaged)).all()


def test_an_epoch_without_a_step_has_no_loss():
    assert math.isnan(made().go_through([]))


def test_what_is_gone_on_with_ends_where_an_undisturbed_training_does():
    whole, first, second = made(), made(), made()
    for _ in range(4):
        epoch(whole)
    for _ in range(2):
        epoch(first)
    second.go_on(first.stand())
    for _ in range(2):
        epoch(second)
    for name in ("network", "averaged", "kept"):
        assert torch.equal(weights(getattr(whole, name)), weights(getattr(second, name)))
    assert (whole.best, whole.epoch) == (second.best, second.epoch)
