import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.features import NAMES
from estimators.generation import features_of, respond, voltages
from estimators.nuisances import rigs
from estimators.panel import Panel
from estimators.thinning import THIN_RATE

START = CONTEXT.index("start")


@pytest.fixture(scope="module")
def panel(made):
    return Panel.draw(made.spec(), 30, 2, np.random.default_rng(3), traces=True)


def test_shapes_are_cells_by_sweeps(panel):
    assert panel.u.shape == (30, 12)
    assert panel.features.shape[:2] == panel.context.shape[:2] == panel.traces.shape[:2] == (30, 2)


def test_a_trace_is_as_long_as_its_sweep_and_agrees_with_the_rest(panel):
    used = ~panel.context[..., CONTEXT.index("excluded")].bool()
    length = panel.context[..., [CONTEXT.index(name) for name in ("baseline", "duration", "tail")]].sum(-1)
    there = (~torch.isnan(panel.traces)).sum(-1)
    torch.testing.assert_close(there[used].float(), torch.floor(length * THIN_RATE + 1e-3)[used])
    quiet = used & (panel.features[..., NAMES.index("spikes_before")] == 0)
    onset = panel.context[quiet][:, CONTEXT.index("baseline"), None] * THIN_RATE
    time = torch.arange(panel.traces.shape[-1])
    before = (time >= onset - 50.0 * THIN_RATE) & (time < onset)
    mean = (torch.nan_to_num(panel.traces[quiet].float()) * before).sum(1) / before.sum(1)
    assert quiet.sum() > 20
    torch.testing.assert_close(mean, panel.features[quiet][:, NAMES.index("rest")], atol=0.05, rtol=0)


def test_traces_change_no_feature(made, panel):
    without = Panel.draw(made.spec(), 30, 2, np.random.default_rng(3))
    assert without.traces is None
    torch.testing.assert_close(without.features, panel.features, equal_nan=True)


def test_the_latest_sweep_keeps_its_theta_and_begins_at_zero(panel):
    last = panel.latest(1)
    assert last.features.shape[1] == 1
    assert torch.equal(last.u, panel.u)
    torch.testing.assert_close(last.features[:, 0], panel.features[:, 1], equal_nan=True)
    assert not last.context[..., START].any()
    assert panel.context[:, 1, START].gt(0).all()


def test_panels_join_in_order(panel):
    both = Panel.join([panel[slice(0, 10)], panel[slice(10, 30)]])
    assert torch.equal(both.u, panel.u)
    assert both.traces.shape == panel.traces.shape


def test_kept_traces_are_those_that_are_measured(made):
    spec, rng = made.spec(), np.random.default_rng(0)
    context = draw_set(spec.designs, rng, 6)
    theta = np.tile([parameter.constrain(np.zeros(1))[0] for parameter in spec.parameters], (6, 1))
    made_with = rigs(theta, spec.nuisances, rng, np.zeros(6, dtype=np.int64))
    samples, counts = voltages(theta, context, made_with, np.random.default_rng(5), spec.names)
    features = features_of(samples, counts, {name: context[:, k] for k, name in enumerate(CONTEXT)})
    assert (counts > 0).all()
    np.testing.assert_array_equal(features, respond(theta, context, made_with, np.random.default_rng(5), spec.names))
