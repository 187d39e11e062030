import pytest
import torch

from estimators import distillation, tournament
from estimators.descent import Rows
from estimators.distillation import heavier, taught
from estimators.fitting import fit
from estimators.network import Plan
from estimators.prior import Prior
from simulators.refusal import Refusal

PRIOR = Prior.uniform([0.0, 2.0], [1.0, 5.0])


def simulate(n, seed):
    generator = torch.Generator().manual_seed(seed)
    theta = PRIOR.sample(n, generator)
    return theta, theta + 0.3 * torch.randn(n, 2, generator=generator, dtype=torch.float64)


@pytest.fixture(scope="module")
def rows():
    return simulate(300, 3)


def again(rows, **changes):
    how = {"heads": ["mixture"], "ensemble": 2, "epochs": 3, "seed": 5, "width": 16, "batch": 64, "distil": True}
    return fit(*rows, PRIOR, **{**how, **changes})


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def fitted(rows, told):
    return again(rows, progress=told.append)


def same(one, other):
    """Tell whether two estimators are the same to the last bit."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("n", "networks", "made"), [(9_000, 4, (5, 5)), (9_000, 6, (3, 5)), (10**7, 6, (1, 1))])
def test_the_more_rows_there_are_the_fewer_are_made_of_each(n, networks, made):
    assert heavier(n, networks) == made


def test_a_pupil_sees_each_observation_with_what_was_simulated_and_with_draws_for_that_very_observation():
    torch.manual_seed(0)
    networks = [Plan("mixture", 1, 1).network().eval() for _ in range(2)]
    x = torch.linspace(-2.0, 2.0, 2500, dtype=torch.float64)[:, None]
    for network in networks:
        network.straightening.fit(x)
        # A density that follows the observation closely: drawn for another, it would be far off.
        network.forward = lambda some: Echo(some)
    rows = Rows(x, -x.float())
    made = taught(networks, rows, 1)
    draws, copies = heavier(2500, 2)
    assert len(made.x) == len(made.z) == 2500 * (copies + 2 * draws)
    simulated = 2500 * copies
    assert torch.equal(made.z[:simulated], -made.x[:simulated].float())
    assert (made.z[simulated:] - made.x[simulated:]).abs().max() < 0.01
    assert len(made.z[simulated:].unique()) > 2500 * 2 * (draws - 1)


class Echo:
    def __init__(self, x):
        self.x = x

    def draw(self, count, generator):
        return (self.x + 1e-3 * torch.randn(count, *self.x.shape, generator=generator)).float()


def test_a_draw_that_is_not_finite_is_no_lesson():
    class Broken:
        def __init__(self, x):
            self.x = x

        def draw(self, count, generator):
            return torch.full((count, len(self.x), 1), torch.nan)

    network = Plan("mixture", 1, 1).network()
    network.forward = Broken
    rows = Rows(torch.zeros(60, 1, dtype=torch.float64), torch.ones(60, 1))
    assert torch.equal(taught([network], rows, 0).z, torch.ones(60 * heavier(60, 1)[1], 1))


def test_one_network_stands_for_the_ensemble_it_learned_from(rows, fitted):
    record = fitted.record
    assert len(fitted.networks) == 1
    assert record["distilled"]
    assert [each["schedule"] for each in record["trainings"]] == [0, 0, 1]
    kept = record["trainings"][-1]["held_out"]
    assert kept >= record["trainings"][0]["held_out"]
    both = again(rows, distil=False)
    drawn = [each(rows[1][0]).sample((2000,), generator=torch.Generator().manual_seed(1)) for each in (fitted, both)]
    torch.testing.assert_close(drawn[0].mean(0), drawn[1].mean(0), atol=0.2, rtol=0)


def test_a_pupil_that_learned_worse_than_the_first_network_does_not_stand_for_it(rows, monkeypatch):
    def misled(networks, train, seed):
        order = torch.randperm(len(train.z), generator=torch.Generator().manual_seed(seed))
        return Rows(train.x, train.z[order])

    monkeypatch.setattr(tournament, "taught", misled)
    estimator = again(rows, epochs=6)
    assert not estimator.record["distilled"]
    assert same(estimator, again(rows, epochs=6, ensemble=1, distil=False))


def test_every_epoch_of_the_pupil_is_told_with_the_time_left(told, fitted):
    assert [(each.training, each.epoch) for each in told] == [(k, e) for k in range(3) for e in (1, 2, 3)]
    assert {each.of for each in told} == {3}
    assert all(each.seconds_left > 0 for each in told[:-1])
    assert told[-1].seconds_left == 0


@pytest.mark.parametrize(("training", "epoch"), [(1, 3), (2, 1)])
def test_a_killed_distillation_goes_on_from_its_last_epoch(fitted, rows, tmp_path, training, epoch):
    class Killed(Exception):
        pass

    def progress(now):
        if (now.training, now.epoch) == (training, epoch):
            raise Killed

    path = tmp_path / "bookmark"
    with pytest.raises(Killed):
        again(rows, bookmark=path, progress=progress)
    told = []
    resumed = again(rows, bookmark=path, progress=told.append)
    assert len(told) == 9 - (3 * training + epoch)
    assert same(resumed, fitted)
    assert resumed.record["trainings"] == fitted.record["trainings"]


def test_an_ensemble_of_one_has_nothing_to_teach(rows):
    with pytest.raises(Refusal, match="ensemble of 1; give 2"):
        again(rows, ensemble=1)


def test_the_pupil_learns_from_rows_that_the_first_split_does_not_hold_out(rows, monkeypatch):
    seen = []
    teach = distillation.taught
    monkeypatch.setattr(tournament, "taught", lambda *given: seen.append(given) or teach(*given))
    again(rows, epochs=1)
    ((networks, train, _),) = seen
    assert len(networks) == 2
    assert len(train.z) == 270
