import pytest
import torch

from estimators.groups import GROUPS, columns_of
from estimators.panel import Panel
from estimators.probe import Probe
from estimators.probing import Lesson, hide_features, hide_groups, probe


@pytest.fixture
def panel(made):
    return made.panel(40, 0)


@pytest.fixture
def network(panel):
    network = Probe.fresh(2, 0).eval()
    network.scaling.fit(panel.features.flatten(0, 1), panel.context.flatten(0, 1))
    return network


def test_what_a_hidden_group_holds_makes_no_difference(network, panel):
    other = panel.features.clone()
    other[..., columns_of(["charging"])] += 3.0
    moved = Panel(panel.u, other, panel.context)
    assert not torch.allclose(network.score(panel).joint, network.score(moved).joint)
    torch.testing.assert_close(network.score(panel, ["charging"]).joint, network.score(moved, ["charging"]).joint)


def test_a_hidden_group_is_told_from_one_that_is_missing(network, panel):
    missing = panel.features.clone()
    missing[..., columns_of(["charging"])] = torch.nan
    without = network.score(Panel(panel.u, missing, panel.context)).joint
    assert not torch.allclose(without, network.score(panel, ["charging"]).joint)


def test_a_network_that_reads_no_features_does_not_change_with_them(panel):
    network = Probe.fresh(2, 0, reads_features=False).eval()
    network.scaling.fit(panel.features.flatten(0, 1), panel.context.flatten(0, 1))
    moved = Panel(panel.u, panel.features + 1.0, panel.context)
    torch.testing.assert_close(network.score(panel).joint, network.score(moved).joint)


def test_a_probe_of_traces_says_that_it_has_none(panel):
    with pytest.raises(ValueError, match="traces=True"):
        Probe.fresh(2, 0, reads_traces=True)(panel)


def test_traces_make_a_difference_where_they_are_read(panel):
    network = Probe.fresh(2, 0, reads_traces=True).eval()
    network.scaling.fit(panel.features.flatten(0, 1), panel.context.flatten(0, 1))
    flat = torch.full((40, 2, 3000), -65.0, dtype=torch.float16)
    first = Panel(panel.u, panel.features, panel.context, flat)
    second = Panel(panel.u, panel.features, panel.context, flat + 10.0)
    assert not torch.allclose(network.score(first).joint, network.score(second).joint)


def test_the_joint_stands_before_the_marginals(network, panel):
    score = network.score(panel)
    assert score.table().shape == (40, 3)
    assert torch.equal(score.table()[:, 0], score.joint)


def test_each_cell_hides_groups_of_its_own_and_every_kind_occurs():
    hidden = hide_groups(4000, torch.Generator().manual_seed(0))
    counts = hidden.sum(1)
    shares = {k: float((counts == k).float().mean()) for k in (0, 1, len(GROUPS) - 1, len(GROUPS))}
    assert shares[0] == pytest.approx(0.20, abs=0.02)
    assert shares[1] == pytest.approx(0.35, abs=0.03)
    assert shares[len(GROUPS) - 1] == pytest.approx(0.25, abs=0.03)
    assert shares[len(GROUPS)] == pytest.approx(0.03, abs=0.01)
    assert float(hidden.float().mean(0).min()) > 0.3


def test_features_are_hidden_in_the_share_asked_for_and_none_appears(panel):
    shown = hide_features(panel, 0.3, torch.Generator().manual_seed(0))
    assert float(torch.isnan(shown.features).float().mean()) == pytest.approx(0.3, abs=0.02)
    kept = ~torch.isnan(shown.features)
    assert torch.equal(shown.features[kept], panel.features[kept])


def test_imputed_values_are_held_to_those_that_were_hidden(panel):
    network = Probe.fresh(2, 0, filling="imputed")
    network.scaling.fit(panel.features.flatten(0, 1), panel.context.flatten(0, 1))
    shown = hide_features(panel, 0.3, torch.Generator().manual_seed(0))
    # A fresh network imputes the mean, whose error is the spread.
    with torch.no_grad():
        error = float(network.imputation_error(panel, shown))
    assert error == pytest.approx(1.0, abs=0.15)
    assert float(network.imputation_error(panel, panel)) == 0.0


def test_the_same_seed_gives_the_same_network(panel):
    first, second = (probe(Probe.fresh(2, 0), panel, Lesson(epochs=1, batch=16)).score(panel) for _ in range(2))
    assert torch.equal(first.joint, second.joint)


def test_sweeps_of_any_length_are_dealt_out_once_with_their_traces(panel):
    traces = torch.full((40, 2, 6300), torch.nan, dtype=torch.float16)
    traces[..., :1500] = -65.0
    whole = Panel(panel.u, panel.features, panel.context, traces)
    network = probe(Probe.fresh(2, 0, reads_traces=True), whole, Lesson(epochs=1, batch=16))
    assert torch.isfinite(network.score(whole).joint).all()


def test_a_network_that_learns_without_a_group_learns_nothing_from_it(panel):
    other = panel.features.clone()
    other[..., columns_of(["charging"])] *= -3.0
    lesson = Lesson(epochs=1, batch=16, hidden=("charging",))
    learned = [
        probe(Probe.fresh(2, 0), each, lesson).score(each, ["charging"]).joint
        for each in (panel, Panel(panel.u, other, panel.context))
    ]
    torch.testing.assert_close(*learned)
