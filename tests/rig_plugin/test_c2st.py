"""The C2ST against what it must be for sets that are known, and against scikit-learn's."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from rig_plugin.tasks.c2st import c2st
from rig_plugin.tasks.classifiers import Classifiers
from rig_plugin.tasks.gaussian import LINEAR


def normal(n, p, shift=0.0, scale=1.0, seed=0):
    return shift + scale * np.random.default_rng(seed).normal(size=(n, p))


def test_sets_that_are_alike_cannot_be_told_apart_and_far_ones_always():
    near, far = c2st([(normal(1000, 2), normal(1000, 2, seed=1)), (normal(1000, 2), normal(1000, 2, 9.0, seed=1))])
    # 2,000 verdicts, and folds that share their training sets.
    assert near == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2000))
    assert far > 0.999


def test_nothing_is_judged_by_a_classifier_that_learned_it():
    # So few and so many dimensions that each classifier knows its training set by heart.
    (found,) = c2st([(normal(100, 4), normal(100, 4, seed=1))])
    assert found == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(200))


def test_shifted_normals_are_told_apart_as_often_as_the_best_rule_can():
    (found,) = c2st([(normal(2000, 2), normal(2000, 2, [1.5, 0.0], seed=1))])
    assert found == pytest.approx(norm.cdf(0.75), abs=0.02)


def test_the_reference_gives_the_scale():
    reference, draws = normal(500, 2), normal(500, 2, 1.0, seed=1)
    stretch = np.array([1e4, 1e-4])
    one, other = c2st([(reference, draws), (reference * stretch + 7.0, draws * stretch + 7.0)])
    assert one == pytest.approx(other, abs=0.01)


def test_a_pair_scores_the_same_in_whatever_company_it_folds():
    pair = (normal(500, 2), normal(500, 2, 1.0, seed=1))
    assert c2st([pair]) == c2st([pair])
    alone, together = c2st([pair])[0], c2st([pair, (normal(500, 2), normal(500, 2, 4.0, seed=2))])[0]
    assert alone == pytest.approx(together, abs=0.03)


def test_sets_of_different_size_are_refused():
    with pytest.raises(ValueError, match="one shape for all was wanted"):
        c2st([(normal(500, 2), normal(400, 2))])


def test_the_closed_form_posterior_of_a_task_passes_for_its_reference():
    observed = LINEAR.draw(1, 0)[1][0][:2]
    reference, draws = (normal(1000, 2, 0.5 * observed, np.sqrt(0.05), seed) for seed in (1, 2))
    wider = normal(1000, 2, 0.5 * observed, np.sqrt(0.1), 3)
    alike, different = c2st([(reference, draws), (reference, wider)])
    assert alike == pytest.approx(0.5, abs=0.05)
    assert different > 0.57


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_says_the_same():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed.")
    pairs = [(normal(1000, 2), normal(1000, 2, shift, seed=1)) for shift in (0.0, 0.7, 2.0)]
    np.testing.assert_allclose(c2st(pairs), c2st(pairs, classifier="sklearn"), atol=0.03)


def test_the_slopes_of_the_classifiers_are_those_of_torch():
    generator = torch.Generator().manual_seed(0)
    classifiers = Classifiers(3, 2, 4, generator)
    x = torch.randn(3, 50, 2, generator=generator)
    second = (torch.rand(3, 50, generator=generator) > 0.5).float()
    values = classifiers._values.clone().requires_grad_()
    first, first_bias, middle, middle_bias, last, last_bias = classifiers._layers(values)
    hidden = torch.relu(torch.relu(x @ first + first_bias) @ middle + middle_bias)
    logit = (hidden @ last + last_bias)[..., 0]
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, second, reduction="none").mean(1)
    # The penalty is on weights alone, and is shared among a batch.
    penalty = sum((weights**2).sum((1, 2)) for weights in (first, middle, last)) * 0.5 * 1e-4 / 50
    (loss + penalty).sum().backward()
    slopes = torch.empty_like(values)
    with torch.inference_mode():
        told = classifiers._slope(values.detach(), slopes, x, second)
    torch.testing.assert_close(slopes, values.grad)
    torch.testing.assert_close(told, (loss + penalty).detach())
