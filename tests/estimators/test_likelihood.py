import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.likelihood import ORDER, Likelihood, Shape

COUNT, THRESHOLD = NAMES.index("spike_count"), NAMES.index("threshold")
EXCLUDED = CONTEXT.index("excluded")


@pytest.fixture(scope="module")
def likelihood(made, spec, sets):
    return made.likelihood(spec.parameters, sets)


@pytest.fixture(scope="module")
def rows(sets):
    used = np.flatnonzero(sets.context[:, EXCLUDED] == 0)[:40]
    features = np.abs(sets.features[used])
    features[:, COUNT] = np.arange(len(used)) % 6
    return tuple(torch.from_numpy(table) for table in (features, sets.context[used], sets.u[used]))


def test_every_feature_is_scored_once_and_counts_come_first():
    assert sorted(ORDER) == list(range(len(NAMES)))
    assert {NAMES[k] for k in ORDER[:4]} == {"spike_count", "late_count", "spikes_before", "rebound_spikes"}


def test_a_table_says_what_each_sweep_says_under_each_theta(likelihood, rows):
    features, context, u = rows
    table = likelihood.table(features[:6], context[:6], u)
    for k in range(6):
        wanted = likelihood(features[k].expand(len(u), -1), context[k].expand(len(u), -1), u)
        torch.testing.assert_close(table[:, k], wanted, atol=2e-3, rtol=1e-4)


def test_theta_may_be_another_at_each_sweep(likelihood, rows):
    features, context, u = rows
    path = torch.stack([u[:5], u[5:10], u[10:15]], dim=1)
    table = likelihood.table(features[:3], context[:3], path)
    for k in range(3):
        alone = likelihood.table(features[k : k + 1], context[k : k + 1], path[:, k])[:, 0]
        torch.testing.assert_close(table[:, k], alone, atol=1e-3, rtol=1e-4)


def test_a_sweep_that_is_excluded_says_nothing(likelihood, rows):
    features, context, u = (table[:3].clone() for table in rows)
    context[1, EXCLUDED] = 1.0
    features[1] = torch.nan
    assert float(likelihood(features, context, u)[1]) == 0.0
    assert (likelihood.table(features, context, u)[:, 1] == 0.0).all()
    assert (likelihood.table(features, context, u)[:, 0] != 0.0).all()


def test_features_that_are_not_asked_for_tell_nothing(likelihood, rows):
    features, context, u = rows
    asked = torch.zeros(len(NAMES), dtype=torch.bool)
    asked[[COUNT, THRESHOLD]] = True
    other = features.clone()
    other[:, ~asked] = torch.where(torch.rand(len(other), int((~asked).sum())) < 0.5, torch.nan, torch.tensor(3.0))
    torch.testing.assert_close(likelihood(features, context, u, asked), likelihood(other, context, u, asked))
    assert (likelihood(features, context, u) != likelihood(other, context, u)).all()


def test_what_others_determine_is_not_scored(likelihood, rows):
    features, context, u = (table.clone() for table in rows)
    moved = features.clone()
    moved[:, NAMES.index("input_resistance")] = 1e4
    torch.testing.assert_close(likelihood(features, context, u), likelihood(moved, context, u))


def test_draws_are_sweeps_that_the_density_knows(likelihood, rows):
    _, context, u = rows
    many = u.repeat(50, 1)
    drawn = likelihood.draw(many, context[0], torch.Generator().manual_seed(0))
    assert drawn.shape == (len(many), len(NAMES))
    counts = drawn[:, COUNT]
    assert torch.isfinite(counts).all()
    assert torch.equal(counts, counts.round())
    links = likelihood.links(drawn, context[0].expand(len(many), -1), many, percentiles=True)
    assert torch.isfinite(links.total).all()
    below = links.below[:, 4:]
    # Twice the mean deviation of a uniform number about its middle.
    assert float((below[torch.isfinite(below)] - 0.5).abs().mean()) == pytest.approx(0.25, abs=0.01)


def test_the_same_seed_draws_the_same(likelihood, rows):
    _, context, u = rows
    one, other = (likelihood.draw(u, context[0], torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one.nan_to_num(-1.0), other.nan_to_num(-1.0))


def test_without_parameters_it_is_a_density_given_the_design(made, sets, rows):
    features, context, u = rows
    predictive = made.likelihood((), sets)
    assert torch.isfinite(predictive(features, context, u[:, :0])).all()


def test_what_else_is_known_may_be_told(spec, sets, rows):
    _, context, u = rows
    likelihood = Likelihood(spec.parameters, Shape(16, 2, 8, 2, extra=2))
    likelihood.scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    one, other = (likelihood.tell(u, context, torch.full((len(u), 2), value)) for value in (0.0, 1.0))
    assert not torch.allclose(one, other)


def test_another_number_of_parameters_makes_a_likelihood_too(made, spec, sets, rows):
    features, context, u = rows
    longer = (*spec.parameters, *spec.parameters[:5])
    likelihood = made.likelihood(longer, sets)
    assert torch.isfinite(likelihood(features, context, torch.cat([u, u[:, :5]], dim=1))).all()


def test_the_ends_of_a_feature_have_the_asked_share_of_it_below(made, sets):
    predictive, shares = made.likelihood((), sets).double(), (0.05, 0.5, 0.95)
    used = torch.nonzero(torch.from_numpy(sets.context[:, CONTEXT.index("excluded")] == 0))[:6, 0]
    context = torch.from_numpy(sets.context)[used].double()
    nothing = torch.zeros(6, 0).double()
    rows = predictive.draw(nothing, context, torch.Generator().manual_seed(1)).double()
    ends = predictive.ends(rows, context, nothing, shares)
    assert ends.shape == (3, 6, len(NAMES)) and bool((ends[0] <= ends[2]).all())
    asked = [k for k, name in enumerate(NAMES) if name in ("rest", "voltage_sd", "mean_voltage")]
    for column in asked:
        for share, end in zip(shares, ends, strict=True):
            moved = rows.clone()
            moved[:, column] = end[:, column]
            below = predictive.links(moved, context, nothing, percentiles=True).below[:, ORDER.index(column)]
            assert below.tolist() == pytest.approx(6 * [share], abs=1e-4)
    # Of a count: the smallest up to which, itself with it, the share lies.
    count = NAMES.index("spike_count")
    k = ORDER.index(count)
    for share, end in zip(shares, ends, strict=True):
        moved = rows.clone()
        moved[:, count] = end[:, count]
        links = predictive.links(moved, context, nothing, percentiles=True)
        half, middle = 0.5 * torch.exp(links.flag[:, k] + links.value[:, k]), links.below[:, k]
        assert bool((middle - half <= share + 1e-6).all()) and bool((middle + half >= share - 1e-6).all())
    assert len(set(ends[:, :, count].flatten().tolist())) > 3
