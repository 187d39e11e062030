import pytest
import torch

from estimators.features import NAMES
from estimators.filling import KINDS, Filling
from estimators.scaling import Scaling
from simulators.refusal import Refusal

F = len(NAMES)


@pytest.fixture
def tokens(sets):
    features, context = torch.from_numpy(sets.features[:60]), torch.from_numpy(sets.context[:60])
    scaling = Scaling()
    scaling.fit(features, context)
    return scaling(features, context), torch.isnan(features)


def lively(kind):
    filling = Filling(kind)
    with torch.no_grad():
        for parameter in filling.parameters():
            parameter.normal_()
    return filling


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_stays_as_it_is(kind, tokens):
    out = lively(kind)(tokens[0])
    assert out.shape == tokens[0].shape
    there = ~tokens[1]
    assert torch.equal(out[:, :F][there], tokens[0][:, :F][there])


def test_the_flag_alone_changes_nothing(tokens):
    assert torch.equal(Filling("zero_flagged")(tokens[0]), tokens[0])


@pytest.mark.parametrize("kind", KINDS)
def test_only_flagged_kinds_tell_what_was_missing(kind, tokens):
    flags = lively(kind)(tokens[0])[:, -14 - F : -14]
    assert torch.equal(flags.bool(), tokens[1] if kind.endswith("flagged") else torch.zeros_like(tokens[1]))


def test_a_constant_is_the_same_for_every_sweep_and_imputation_is_not(tokens):
    column = int(tokens[1].sum(0).argmax())
    gaps = tokens[1][:, column]
    constant = lively("constant")(tokens[0])[gaps, column]
    imputed = lively("imputed")(tokens[0])[gaps, column]
    assert gaps.sum() > 3
    assert torch.allclose(constant, constant[:1])
    assert imputed.std() > 0.01


def test_before_it_is_trained_imputation_gives_the_training_mean(tokens):
    assert torch.equal(Filling("imputed_flagged")(tokens[0]), tokens[0])


def test_an_unknown_kind_is_refused():
    with pytest.raises(Refusal, match="'mean' is no filling; one of zero_flagged"):
        Filling("mean")
