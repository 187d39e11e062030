import math

import pytest
import torch

from estimators.information import information


class Gaussian:
    """A sweep that is twice theta plus noise, whose information has a closed form."""

    def __init__(self, noise):
        self.noise = noise

    def draw(self, u, context, generator):
        return context[0] * u + self.noise * torch.randn(u.shape, generator=generator)

    def table(self, features, context, u):
        away = (features[None] - context[None, :, :1] * u[:, None]) / self.noise
        return (-0.5 * away**2).sum(-1) - u.shape[1] * math.log(self.noise)


@pytest.mark.parametrize(("noise", "columns"), [(1.0, 1), (0.3, 1), (1.0, 3)])
def test_the_information_of_a_gaussian_channel_lies_between_both_estimates(noise, columns):
    u = torch.randn(4000, columns, generator=torch.Generator().manual_seed(0))
    found = information(Gaussian(noise), u, torch.tensor([2.0]), torch.Generator().manual_seed(1), outer=2000)
    exact = 0.5 * columns * math.log1p(4.0 / noise**2)
    assert found.low <= found.high
    assert found.low == pytest.approx(exact, abs=4 * found.error + 0.01)
    assert found.high == pytest.approx(exact, abs=4 * found.error + 0.05)


def test_the_standard_error_is_that_of_repetition():
    u = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
    ask = lambda seed: information(Gaussian(0.5), u, torch.tensor([2.0]), torch.Generator().manual_seed(seed))  # noqa: E731
    # The first hundred draws are the same each time, so that a repetition varies a little less.
    runs = [ask(seed) for seed in range(60)]
    spread = torch.tensor([run.low for run in runs]).std()
    assert 0.4 * runs[0].error < float(spread) < 1.2 * runs[0].error


def test_a_sweep_that_does_not_depend_on_theta_tells_nothing():
    u = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    found = information(Gaussian(1.0), u, torch.tensor([0.0]), torch.Generator().manual_seed(1))
    assert found.low == pytest.approx(0.0, abs=1e-6)
    assert found.high == pytest.approx(0.0, abs=1e-6)


def test_the_low_estimate_never_says_more_than_the_draws_can_tell_apart():
    u = torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
    found = information(Gaussian(1e-3), u, torch.tensor([2.0]), torch.Generator().manual_seed(1))
    assert found.low <= math.log(50) + 1e-9
    assert found.high > math.log(50)


def test_one_draw_cannot_be_told_from_others():
    with pytest.raises(ValueError, match="two draws at least"):
        information(Gaussian(1.0), torch.zeros(1, 1), torch.tensor([2.0]), torch.Generator())
