"""What the estimators' tests share: a tiny network, sets of sweeps made without a simulation, and its checkpoint."""

from dataclasses import replace
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from estimators.checkpoint import Checkpoint, save
from estimators.context import CONTEXT
from estimators.designs import Designs, draw_set
from estimators.estimator import Architecture, SweepSetEstimator
from estimators.faults import FAULTS
from estimators.features import NAMES
from estimators.likelihood import Likelihood, Shape
from estimators.novelty import Novelty
from estimators.panel import Panel
from estimators.sets import Sets
from estimators.spec import spec_from
from estimators.watchman import Watchman

TRAINING = """
[training]
cells = 180
held_out = 20
checked = 60
epochs = 3
batch = 32
width = 16
transforms = 2
hidden = 16
bins = 4

[likelihood]
rows = 300
epochs = 2
batch = 64
width = 16
layers = 2
hidden = 8
components = 2
"""

BESIDE = """
discrepancy = { unit = "1", low = 0.02, high = 0.4, scale = "log" }
coupling = { unit = "nS", low = 2.0, high = 60.0, scale = "log" }
dendrite_ratio = { unit = "1", low = 0.3, high = 3.0, scale = "log" }
g_Kv3 = { unit = "mS/cm2", low = 0.1, high = 20.0, scale = "log" }
slow_share = { unit = "1", low = 0.0, high = 1.0 }
g_h = { unit = "mS/cm2", low = 0.001, high = 0.1, scale = "log" }
"""


def make_spec(*beside):
    """The shipped spec with a tiny network, without an error of the model but with what is asked for besides."""
    shipped = (files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8")
    text = "".join(line for line in shipped.splitlines(keepends=True) if not line.startswith("discrepancy"))
    lines = [line for line in BESIDE.splitlines() if line.split(" ")[0] in beside]
    text = text.replace("[prior]\n", "\n".join(["[prior]", *lines, ""]))
    return spec_from(text.split("[training]")[0] + TRAINING, "tiny.toml")


def make_sets(cells, seed=0, most=6, sweeps=None):
    """Draw features that tell of theta linearly; a fifth is missing, now and then a whole sweep."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(12, len(NAMES)))
    counts = rng.integers(1, most + 1, cells) if sweeps is None else np.full(cells, sweeps)
    context = np.concatenate([draw_set(Designs(), rng, int(count)) for count in counts])
    u = np.repeat(rng.normal(size=(cells, 12)), counts, axis=0)
    features = u @ mix + rng.normal(size=(len(u), len(NAMES)))
    features[rng.random(features.shape) < 0.2] = np.nan
    excluded = rng.random(len(u)) < 0.03
    features[excluded] = np.nan
    context[:, CONTEXT.index("excluded")] = excluded
    first = np.concatenate([[0], np.cumsum(counts)])
    return Sets(u.astype(np.float32), features.astype(np.float32), context.astype(np.float32), first)


def make_panel(cells, seed, sweeps=2, told=("onset_slope",)):
    """Cells whose first parameter shows in some features, and nothing of the second anywhere."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(cells, 2)).astype(np.float32)
    context = np.stack([draw_set(Designs(), rng, sweeps) for _ in range(cells)]).astype(np.float32)
    context[..., CONTEXT.index("excluded")] = 0.0
    features = rng.normal(size=(cells, sweeps, len(NAMES))).astype(np.float32)
    for name in told:
        features[..., NAMES.index(name)] = u[:, None, 0] + 0.3 * rng.normal(size=(cells, sweeps))
    return Panel(torch.from_numpy(u), torch.from_numpy(features), torch.from_numpy(context))


def make_network(spec, sets):
    """Make a network that listens to its sweeps though it was never trained."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = SweepSetEstimator(spec.parameters, Architecture(16, 1, 2, 16, 4, 16))
        torch.nn.init.normal_(network.flow.place.weight, std=0.2)
    network.scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return network.eval()


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    # Networks this small only wait for a second thread.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def spec():
    return make_spec()


@pytest.fixture(scope="session")
def sets():
    return make_sets(300)


@pytest.fixture
def network(spec, sets):
    return make_network(spec, sets)


@pytest.fixture
def checkpoint(spec, sets, network):
    rng = np.random.default_rng(2)
    reference = Novelty.make(network.scaling, sets, rng, size=200)
    reference |= {f"misfit_{k}": np.sort(rng.gamma(2.0, 0.5, 200)) for k in (1, 3, 10)}
    return Checkpoint(network, replace(spec, seed=7), {"epochs": []}, {"n": 0}, reference)


def make_likelihood(parameters, sets, seed=3):
    """Make a likelihood that listens though it was never trained."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        likelihood = Likelihood(parameters, Shape(16, 2, 8, 2))
        for parameter in likelihood.chain.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
    likelihood.scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return likelihood.eval().requires_grad_(False)


@pytest.fixture
def taught(checkpoint, spec, sets):
    """The checkpoint with a likelihood, a prior predictive and a watchman."""
    rng = np.random.default_rng(4)
    predictive, watchman = make_likelihood((), sets), Watchman((*FAULTS, "adex"))
    names = ["none", *watchman.taught]
    sweeps = {name: (sets.features[k :: len(names)], sets.context[k :: len(names)]) for k, name in enumerate(names)}
    watchman.learn(sweeps, predictive.scaling, rng)
    reference = dict(checkpoint.reference) | {"surprise_scores": rng.gamma(2.0, 2.0, (300, len(names)))}
    likelihood = make_likelihood(spec.parameters, sets)
    return replace(checkpoint, likelihood=likelihood, predictive=predictive, watchman=watchman, reference=reference)


@pytest.fixture
def saved(checkpoint, tmp_path):
    path = tmp_path / "tiny.h5"
    save(path, checkpoint)
    return path


@pytest.fixture(scope="session")
def made():
    """The makers themselves, for tests that need other sets."""
    return SimpleNamespace(
        sets=make_sets, panel=make_panel, network=make_network, spec=make_spec, likelihood=make_likelihood
    )
