import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from estimators.chain import Chain, Entries

TOLD = 4


def rough(columns, counts, seed=0, hidden=24):
    """A chain that was never trained but whose numbers all matter."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        chain = Chain(columns, counts, TOLD, hidden, 3)
        for parameter in chain.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
    return chain.requires_grad_(False)


def rows(x, gone=None, known=None):
    x = torch.as_tensor(x, dtype=torch.float32)
    gone = torch.zeros_like(x, dtype=torch.bool) if gone is None else torch.as_tensor(gone)
    known = torch.ones_like(x, dtype=torch.bool) if known is None else torch.as_tensor(known)
    return Entries(torch.where(gone, 0.0, x), gone, known)


def counted(number):
    """A count as a row has it: its logarithm, or the flag of a zero."""
    return (0.0, True) if number == 0 else (math.log(number), False)


def test_all_counts_together_have_a_probability_of_one():
    chain = rough(2, 2)
    told = torch.randn(1, TOLD, generator=torch.Generator().manual_seed(0))
    pairs = [[counted(a), counted(b)] for a, b in itertools.product(range(300), range(300))]
    table = torch.tensor(pairs)
    entries = Entries(table[..., 0], table[..., 1].bool(), torch.ones(len(table), 2, dtype=torch.bool))
    total = chain(told.expand(len(table), -1), entries).total.double().exp().sum()
    assert float(total) <= 1.0 + 1e-4
    # What is left lies beyond three hundred.
    drawn = chain.draw(told.expand(4000, -1), torch.Generator().manual_seed(1))
    beyond = float((drawn.x.exp().round() >= 300).any(dim=1).double().mean())
    assert float(total) == pytest.approx(1.0 - beyond, abs=0.02)


def test_missing_or_there_a_row_of_numbers_has_a_density_of_one():
    chain = rough(2, 0)
    told = torch.randn(1, TOLD, generator=torch.Generator().manual_seed(5))
    grid = np.sinh(np.linspace(-7.0, 7.0, 601))
    both = torch.tensor([[a, b] for a in grid for b in grid])
    density = chain(told.expand(len(both), -1), rows(both)).total.exp().double().view(601, 601).numpy()
    total = integrate.trapezoid(integrate.trapezoid(density, grid, axis=1), grid)
    for k in (0, 1):
        line = torch.zeros(601, 2)
        line[:, k] = torch.tensor(grid)
        gone = torch.zeros(601, 2, dtype=torch.bool)
        gone[:, 1 - k] = True
        single = chain(told.expand(601, -1), rows(line, gone)).total.exp().double().numpy()
        total += integrate.trapezoid(single, grid)
    total += float(chain(told, rows(torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool))).total.exp())
    assert total == pytest.approx(1.0, abs=0.01)


def test_what_is_missing_costs_only_its_flag_and_its_number_is_not_looked_at():
    chain = rough(4, 1)
    told = torch.randn(3, TOLD)
    gone = torch.zeros(3, 4, dtype=torch.bool)
    gone[:, 2] = True
    x = torch.rand(3, 4)
    one, other = Entries(x, gone, ~torch.zeros_like(gone)), Entries(x + 5.0 * gone, gone, ~torch.zeros_like(gone))
    links = chain(told, one)
    assert (links.value[:, 2] == 0).all()
    assert (links.flag[:, 2] < 0).all()
    assert torch.equal(links.total, chain(told, other).total)


def test_what_is_hidden_costs_and_tells_nothing():
    chain = rough(4, 1)
    told = torch.randn(3, TOLD)
    known = torch.ones(3, 4, dtype=torch.bool)
    known[:, 1] = False
    x, gone = torch.rand(3, 4), torch.zeros(3, 4, dtype=torch.bool)
    other = gone.clone()
    other[:, 1] = True
    links = chain(told, Entries(x, gone, known))
    assert (links.value[:, 1] == 0).all()
    assert (links.flag[:, 1] == 0).all()
    assert torch.equal(links.total, chain(told, Entries(x + 3.0 * ~known, other, known)).total)


def test_a_column_says_nothing_of_those_before_it():
    chain = rough(5, 2)
    told, x = torch.randn(1, TOLD), torch.rand(1, 5)
    links, moved = (chain(told, rows(x + torch.tensor([0, 0, 0, 1.0, 0]) * k)) for k in (0, 1))
    assert torch.equal(links.flag[:, :4], moved.flag[:, :4])
    assert torch.equal(links.value[:, :3], moved.value[:, :3])
    assert not torch.equal(links.value[:, 4], moved.value[:, 4])


def test_one_row_under_many_vectors_scores_as_it_does_under_each():
    chain = rough(8, 2)
    generator = torch.Generator().manual_seed(2)
    told = torch.randn(30, TOLD, generator=generator)
    x = torch.rand(8, generator=generator)
    x[:2] = torch.log(torch.tensor([4.0, 1.0]))
    gone, known = torch.zeros(8, dtype=torch.bool), torch.ones(8, dtype=torch.bool)
    gone[[3, 6]], known[[4, 6]] = True, False
    row = Entries(torch.where(gone, 0.0, x), gone, known)
    many = Entries(*(t.expand(30, 8) for t in (row.x, row.gone, row.known)))
    torch.testing.assert_close(chain.score(told, row), chain(told, many).total, atol=1e-4, rtol=1e-4)


def test_draws_have_uniform_percentiles():
    chain = rough(6, 2)
    told = torch.randn(4000, TOLD, generator=torch.Generator().manual_seed(0))
    drawn = chain.draw(told, torch.Generator().manual_seed(1))
    links = chain(told, drawn, percentiles=True)
    assert torch.isnan(links.below[:, 2:]).equal(drawn.gone[:, 2:])
    for k in range(2, 6):
        below = links.below[:, k]
        assert stats.kstest(below[torch.isfinite(below)].numpy(), "uniform").pvalue > 1e-3
    # Of whole numbers, half of the own mass is below.
    assert float(links.below[:, 0].mean()) == pytest.approx(0.5, abs=0.02)


def test_what_is_hidden_in_a_draw_tells_nothing_and_depends_on_the_counts():
    chain = rough(4, 1)
    told = torch.randn(500, TOLD, generator=torch.Generator().manual_seed(0))
    asked = []

    def hide(counts):
        asked.append(counts)
        hidden = torch.zeros(len(counts), 4, dtype=torch.bool)
        hidden[:, 2] = counts[:, 0] == 1
        return hidden

    drawn = chain.draw(told, torch.Generator().manual_seed(1), hide)
    (counts,) = asked
    assert torch.equal(counts[:, 0], torch.where(drawn.gone[:, 0], 0.0, drawn.x[:, 0].exp()).round())
    assert torch.equal(~drawn.known[:, 2], counts[:, 0] == 1)
    assert 0 < int((~drawn.known).sum()) < 500
    below = chain(told, drawn, percentiles=True).below[:, 3]
    assert stats.kstest(below[torch.isfinite(below)].numpy(), "uniform").pvalue > 1e-3


def test_draws_are_missing_as_often_as_the_density_says():
    chain = rough(3, 1)
    told = torch.randn(1, TOLD, generator=torch.Generator().manual_seed(4)).expand(20_000, -1)
    drawn = chain.draw(told, torch.Generator().manual_seed(1))
    first = torch.ones(1, 3, dtype=torch.bool)
    share = float(chain(told[:1], Entries(torch.zeros(1, 3), first, first)).flag[0, 0].exp())
    assert float(drawn.gone[:, 0].double().mean()) == pytest.approx(share, abs=0.015)


def test_it_learns_a_density_that_is_known():
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        chain = Chain(3, 1, TOLD, 24, 3)

    def simulate(n):
        """A Poisson count, a number that is there when it counts, and one that follows it."""
        told = torch.randn(n, TOLD, generator=generator)
        count = torch.poisson(torch.exp(0.5 * told[:, 0] + 0.5), generator=generator)
        first = told[:, 1] + 0.5 * torch.randn(n, generator=generator)
        second = 0.8 * first + 0.3 * torch.randn(n, generator=generator)
        x = torch.stack([torch.log(count.clamp(min=1.0)), first, second], dim=1)
        gone = torch.stack([count == 0, count == 0, torch.zeros(n, dtype=torch.bool)], dim=1)
        return told, Entries(torch.where(gone, 0.0, x), gone, torch.ones_like(gone)), count

    optimizer = torch.optim.Adam(chain.parameters(), lr=5e-3)
    for k in range(700):
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * 0.5 * (1 + math.cos(math.pi * k / 700))
        told, entries, _ = simulate(512)
        loss = -chain(told, entries).total.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    told, entries, count = simulate(8000)
    with torch.inference_mode():
        found = chain(told, entries).total.numpy()
    rate = torch.exp(0.5 * told[:, 0] + 0.5).numpy()
    normal = stats.norm
    there = count.numpy() > 0
    first, second = entries.x[:, 1].numpy(), entries.x[:, 2].numpy()
    exact = stats.poisson(rate).logpmf(count.numpy())
    exact = exact + there * normal(told[:, 1].numpy(), 0.5).logpdf(first)
    blind = normal(0.8 * told[:, 1].numpy(), math.hypot(0.3, 0.4)).logpdf(second)
    exact = exact + np.where(there, normal(0.8 * first, 0.3).logpdf(second), blind)
    # The divergence is the mean excess of the exact log density.
    assert 0.0 <= (exact - found).mean() < 0.06
