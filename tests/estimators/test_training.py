import math
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.flow import Flow
from estimators.sets import Sets
from estimators.training import batches, held_out_log_prob, train

START, EXCLUDED = CONTEXT.index("start"), CONTEXT.index("excluded")


@pytest.fixture
def numbered(made):
    """Cells whose theta and first feature say which cell and which sweep they are."""
    sets = made.sets(120, seed=4, most=8)
    of_cell = np.repeat(np.arange(120), np.diff(sets.first))
    sweep = np.arange(len(sets.u)) - sets.first[of_cell]
    u, features = sets.u.copy(), np.zeros_like(sets.features)
    u[:, 0], u[:, 1] = of_cell, sweep
    features[:, 0], features[:, 1] = of_cell, sweep
    context = sets.context.copy()
    context[:, EXCLUDED] = 0
    return Sets(u, features, context, sets.first)


def test_an_epoch_shows_each_cell_once(numbered):
    shown = torch.cat([batch.u[:, 0] for batch in batches(numbered, np.random.default_rng(0), 16)])
    assert sorted(shown.tolist()) == list(range(120))


@pytest.mark.parametrize("vary", [True, False])
def test_a_subset_keeps_its_order_and_its_latest_theta(numbered, vary):
    for batch in batches(numbered, np.random.default_rng(1), 16, vary=vary):
        for k in range(len(batch.u)):
            there = batch.there[k] & (batch.context[k, :, EXCLUDED] == 0)
            cells, sweeps = batch.features[k, there, 0], batch.features[k, there, 1]
            assert (cells == batch.u[k, 0]).all()
            assert (sweeps.diff() > 0).all()
            if batch.context[k, int(batch.there[k].sum()) - 1, EXCLUDED] == 0:
                assert sweeps[-1] == batch.u[k, 1]


def test_a_set_whose_steps_followed_its_sweeps_is_shown_from_the_first_on_and_hides_none(numbered):
    chosen = replace(numbered, chosen=np.ones(len(numbered), dtype=bool))
    sizes = set()
    for batch in batches(chosen, np.random.default_rng(2), 16):
        for k in range(len(batch.u)):
            shown = batch.features[k, batch.there[k], 1].tolist()
            assert shown == list(range(len(shown))) and not batch.context[k, batch.there[k], EXCLUDED].any()
            sizes.add(len(shown))
    assert sizes == set(range(1, 9))


def test_subsets_of_every_size_are_shown(numbered):
    eight = np.flatnonzero(np.diff(numbered.first) == 8)
    seen = set()
    for epoch in range(8):
        for batch in batches(numbered, np.random.default_rng(epoch), 16):
            chosen = np.isin(batch.u[:, 0].numpy(), eight)
            seen |= set(batch.there.sum(dim=1).numpy()[chosen])
    assert seen == set(range(1, 9))


def test_without_variation_every_sweep_is_shown_as_it_is(numbered):
    shown = sum(int(batch.there.sum()) for batch in batches(numbered, np.random.default_rng(0), 16, vary=False))
    assert shown == len(numbered.u)


def test_a_set_begins_at_time_zero(numbered):
    for batch in batches(numbered, np.random.default_rng(0), 16):
        assert not batch.context[:, 0, START].any()


def test_a_hidden_sweep_says_so_and_shows_nothing(numbered):
    hidden = 0
    for epoch in range(5):
        for batch in batches(numbered, np.random.default_rng(epoch), 16):
            excluded = batch.there & (batch.context[..., EXCLUDED] == 1)
            hidden += int(excluded.sum())
            assert torch.isnan(batch.features[excluded]).all()
            assert not torch.isnan(batch.features[batch.there & ~excluded]).any()
    assert hidden > 0


def test_showing_a_set_does_not_change_it(numbered):
    before = numbered.features.copy(), numbered.context.copy()
    list(batches(numbered, np.random.default_rng(0), 16))
    assert np.array_equal(before[0], numbered.features)
    assert np.array_equal(before[1], numbered.context)


def test_large_sets_come_in_smaller_batches(made):
    sets = made.sets(800, sweeps=40)
    tokens = [batch.there.numel() for batch in batches(sets, np.random.default_rng(0), 512, vary=False)]
    assert len(tokens) > 5
    assert max(tokens) <= 6144


def test_a_flow_recovers_a_conjugate_posterior():
    # theta ~ N(0, 1), x = A theta + noise of .5: the posterior is normal with a known mean and covariance.
    mix = torch.tensor([[1.0, 0.5], [-0.3, 0.8]])
    covariance = torch.linalg.inv(torch.eye(2) + mix.T @ mix / 0.25)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        flow = Flow(2, 2, 2, 16, 4)
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 500)
    for _ in range(500):
        theta = torch.randn(256, 2, generator=generator)
        x = theta @ mix.T + 0.5 * torch.randn(256, 2, generator=generator)
        loss = -flow(x).log_prob(theta).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    theta = torch.randn(4000, 2, generator=generator)
    x = theta @ mix.T + 0.5 * torch.randn(4000, 2, generator=generator)
    mean = x @ mix @ covariance.T / 0.25
    exact = torch.distributions.MultivariateNormal(mean, covariance)
    with torch.no_grad():
        lost = (exact.log_prob(theta) - flow(x).log_prob(theta)).mean()
        draws = flow(x[:20]).from_noise(torch.randn(4000, 20, 2, generator=generator))
    assert abs(float(lost)) < 0.02
    torch.testing.assert_close(draws.mean(0), mean[:20], atol=0.12, rtol=0)
    torch.testing.assert_close(torch.cov(draws[:, 0].T), covariance, atol=0.04, rtol=0)


