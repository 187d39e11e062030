import numpy as np
import pytest
import torch

from estimators.context import Context
from estimators.thinning import THIN_RATE
from estimators.trace_encoder import TraceEncoder

SHORT = Context(80.0, -10.0, 1.0, 200.0, 100.0, 50.0, 20.0)
LONG = Context(80.0, -10.0, 1.0, 900.0, 250.0, 300.0, 20.0)


@pytest.fixture
def encoder():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TraceEncoder(16).eval()


def trace(context, seed=0, width=6000):
    rng = np.random.default_rng(seed)
    n = round((context.baseline + context.duration + context.tail) * THIN_RATE)
    out = np.full(width, np.nan, dtype=np.float32)
    out[:n] = -65.0 + np.cumsum(rng.normal(0.0, 0.5, n))
    return torch.from_numpy(out)


def rows(*contexts):
    return torch.from_numpy(np.stack([each.row() for each in contexts])).float()


def test_a_sweeps_numbers_do_not_depend_on_those_beside_it(encoder):
    alone = encoder(trace(SHORT)[None, :1400], rows(SHORT))
    beside = encoder(torch.stack([trace(SHORT), trace(LONG, 1)]), rows(SHORT, LONG))
    assert alone.shape == (1, 16)
    torch.testing.assert_close(beside[:1], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("moved", [1.0, 1e-1])
def test_a_small_change_of_the_passive_answer_is_seen(encoder, moved):
    base = torch.full((1, 1400), -65.0)
    other = base.clone()
    other[:, 500:1200] += moved
    assert (encoder(base, rows(SHORT)) - encoder(other, rows(SHORT))).abs().max() > 1e-4


def test_the_command_is_seen(encoder):
    base = torch.full((1, 1400), -65.0)
    stronger = Context(200.0, -10.0, 1.0, 200.0, 100.0, 50.0, 20.0)
    assert (encoder(base, rows(SHORT)) - encoder(base, rows(stronger))).abs().max() > 1e-3


def test_a_late_spike_is_told_from_an_early_one(encoder):
    out = []
    for place in (520, 1000):
        base = torch.full((1, 1400), -65.0)
        base[:, place : place + 4] = 20.0
        out.append(encoder(base, rows(SHORT)))
    assert (out[0] - out[1]).abs().max() > 1e-3


def test_a_sweep_without_a_trace_gives_finite_numbers(encoder):
    out = encoder(torch.full((2, 1400), torch.nan), rows(SHORT, LONG))
    assert torch.isfinite(out).all()


def test_gradients_are_finite_where_traces_end_early(encoder):
    encoder(torch.stack([trace(SHORT), trace(LONG, 1)]), rows(SHORT, LONG)).square().sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in encoder.parameters())
