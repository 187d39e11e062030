import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.scaling import Scaling


@pytest.fixture
def scaling(sets):
    scaling = Scaling()
    scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return scaling


@pytest.fixture
def some(sets):
    return torch.from_numpy(sets.features[:50])[None], torch.from_numpy(sets.context[:50])[None]


def test_a_token_is_as_wide_as_it_says(scaling, some):
    assert scaling(*some).shape == (1, 50, scaling.width)


def test_training_sweeps_become_numbers_of_order_one(scaling, sets):
    features = torch.from_numpy(sets.features)
    tokens = scaling(features, torch.from_numpy(sets.context))[:, : len(NAMES)]
    there = ~torch.isnan(features)
    for k in range(len(NAMES)):
        assert float(tokens[there[:, k], k].mean()) == pytest.approx(0.0, abs=0.02)
        assert float(tokens[there[:, k], k].std()) == pytest.approx(1.0, abs=0.02)


def test_a_feature_that_never_came_in_training_leaves_all_numbers_finite(sets):
    features = torch.from_numpy(sets.features.copy())
    features[:, 3], features[1:, 4] = torch.nan, torch.nan
    scaling = Scaling()
    scaling.fit(features, torch.from_numpy(sets.context))
    assert torch.isfinite(scaling(torch.from_numpy(sets.features), torch.from_numpy(sets.context))).all()


def test_a_missing_feature_is_zero_and_flagged(scaling, some):
    features, context = some
    features = features.clone()
    features[0, 0, 3] = torch.nan
    tokens = scaling(features, context)
    start = scaling.width - 14 - len(NAMES)
    assert tokens[0, 0, 3] == 0
    assert tokens[0, 0, start + 3] == 1
    assert torch.equal(tokens[0, :, start : start + len(NAMES)].bool(), torch.isnan(features[0]))


@pytest.mark.parametrize("size", [1e12, -1e12, np.inf, -np.inf])
def test_no_number_is_so_large_that_a_token_is(scaling, some, size):
    tokens = scaling(torch.full_like(some[0], size), some[1])
    assert torch.isfinite(tokens).all()
    assert float(tokens[..., : len(NAMES)].abs().max()) == 10.0


def test_nothing_is_divided_by_a_step_of_next_to_nothing(scaling, some):
    features, context = some[0], some[1].clone()
    context[..., CONTEXT.index("amplitude")] = 4.9
    tokens = scaling(features, context)
    ratios = tokens[..., len(NAMES) : scaling.width - 14 - len(NAMES)]
    assert not ratios.any()


def test_times_look_back_from_the_latest_sweep(scaling, some):
    features, context = some[0], some[1].clone()
    once = scaling(features, context)
    context[..., CONTEXT.index("start")] += 1000.0
    torch.testing.assert_close(scaling(features, context), once, atol=1e-4, rtol=0)


def test_a_feature_that_never_varies_does_no_harm(sets):
    features = torch.from_numpy(sets.features).clone()
    features[:, 4] = 0.0
    scaling = Scaling()
    scaling.fit(features, torch.from_numpy(sets.context))
    assert torch.isfinite(scaling(features, torch.from_numpy(sets.context))).all()


def test_all_of_it_moves_to_the_device_of_the_weights(some):
    moved = Scaling().to("meta")
    assert moved(some[0].to("meta"), some[1].to("meta")).device.type == "meta"


def test_a_checkpoint_keeps_what_was_fitted_and_nothing_else():
    assert set(Scaling().state_dict()) == {"centre", "spread", "bend"}