@pytest.fixture(scope="module")
def trained(spec, made):
    told = []
    sets, held_out = made.sets(180, seed=5), made.sets(60, seed=6)
    network = train(spec, sets, held_out, lambda epoch, best: told.append(epoch))
    return network, told, held_out


def test_training_tells_each_epoch_once(trained, spec):
    _, told, _ = trained
    assert [epoch.index for epoch in told] == [1, 2, 3]
    assert {epoch.of for epoch in told} == {spec.training.epochs}
    assert told[-1].seconds_left == 0
    assert all(math.isfinite(epoch.loss) for epoch in told)


def test_what_is_kept_is_what_unseen_cells_liked_best(trained):
    network, told, held_out = trained
    assert not network.training
    assert held_out_log_prob(network, held_out) == pytest.approx(max(epoch.held_out for epoch in told), abs=1e-4)


def test_training_raises_the_density_of_unseen_cells(trained):
    _, told, _ = trained
    assert told[-1].held_out > told[0].held_out


def test_the_same_seed_trains_the_same_network(trained, spec, made):
    again = train(spec, made.sets(180, seed=5), trained[2], lambda *_: None)
    for name, weight in again.state_dict().items():
        assert torch.equal(weight, trained[0].state_dict()[name]), name


class Killed(Exception):
    """Stands for a kill between two epochs."""


def halted(spec, made, bookmark):
    """Train one epoch and be killed."""

    def told(*_):
        raise Killed

    with pytest.raises(Killed):
        train(spec, made.sets(180, seed=5), made.sets(60, seed=6), told, "cpu", bookmark)


def test_a_killed_training_goes_on_from_its_last_epoch_and_ends_where_an_undisturbed_one_does(
    trained, spec, made, tmp_path
):
    halted(spec, made, tmp_path / "bookmark")
    told = []
    network = train(
        spec, made.sets(180, seed=5), trained[2], lambda epoch, _: told.append(epoch), "cpu", tmp_path / "bookmark"
    )
    assert [epoch.index for epoch in told] == [2, 3]
    assert [(epoch.loss, epoch.held_out) for epoch in told] == [(e.loss, e.held_out) for e in trained[1][1:]]
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, trained[0].state_dict()[name]), name


def test_a_finished_training_is_not_done_again(trained, spec, made, tmp_path):
    train(spec, made.sets(180, seed=5), trained[2], lambda *_: None, "cpu", tmp_path / "bookmark")
    told = []
    network = train(
        spec, made.sets(180, seed=5), trained[2], lambda epoch, _: told.append(epoch), "cpu", tmp_path / "bookmark"
    )
    assert told == []
    assert all(torch.equal(weight, trained[0].state_dict()[name]) for name, weight in network.state_dict().items())


@pytest.mark.parametrize("change", ["seed", "training", "cells", "damage", "cut"])
def test_the_bookmark_of_another_training_or_a_damaged_one_is_not_gone_on_from(spec, made, tmp_path, change):
    path = tmp_path / "bookmark"
    halted(spec, made, path)
    cells = made.sets(180, seed=7 if change == "cells" else 5)
    if change == "seed":
        spec = replace(spec, seed=spec.seed + 1)
    if change == "training":
        spec = replace(spec, training=replace(spec.training, learning_rate=5e-4))
    if change == "damage":
        with h5py.File(path, "r+") as file:
            del file["numbers"]
    if change == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    told = []
    train(spec, cells, made.sets(60, seed=6), lambda epoch, _: told.append(epoch.index), "cpu", path)
    assert told == [1, 2, 3]


@pytest.fixture
def broken(made):
    sets = made.sets(180, seed=5)
    context = sets.context.copy()
    context[sets.first[17] : sets.first[18], CONTEXT.index("duration")] = np.nan
    return replace(sets, context=context)


def test_a_broken_batch_does_not_break_the_weights(broken, spec, made):
    told = []
    network = train(spec, broken, made.sets(40, seed=6), lambda epoch, _: told.append(epoch))
    assert all(torch.isfinite(weight).all() for weight in network.state_dict().values())
    assert all(math.isfinite(epoch.loss) and math.isfinite(epoch.held_out) for epoch in told)


def test_nothing_but_broken_batches_is_a_loss_that_is_no_number(broken, spec, made):
    broken.context[:, CONTEXT.index("duration")] = np.nan
    told = []
    network = train(spec, broken, made.sets(40, seed=6), lambda epoch, _: told.append(epoch))
    assert all(math.isnan(epoch.loss) for epoch in told)
    assert all(torch.isfinite(weight).all() for weight in network.state_dict().values())
