"""A training may begin with the weights of an earlier network, and what that has not begins without a say."""

from dataclasses import replace

import pytest
import torch

from estimators import adaptation
from estimators.checkpoint import save
from estimators.estimator import SweepSetEstimator
from estimators.predecessor import go_on_from, predecessor
from estimators.spec import SpecError, spec_from


@pytest.fixture
def earlier(checkpoint, tmp_path):
    path = tmp_path / "earlier.h5"
    save(path, checkpoint)
    yield path
    adaptation.loaded.cache_clear()


@pytest.fixture
def following(checkpoint, earlier):
    """A spec that goes on from it."""
    sizes = checkpoint.network.architecture
    known = {name: getattr(sizes, name) for name in ("width", "layers", "transforms", "hidden", "bins")}
    training = replace(checkpoint.spec.training, network="earlier.h5", **known)
    return replace(checkpoint.spec, training=training)


def widened(checkpoint, windows):
    torch.manual_seed(5)
    return SweepSetEstimator(checkpoint.spec.parameters, replace(checkpoint.network.architecture, windows=windows))


def test_it_is_found_beside_the_spec_and_nowhere_where_none_is_named(following, earlier, spec):
    assert predecessor(following, earlier.parent) == earlier
    assert predecessor(spec, earlier.parent) is None


def test_a_network_of_the_same_sizes_gets_every_weight(checkpoint, earlier):
    network = widened(checkpoint, 0)
    go_on_from(earlier, network)
    wanted = checkpoint.network.state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in network.state_dict().items())


def test_windows_that_it_has_not_are_not_heard_at_first(checkpoint, earlier, sets):
    network = widened(checkpoint, 2).eval()
    go_on_from(earlier, network)
    matrix, scale = network.encoder.pool[1].weight, network.encoder.pool[0].weight
    known = checkpoint.network.encoder.pool[1].weight.shape[1]
    assert torch.equal(matrix[:, :known], checkpoint.network.encoder.pool[1].weight)
    assert not matrix[:, known:].any()
    assert (scale[known:] == 1.0).all()
    features, context = torch.from_numpy(sets.features[:3])[None], torch.from_numpy(sets.context[:3])[None]
    there = torch.ones(1, 3, dtype=torch.bool)
    with torch.inference_mode():
        assert torch.isfinite(network(features, context, there).log_prob(torch.from_numpy(sets.u[2:3]))).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda spec: replace(spec, parameters=spec.parameters[:-1]), "infers other parameters than the spec"),
        (
            lambda spec: replace(spec, training=replace(spec.training, width=64)),
            "has the sizes .* same were wanted",
        ),
    ],
)
def test_a_network_of_other_parameters_or_sizes_is_refused(following, earlier, change, said):
    with pytest.raises(SpecError, match=said):
        predecessor(change(following), earlier.parent)


def test_a_spec_names_it_by_a_word(spec):
    before, rest = spec.text.split("[training]\n")
    assert spec_from(f'{before}[training]\nnetwork = "cortical-steps"\n{rest}', "n.toml").training.network
    with pytest.raises(SpecError, match=r"training\.network is 3, the name or the path of a network was wanted"):
        spec_from(f"{before}[training]\nnetwork = 3\n{rest}", "n.toml")
