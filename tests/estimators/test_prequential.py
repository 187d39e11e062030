import numpy as np
import pytest

from estimators.features import NAMES
from estimators.prequential import misfit_score, predict, rank

COUNT, REST, PEAK = (NAMES.index(name) for name in ("spike_count", "rest", "peak"))


@pytest.fixture
def draws():
    """A hundred cells alike: rest -70 +- 1 mV, 5 +- 1 spikes, no rebound."""
    rng = np.random.default_rng(0)
    table = rng.normal(10.0, 1.0, (100, len(NAMES)))
    table[:, REST] = rng.normal(-70.0, 1.0, 100)
    table[:, COUNT] = rng.integers(4, 7, 100)
    table[:, NAMES.index("rebound_spikes")] = np.nan
    table[:60, PEAK] = np.nan
    return table


@pytest.fixture
def prediction(draws):
    return predict(draws)


@pytest.fixture
def middle(prediction):
    return prediction.quantiles[2].copy()


@pytest.fixture
def reference():
    return {f"misfit_{k}": np.sort(np.random.default_rng(k).gamma(2.0, 0.5, 99)) for k in (1, 3, 10)}


def test_quantiles_are_those_of_the_draws_that_have_the_feature(prediction, draws):
    assert prediction.quantiles[2, REST] == np.median(draws[:, REST])
    assert prediction.quantiles[2, PEAK] == np.nanmedian(draws[:, PEAK])
    assert (np.diff(prediction.quantiles[:, REST]) > 0).all()


def test_a_feature_that_hardly_any_draw_has_is_not_predicted(prediction):
    assert np.isnan(prediction.quantiles[:, NAMES.index("rebound_spikes")]).all()
    assert "rebound_spikes" not in prediction.intervals()


def test_only_what_most_draws_have_is_shown(prediction):
    assert 0.2 < prediction.there[PEAK] < 0.5
    assert "peak" not in prediction.intervals()
    low, mid, high = prediction.intervals()["rest"]
    assert low < mid < high


def test_the_farther_the_sweep_the_larger_its_score(prediction, middle):
    scores = []
    for off in (0.0, 1.0, 2.0, 5.0):
        row = middle.copy()
        row[REST] -= off
        scores.append(misfit_score(prediction, row))
    assert scores[0] == 0
    assert (np.diff(scores) > 0).all()


def test_one_feature_gone_wild_does_not_drown_the_others(prediction, middle):
    middle[REST] = 1e9
    assert misfit_score(prediction, middle) <= 64.0


def test_where_nothing_can_be_compared_there_is_no_score_and_no_alarm(prediction, reference):
    nothing = np.full(len(NAMES), np.nan)
    assert np.isnan(misfit_score(prediction, nothing))
    misfit = rank(prediction, nothing, 3, reference)
    assert (misfit.p, misfit.worst) == (1.0, None)


def test_p_is_the_share_of_scores_that_are_no_smaller_and_never_zero(prediction, middle, reference):
    assert rank(prediction, middle, 1, reference).p == 1.0
    far = middle - 100.0
    assert rank(prediction, far, 1, reference).p == 1 / 100
    middle[REST] -= 20.0
    misfit = rank(prediction, middle, 1, reference)
    assert misfit.p == (1 + (reference["misfit_1"] >= misfit.score).sum()) / 100
    assert 1 / 100 < misfit.p < 1


def test_scores_like_the_references_have_uniform_p_values(prediction, middle):
    rng = np.random.default_rng(5)

    def row():
        return middle + rng.normal(0.0, 1.0, len(NAMES))

    scores = np.sort([misfit_score(prediction, row()) for _ in range(199)])
    p = np.array([rank(prediction, row(), 1, {"misfit_1": scores}).p for _ in range(400)])
    for level in (0.1, 0.5, 0.9):
        assert (p <= level).mean() == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize(("sweeps", "stratum"), [(0, 1), (1, 1), (2, 1), (3, 3), (9, 3), (10, 10), (40, 10)])
def test_a_sweep_is_ranked_among_predictions_from_as_many_sweeps(prediction, middle, sweeps, stratum):
    reference = {f"misfit_{k}": np.full(9 if k == stratum else 4, 1e9) for k in (1, 3, 10)}
    middle[REST] -= 3.0
    assert rank(prediction, middle, sweeps, reference).p == 1.0
    reference = {f"misfit_{k}": np.zeros(9 if k == stratum else 4) for k in (1, 3, 10)}
    assert rank(prediction, middle, sweeps, reference).p == 1 / 10


def test_the_worst_feature_is_named_beside_its_prediction(prediction, middle, reference):
    middle[REST] = -50.0
    told = rank(prediction, middle, 1, reference).worst
    assert told.startswith("rest is -50 mV where -")
    assert told.endswith("was predicted")


def test_a_sweep_as_predicted_names_nothing(prediction, middle, reference):
    assert rank(prediction, middle, 1, reference).worst is None


def test_a_spike_more_or_less_is_no_surprise_where_all_draws_agree(draws, reference):
    draws[:, COUNT] = 5
    prediction = predict(draws)
    row = prediction.quantiles[2].copy()
    row[COUNT] = 6
    assert rank(prediction, row, 1, reference).worst is None
    row[COUNT] = 15
    assert "spike_count is 15" in rank(prediction, row, 1, reference).worst


def test_the_features_that_are_off_are_told_worst_first_with_their_distance(prediction, middle, reference):
    low, high = prediction.quantiles[[0, 4], REST]
    width = middle[REST] - prediction.quantiles[1, REST] + 0.3
    sd = NAMES.index("voltage_sd")
    row = middle.copy()
    row[REST] -= 5.0 * width
    row[sd] = middle[sd] + 1e3
    first, second = rank(prediction, row, 1, reference).off
    assert (first.feature, first.side, first.widths, first.is_off) == ("voltage_sd", "above", 8.0, True)
    assert (second.feature, second.unit, second.side, second.ground) == ("rest", "mV", "below", "sweeps before")
    assert second.widths == pytest.approx(5.0)
    assert (second.low, second.high) == (low, high)
    assert second.p == pytest.approx(5.733e-7, rel=1e-3)


def test_where_nothing_is_off_the_farthest_is_told_and_is_not_called_so(prediction, middle, reference):
    row = middle.copy()
    row[REST] -= 2.0 * (middle[REST] - prediction.quantiles[1, REST] + 0.3)
    (farthest,) = rank(prediction, row, 1, reference).off
    assert (farthest.feature, farthest.is_off) == ("rest", False)
    assert rank(prediction, np.full(len(NAMES), np.nan), 1, reference).off == ()
