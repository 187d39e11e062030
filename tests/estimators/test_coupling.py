"""The coupling layers: their inverse, and that draws that nobody differentiates are the differentiable ones."""

import pytest
import torch

from estimators.coupling import Coupling
from estimators.flow import Flow


def random_flow(seed, p=7, bins=5):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        flow = Flow(p, 6, 3, 16, bins)
        for weight in flow.parameters():
            # Splines bend by some tenths, biases count, and single precision still has five digits of the draws.
            torch.nn.init.normal_(weight, std=0.2)
        torch.nn.init.normal_(flow.place.weight, std=0.1)
    return flow


def noise(*shape, spread=1.5):
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(11))


@pytest.fixture
def layer():
    with torch.random.fork_rng():
        torch.manual_seed(2)
        mask = torch.tensor([True, False, False, True, False])
        layer = Coupling(mask, 4, 16, 6).double()
        torch.nn.init.normal_(layer.shape.weight, std=0.7)
        return layer


@pytest.fixture
def told(layer):
    return layer.tell(noise(3, 4).double())


def test_the_inverse_leads_back(layer, told):
    x = noise(20, 3, 5, spread=3.0).double()
    assert (x.abs() > 5.0).any()
    torch.testing.assert_close(layer.inverse(layer(x, told)[0], told), x, atol=1e-8, rtol=0)


def test_the_volume_changes_as_autograd_finds(layer, told):
    x = noise(3, 5).double()
    jacobian = torch.autograd.functional.jacobian(lambda x: layer(x, told)[0].sum(0), x).movedim(1, 0)
    torch.testing.assert_close(layer(x, told)[1], torch.linalg.det(jacobian).abs().log())


def test_what_is_kept_is_kept_and_the_rest_is_bent(layer, told):
    x = noise(3, 5).double()
    moved = layer(x, told)[0] != x
    assert torch.equal(moved, (~layer.mask).expand(3, 5))


def test_a_fresh_first_layer_is_as_large_as_one_linear_layer_on_both_inputs():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = Coupling(torch.arange(12) < 6, 96, 512, 8)
    for weight in (layer.keep.weight, layer.keep.bias, layer.tell.weight):
        assert float(weight.detach().abs().max()) == pytest.approx(102**-0.5, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(1, 1), (1000, 1), (3, 400), (400, 5), (1, 1500), (2000, 1), (128, 2)])
def test_draws_that_nobody_differentiates_are_the_differentiable_ones(seed, shape):
    flow, context = random_flow(seed), noise(shape[1], 6)
    z = noise(*shape, 7)
    exact = random_flow(seed).double()(context.double()).from_noise(z.double()).detach()
    with torch.inference_mode():
        fast = flow(context).from_noise(z)
    assert fast.is_inference()
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast.double(), exact, atol=2e-5, rtol=0)


def test_drawing_leaves_the_noise_as_it_was():
    flow = random_flow(0)
    for shape in ((1000, 1, 7), (4, 3, 7), (1, 1, 7)):
        z = noise(*shape)
        with torch.inference_mode():
            flow(noise(shape[1], 6)).from_noise(z)
        assert torch.equal(z, noise(*shape))


def test_noise_of_any_leading_shape_is_taken():
    flow, context = random_flow(0), noise(3, 6)
    with torch.inference_mode():
        posterior = flow(context)
        one, many = posterior.from_noise(noise(3, 7)), posterior.from_noise(noise(3, 7).expand(2, 4, 3, 7))
        none = posterior.from_noise(noise(0, 3, 7))
    assert many.shape == (2, 4, 3, 7)
    assert none.shape == (0, 3, 7)
    torch.testing.assert_close(many, one.expand(2, 4, 3, 7), atol=1e-5, rtol=1e-5)


def test_double_precision_is_drawn_in_double_precision():
    flow, context = random_flow(0).double(), noise(3, 6).double()
    with torch.inference_mode():
        posterior = flow(context)
        draws = posterior.from_noise(noise(50, 3, 7).double())
    assert draws.dtype == torch.float64
    torch.testing.assert_close(draws, flow(context).from_noise(noise(50, 3, 7).double()))


def test_the_layers_lead_fast_draws_back_to_their_noise():
    flow, context = random_flow(1), noise(1, 6)
    z = noise(300, 1, 7, spread=1.0)
    with torch.inference_mode():
        draws = flow(context).from_noise(z)
    posterior = flow.double()(context.double())
    centred = (draws.double().clone() - posterior.mean_vector).unsqueeze(-1)
    back = torch.linalg.solve_triangular(posterior.factor, centred, upper=False).squeeze(-1)
    for layer, told in posterior.layers:
        back = layer(back, told)[0]
    torch.testing.assert_close(back, z.double(), atol=1e-4, rtol=0)
