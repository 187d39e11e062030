import numpy as np
import pytest
import torch
from zuko.transforms import MonotonicRQSTransform

from estimators.spline import Spline
from estimators.unbending import unbend


@pytest.fixture
def numbers():
    generator = torch.Generator().manual_seed(0)
    make = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return 2 * make(40, 3, 8), 2 * make(40, 3, 8), 2 * make(40, 3, 7), 3 * make(40, 3)


def test_it_is_zukos_spline(numbers):
    *shapes, x = numbers
    y, slope = Spline(*shapes).call_and_ladj(x)
    wanted, wanted_slope = MonotonicRQSTransform(*shapes).call_and_ladj(x)
    torch.testing.assert_close(y, wanted)
    torch.testing.assert_close(slope, wanted_slope)


def test_one_spline_serves_many_draws_of_it(numbers):
    *shapes, x = numbers
    draws = torch.stack([x, -x, x / 3])
    torch.testing.assert_close(Spline(*shapes)(draws)[1], Spline(*shapes)(-x))


def test_it_rises_everywhere(numbers):
    *shapes, _ = numbers
    x = torch.linspace(-7, 7, 2001, dtype=torch.float64)[:, None, None].expand(-1, 40, 3)
    assert (Spline(*shapes)(x).diff(dim=0) > 0).all()


def test_the_inverse_leads_back(numbers):
    *shapes, x = numbers
    spline = Spline(*shapes)
    torch.testing.assert_close(spline.inv(spline(x)), x, atol=1e-9, rtol=0)


def test_the_log_slope_is_what_autograd_finds(numbers):
    *shapes, x = numbers
    x.requires_grad_()
    spline = Spline(*shapes)
    (slope,) = torch.autograd.grad(spline(x).sum(), x)
    torch.testing.assert_close(spline.log_abs_det_jacobian(x, spline(x)), slope.log())


def test_outside_its_bounds_it_is_the_identity(numbers):
    *shapes, _ = numbers
    x = torch.tensor([-50.0, -5.001, 5.001, 50.0], dtype=torch.float64)[:, None, None].expand(-1, 40, 3)
    y, slope = Spline(*shapes).call_and_ladj(x)
    assert torch.equal(y, x)
    assert not slope.any()


def test_huge_numbers_of_a_network_leave_it_finite_and_invertible():
    huge = torch.full((1, 8), 1e6)
    huge[:, ::2] *= -1
    spline = Spline(huge, -huge, huge[:, :7])
    x = torch.linspace(-4.9, 4.9, 99)[:, None]
    y, slope = spline.call_and_ladj(x)
    assert torch.isfinite(y).all()
    assert torch.isfinite(slope).all()
    assert torch.isfinite(spline.inv(y)).all()


@pytest.mark.parametrize(("draws", "rows", "bins"), [(1, 1, 8), (500, 3, 8), (128, 2, 2), (300, 4, 5)])
def test_the_compiled_inverse_is_the_same_function(draws, rows, bins):
    generator = torch.Generator().manual_seed(3)
    raw = 2.0 * torch.randn(rows, 3 * bins - 1, draws, generator=generator)
    y = 2.5 * torch.randn(2 * rows, draws, generator=generator)
    y[1, :3] = torch.tensor([-5.0, 5.0, 7.0])[:draws]
    bent = np.arange(1, 2 * rows, 2)
    parts = raw.double().movedim(1, -1).split([bins, bins, bins - 1], dim=-1)
    slow = Spline(*parts).inv(y[1::2].double())
    fast = y.clone().numpy()
    unbend(raw.reshape(-1, draws).numpy(), bent, fast)
    assert np.array_equal(fast[::2], y[::2].numpy())
    torch.testing.assert_close(torch.from_numpy(fast[1::2]).double(), slow, rtol=0, atol=2e-4)


def test_the_compiled_inverse_leaves_what_is_no_number_alone():
    y = np.array([[np.nan, np.inf, -np.inf, 5.0, -5.0]], dtype=np.float32)
    rows = y.copy()
    unbend(np.ones((11, 5), dtype=np.float32), np.array([0]), rows)
    np.testing.assert_array_equal(rows, y)


def test_huge_numbers_leave_the_compiled_inverse_finite():
    raw = np.full((23, 99), 1e6, dtype=np.float32)
    raw[::2] *= -1
    rows = np.linspace(-4.9, 4.9, 99, dtype=np.float32)[None]
    unbend(raw, np.array([0]), rows)
    assert np.isfinite(rows).all()
    assert (np.abs(rows) <= 5.0 + 1e-5).all()
