import math

import pytest
import torch

from estimators.straightening import BENDS, Straightening


def normal(n=2000):
    return torch.special.ndtri((torch.randperm(n, generator=torch.Generator().manual_seed(0)).double() + 0.5) / n)


@pytest.mark.parametrize(
    ("bend", "values"),
    [
        ("none", 3.0 + 0.01 * normal()),
        ("log", torch.exp(2.0 * normal() - 30.0)),
        ("asinh", torch.sinh(3.0 * normal())),
        ("logit", torch.sigmoid(2.0 * normal())),
    ],
)
def test_the_function_is_the_one_that_makes_the_feature_normal(bend, values):
    straightening = Straightening(1)
    straightening.fit(values[:, None])
    assert BENDS[int(straightening.bend)] == bend
    straight = straightening.straighten(values[:, None])[:, 0].double()
    # Far out the logarithms are softened, or what is at a bound would be infinite.
    near = normal().abs() < 3.0
    torch.testing.assert_close(straight[near], normal()[near], atol=0.15, rtol=0)


def test_every_function_keeps_the_order_far_beyond_the_training_rows():
    x = torch.stack([normal(), torch.exp(normal()), torch.sinh(3 * normal()), torch.sigmoid(2 * normal())], dim=-1)
    straightening = Straightening(4)
    straightening.fit(x)
    wide = torch.linspace(-50, 50, 400, dtype=torch.float64)[:, None].expand(-1, 4)
    straight = straightening.straighten(wide)
    assert (straight.diff(dim=0) >= 0).all()
    assert straight.abs().max() < 4 + math.log(1e4)


def test_what_is_missing_becomes_a_learned_number_beside_its_flag():
    x = torch.stack([normal(), normal().flip(0)], dim=-1)
    x[::3, 1] = math.nan
    straightening = Straightening(2)
    straightening.fit(x)
    with torch.no_grad():
        straightening.imputed.copy_(torch.tensor([0.7, -0.3]))
    laid = straightening(straightening.straighten(torch.tensor([[math.nan, math.nan], [0.0, 0.0]])))
    # The first feature was never missing: a flag for it would have a weight that nothing trained.
    assert laid[0].tolist() == pytest.approx([0.7, -0.3, 0.0, 1.0])
    assert laid[1, 2:].tolist() == [0.0, 0.0]
    assert straightening.gaps.tolist() == [False, True]


def test_a_feature_that_never_varied_is_harmless_whatever_it_is_later():
    x = torch.stack([normal(), torch.full((2000,), 3.0), torch.full((2000,), math.nan)], dim=-1)
    straightening = Straightening(3)
    straightening.fit(x)
    assert straightening.idle.tolist() == [False, True, True]
    strange = straightening(straightening.straighten(torch.tensor([[0.0, 1e30, -5.0]])))
    usual = straightening(straightening.straighten(torch.tensor([[0.0, 3.0, math.nan]])))
    assert torch.equal(strange[:, :3], usual[:, :3])
    assert torch.isfinite(strange).all()


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_features_of_any_size_come_out_of_order_one(scale):
    straightening = Straightening(1)
    straightening.fit(scale * torch.exp(normal())[:, None])
    straight = straightening.straighten(scale * torch.exp(normal())[:, None])
    assert float(straight.std()) == pytest.approx(1.0, abs=0.05)
