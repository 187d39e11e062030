import numpy as np
import pytest
from scipy.stats import spearmanr

from estimators.checkpoint import load
from estimators.pretrained import SHIPPED, shipped
from estimators.ranking import Ranking, RankingError, rank_correlation, ranking


def test_the_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    for _ in range(5):
        one, other = rng.normal(size=(2, 12))
        assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_the_regret_is_what_the_leader_is_behind_the_best():
    gains = np.array([[1.0, 2.0, 0.0], [3.0, 1.0, np.nan]])
    nested = np.array([[0.5, 0.4, 0.9], [2.0, 1.0, np.nan]])
    found = Ranking(gains, gains, nested, nested)
    assert found.regrets.tolist() == [0.5, 0.0]
    assert found.correlations.tolist() == [-1.0, 1.0]


def test_a_ranking_has_a_row_for_each_cell_with_a_figure_for_each_candidate(taught):
    found = ranking(taught, 2, sweeps=1, draws=32, outer=4, inner=8)
    assert len(found.gains) == 2
    assert np.array_equal(np.isfinite(found.gains), np.isfinite(found.nested))
    assert np.isfinite(found.correlations).all()
    assert (found.regrets >= 0).all()


def test_without_a_likelihood_nothing_can_be_checked(checkpoint):
    with pytest.raises(RankingError, match="no likelihood"):
        ranking(checkpoint, 1)


@pytest.mark.long
def test_gains_with_fresh_errors_stand_in_the_order_of_the_nested_estimates():
    found = ranking(load(shipped(SHIPPED[0])), 20, draws=256, outer=64, inner=256, carry=False)
    assert np.median(found.correlations) >= 0.8
    assert np.median(found.regrets) <= 0.2


@pytest.mark.long
def test_gains_with_carried_errors_lose_little_by_the_nested_estimates():
    """Which know of no error that sweeps share, so that the order is another."""
    found = ranking(load(shipped(SHIPPED[0])), 20, draws=256, outer=64, inner=256)
    assert np.median(found.correlations) >= 0.4
    assert np.median(found.regrets) <= 0.2


@pytest.mark.long
def test_learned_gains_stand_in_the_order_of_the_nested_estimates():
    found = ranking(load(shipped(SHIPPED[0])), 20, draws=32, outer=64, inner=256, carry=False, learned=True)
    assert np.median(found.correlations) >= 0.8
    assert np.median(found.regrets) <= 0.2


def test_without_a_prospect_nothing_learned_can_be_checked(taught):
    with pytest.raises(RankingError, match="has learned no gains"):
        ranking(taught, 1, learned=True)
