import pytest
import torch
from zuko.transforms import MonotonicRQSTransform

from estimators.spline import Spline


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


@pytest.mark.parametrize("shape", [(500,), (50, 1, 6), (4, 7, 3)])
def test_the_compiled_inverse_is_the_same_function(shape):
    generator = torch.Generator().manual_seed(3)
    raw = [2.0 * torch.randn(*shape, k, generator=generator) for k in (8, 8, 7)]
    y = 2.5 * torch.randn(shape, generator=generator)
    y.view(-1)[:3] = torch.tensor([-5.0, 5.0, 7.0])
    slow = Spline(*(part.double() for part in raw)).inv(y.double())
    with torch.inference_mode():
        fast = Spline(*raw).inv(y)
    assert (y.abs() > 5).any()
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast.double(), slow, rtol=0, atol=2e-4)
