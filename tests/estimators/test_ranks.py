"""Ranks of many cells at once are those of each alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.ranks import Ranks, rank_cells
from estimators.sets import Sets

EXCLUDED = CONTEXT.index("excluded")


def cell(sets, k):
    rows = slice(sets.first[k], sets.first[k + 1])
    return Sets(sets.u[rows], sets.features[rows], sets.context[rows], np.array([0, rows.stop - rows.start]))


@pytest.fixture
def ranks(network, sets):
    return rank_cells(network, sets, np.random.default_rng(0))


def test_neither_neighbours_nor_padding_change_a_cells_density(network, sets, ranks):
    for k in range(0, 40):
        rows = slice(sets.first[k], sets.first[k + 1])
        context = sets.context[rows]
        with torch.inference_mode():
            posterior = network(
                torch.from_numpy(sets.features[rows])[None],
                torch.from_numpy(context)[None],
                torch.ones(1, len(context), dtype=torch.bool),
            )
            alone = posterior.log_prob(torch.from_numpy(sets.u[rows.stop - 1])[None])
        assert ranks.log_prob[k] == pytest.approx(alone.item(), rel=1e-4, abs=1e-3)


def test_each_cell_keeps_its_place_and_the_truth_is_theta_at_its_latest_sweep(network, sets):
    sets = replace(sets, u=np.random.default_rng(6).normal(size=sets.u.shape).astype(np.float32))
    ranks = rank_cells(network, sets, np.random.default_rng(0))
    last = sets.u[sets.first[1:] - 1].astype(np.float64)
    np.testing.assert_allclose(ranks.prior_log_prob, (-0.5 * (last**2 + np.log(2 * np.pi))).sum(axis=1), rtol=1e-5)
    for k in range(len(sets)):
        one = cell(sets, k)
        assert ranks.sweeps[k] == max(1, (one.context[:, EXCLUDED] == 0).sum())
        assert ranks.fires[k] == (np.nan_to_num(one.features[:, NAMES.index("spike_count")]).sum() > 0)


def test_z_scores_and_ranks_point_the_same_way(ranks):
    assert np.corrcoef(ranks.z.ravel().clip(-3, 3), ranks.below.ravel())[0, 1] > 0.9
    assert ((ranks.below >= 0) & (ranks.below <= 1)).all()


def test_large_sets_go_in_smaller_batches_and_give_the_same(network, sets, ranks, monkeypatch):
    sizes = []
    monkeypatch.setattr("estimators.ranks._TOKENS", 12)

    def counted(features, context, there):
        sizes.append(there.shape)
        return network(features, context, there)

    counted.parameters_of_cell = network.parameters_of_cell
    again = rank_cells(counted, sets, np.random.default_rng(0))
    assert all(cells * most <= 12 or cells == 1 for cells, most in sizes)
    np.testing.assert_allclose(again.log_prob, ranks.log_prob, rtol=1e-4, atol=1e-3)


def test_the_network_is_asked_once_a_batch_and_not_once_a_cell(network, sets):
    asked = []

    def counted(features, context, there):
        asked.append(len(features))
        return network(features, context, there)

    rank_cells(counted, sets, np.random.default_rng(0))
    assert asked == [300]


def test_ranks_are_taken_and_joined_column_by_column(ranks):
    chosen = np.arange(len(ranks)) % 3 == 0
    both = Ranks.join([ranks[chosen], ranks[~chosen]])
    assert len(both) == len(ranks)
    np.testing.assert_array_equal(both.z[: chosen.sum()], ranks.z[chosen])
    np.testing.assert_array_equal(both.fires[chosen.sum() :], ranks.fires[~chosen])
