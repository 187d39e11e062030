"""A round knows one cell better than the network of all cells, and says where the two differ."""

import numpy as np
import pytest
import torch
from scipy import stats

from estimators.blend import Blend
from estimators.context import CONTEXT, Context
from estimators.disagreement import FARTHEST, WIDEST, Apart, apart, sentence
from estimators.reenactment import reenact
from estimators.refinement import RefinementError
from estimators.rounds import Lesson, refine_by_round, taught
from estimators.truncation import truncated
from tests.estimators.conftest import make_sets

START, EXCLUDED, KNOWN = (CONTEXT.index(name) for name in ("start", "excluded", "holding_known"))
SMALL = Lesson(cells=60, epochs=2, batch=16, draws=200)


class Normal:
    """A posterior of one cell: the first number is known well, the second not at all."""

    def __init__(self, mean, deviation):
        self.normal = torch.distributions.Normal(torch.tensor(mean), torch.tensor(deviation))

    def draw(self, count, generator):
        return self.normal.mean + self.normal.stddev * torch.randn(count, 1, 2, generator=generator)

    def log_prob(self, value):
        return self.normal.log_prob(value).sum(-1)


def table(amplitudes=(-50.0, 50.0, 120.0)):
    return np.stack(
        [Context(a, 0.0, 1.0, 200.0, 100.0, 20.0, 20.0, start=10.0 * k).row() for k, a in enumerate(amplitudes)]
    )


def test_draws_are_the_prior_s_own_wherever_the_posterior_leaves_any_of_it():
    posterior = Normal([0.6, 0.0], [0.1, 1.0])
    u = truncated(posterior, 4000, torch.Generator().manual_seed(0), moves=60).numpy()
    edge = stats.chi2(2).isf(1e-4) + 2.0 * 8.0
    assert (((u - [0.6, 0.0]) / [0.1, 1.0]) ** 2).sum(axis=1).max() < 1.2 * edge
    # The prior, drawn plainly and cut at the same place.
    plain = np.random.default_rng(0).normal(size=(400_000, 2))
    plain = plain[(((plain - [0.6, 0.0]) / [0.1, 1.0]) ** 2).sum(axis=1) < edge]
    assert u.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.1)
    assert u.mean(axis=0) == pytest.approx(plain.mean(axis=0), abs=0.05)


def test_a_posterior_of_two_points_far_apart_keeps_its_draws_at_them():
    class Two(Normal):
        def draw(self, count, generator):
            signs = 1.0 - 2.0 * torch.randint(2, (count, 1, 1), generator=generator)
            return signs * super().draw(count, generator)

        def log_prob(self, value):
            return torch.logaddexp(super().log_prob(value), super().log_prob(-value))

    u = truncated(Two([2.0, 2.0], [1e-6, 1e-6]), 200, torch.Generator().manual_seed(0), moves=2)
    np.testing.assert_allclose(u.abs().numpy(), 2.0, atol=1e-4)
    assert 50 < int((u[:, 0] > 0).sum()) < 150


def test_other_cells_play_the_sweeps_of_this_one_and_share_what_its_sweeps_share(checkpoint):
    context = table()
    context[1, EXCLUDED] = 1.0
    u = np.random.default_rng(0).normal(size=(5, 12))
    arguments = checkpoint.spec, checkpoint.network, u, context
    sets = reenact(*arguments, np.random.default_rng(1), torch.Generator().manual_seed(1))
    assert len(sets) == 5
    played = sets.context.reshape(5, 3, -1)
    others = [k for k in range(len(CONTEXT)) if k != EXCLUDED]
    np.testing.assert_allclose(played[..., others], np.broadcast_to(context[:, others], (5, 3, len(others))), rtol=1e-6)
    assert np.isnan(sets.features.reshape(5, 3, -1)[:, 1]).all()
    assert (played[:, 1, EXCLUDED] == 1.0).all()
    np.testing.assert_allclose(sets.u.reshape(5, 3, -1)[:, -1], u, rtol=1e-5)
    again = reenact(*arguments, np.random.default_rng(1), torch.Generator().manual_seed(1))
    np.testing.assert_array_equal(sets.features, again.features)


