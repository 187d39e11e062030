import math

import pytest
import torch

from estimators.sweep_set import HEADS, SweepSet, of_latest


@pytest.fixture(params=[0, 2], ids=["without_windows", "two_windows"])
def encoder(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SweepSet(6, 4 * HEADS, 9, layers=2, windows=request.param).eval()


@pytest.fixture
def tokens():
    return torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1))


def test_a_set_becomes_one_vector_that_knows_its_size(encoder, tokens):
    there = torch.arange(5) < torch.tensor([[5], [2]])
    vectors = encoder(tokens, there)
    assert vectors.shape == (2, 9)
    torch.testing.assert_close(vectors[:, -1], torch.tensor([math.log(5) / 3, math.log(2) / 3]))


def test_padding_is_never_looked_at(encoder, tokens):
    there = torch.arange(5) < torch.tensor([[3], [2]])
    other = torch.where(there[..., None], tokens, 100.0)
    torch.testing.assert_close(encoder(other, there), encoder(tokens, there))


def test_every_sweep_is_looked_at(encoder, tokens):
    there = torch.ones(2, 5, dtype=torch.bool)
    once = encoder(tokens, there)
    for k in range(5):
        other = tokens.clone()
        other[0, k] += 1.0
        changed = (encoder(other, there) - once).abs().sum(dim=1)
        assert changed[0] > 1e-4
        assert changed[1] < 1e-5


def test_a_window_is_the_mean_of_the_latest_sweeps_and_of_no_padding(tokens):
    there = torch.arange(5) < torch.tensor([[5], [2]])
    found = of_latest(tokens, there, 3)
    torch.testing.assert_close(found[0], tokens[0, 2:].mean(dim=0))
    torch.testing.assert_close(found[1], tokens[1, :2].mean(dim=0))