def test_a_pupil_knows_held_out_cells_better_and_its_teacher_stays_as_it_is(network):
    same = make_sets(120, seed=5, sweeps=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    lesson = Lesson(epochs=4, batch=24, learning_rate=4e-3)
    pupil, gained = taught(network, same, lesson, torch.Generator().manual_seed(0))
    assert gained > 0.3
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(weight.requires_grad for weight in pupil.parameters())


def test_what_was_said_before_keeps_its_share_in_draws_and_in_density():
    blend = Blend(Normal([0.0, 0.0], [1.0, 1.0]), Normal([9.0, 0.0], [0.1, 0.1]))
    drawn = blend.draw(20_000, torch.Generator().manual_seed(0))
    assert drawn.shape == (20_000, 1, 2)
    old = (drawn[..., 0] < 5.0).float().mean().item()
    assert old == pytest.approx(0.2, abs=0.01)
    # Each draw is wholly of one of the two.
    assert drawn[drawn[..., 0] > 5.0][:, 1].abs().max() < 1.0
    at = torch.tensor([[[0.0, 0.0]], [[9.0, 0.0]]])
    expected = [np.log(0.2) + 2 * stats.norm.logpdf(0), np.log(0.8) + 2 * stats.norm.logpdf(0, scale=0.1)]
    np.testing.assert_allclose(blend.log_prob(at)[:, 0].numpy(), expected, rtol=1e-5)


def test_what_teaches_nothing_leaves_the_posterior_as_it_is(network):
    same = make_sets(40, seed=6, sweeps=1)
    pupil, gained = taught(network, same, Lesson(epochs=1, batch=8, learning_rate=0.0), torch.Generator())
    assert gained == 0.0
    assert all(torch.equal(a, b) for a, b in zip(pupil.parameters(), network.parameters(), strict=True))


def test_a_round_gives_the_same_numbers_for_the_same_seed_inside_every_bound(checkpoint):
    context = table()
    rng = np.random.default_rng(3)
    features = reenact(
        checkpoint.spec, checkpoint.network, rng.normal(size=(1, 12)), context, rng, torch.Generator().manual_seed(0)
    ).features.astype(float)
    # The moment at which the first sweep began is no matter.
    later = context.copy()
    later[:, START] += 1000.0
    one, other = (refine_by_round(checkpoint, features, each, 4, SMALL) for each in (context, later))
    np.testing.assert_array_equal(one.draws, other.draws)
    low, high = ([getattr(p, end) for p in checkpoint.spec.parameters] for end in ("low", "high"))
    assert (one.draws >= low).all() and (one.draws <= high).all()
    assert one.draws.shape == (200, 12)
    assert one.simulated == 180
    assert 1.0 <= one.effective <= 200.0
    assert [each.name for each in one.apart] == list(checkpoint.spec.names)


@pytest.mark.parametrize(("column", "value", "said"), [(EXCLUDED, 1.0, "play one first"), (KNOWN, 0.0, "holding")])
def test_sweeps_that_can_t_be_made_again_are_refused_with_the_remedy(checkpoint, column, value, said):
    context = table()
    context[:, column] = value
    with pytest.raises(RefinementError, match=said):
        refine_by_round(checkpoint, np.zeros((3, checkpoint.network.scaling.width)), context, 0, SMALL)


def test_a_disagreement_is_said_of_what_is_farthest_apart_and_of_nothing_else():
    rng = np.random.default_rng(0)
    amortized = rng.normal(size=(20_000, 3))
    refined = amortized * [1.0, 1.0, 3.0] + [0.0, 3.29 * (FARTHEST + 0.1), 0.0]
    found = apart(("C", "g_M", "V_T"), amortized, refined)
    assert [each.matters for each in found] == [False, True, True]
    assert found[1].moved == pytest.approx(FARTHEST + 0.1, abs=0.02)
    assert found[2].ratio == pytest.approx(3.0, rel=0.01)
    said = sentence(found)
    assert said.index("g_M lies higher by 0.") < said.index("V_T has an interval 3.0 times as wide")
    assert "C " not in said.split(":")[1]


def test_narrow_ones_count_as_wide_ones_do():
    assert "2.5 times as narrow" in Apart("C", 0.0, 0.4).said
    assert not Apart("C", 0.9 * FARTHEST, 1.0 / (0.9 * WIDEST)).matters
    many = [Apart(name, -1.0, 1.0) for name in "abcde"]
    assert "and 2 more" in sentence(many)
