import numpy as np
import pytest
import torch

from estimators.gains import JOINT, Gains, mean_of, prior_table
from estimators.groups import GROUPS
from estimators.probe import Probe
from estimators.probing import Lesson, probe

GROUP = list(GROUPS)


@pytest.fixture(scope="module")
def gains(made):
    """Of cells whose first parameter shows in one feature of the charging, and again in one of the later spikes."""
    told = ("onset_slope", "later_peak")
    learned, test = made.panel(1000, 1, told=told), made.panel(400, 2, told=told)
    network = probe(Probe.fresh(2, 0), learned, Lesson(epochs=14, batch=64, groups=True, sizes=(1, 2)))
    without = {group: network.score(test, [group]).table() for group in GROUPS}
    only = {group: network.score(test, [name for name in GROUPS if name != group]).table() for group in GROUPS}
    return Gains.of(test.u, network.score(test).table(), without, only, ("known", "unknown"))


def test_a_group_that_tells_of_a_parameter_gains_alone_and_others_do_not(gains):
    alone, errors = gains.alone
    telling = [GROUP.index("charging"), GROUP.index("later_spikes")]
    others = [k for k in range(len(GROUP)) if k not in telling]
    # Two sweeps of .3 of the spread each: .5 log(1 + 2/.09) = 1.57 nat at best.
    assert np.all(alone[1, telling] > 0.5)
    assert np.all(alone[1, telling] < 1.7)
    assert np.all(np.abs(alone[1, others]) < 0.15)
    assert np.all(errors > 0)


def test_what_is_told_twice_is_hardly_lost(gains):
    telling = [GROUP.index("charging"), GROUP.index("later_spikes")]
    assert np.all(gains.lost[0][1, telling] < 0.7 * gains.alone[0][1, telling])


def test_a_parameter_that_shows_nowhere_is_hardly_known(gains):
    assert gains.sentence("unknown").startswith("unknown is hardly known; ")
    assert gains.share("unknown") == {}


def test_a_sentence_names_the_groups_by_which_a_parameter_is_known(gains):
    assert set(list(gains.share("known"))[:2]) == {"charging", "later_spikes"}
    assert gains.sentence("known").startswith("known is known by ")
    assert "nat alone" in gains.sentence("known")


def test_a_row_has_the_total_and_every_group(gains):
    rows = gains.rows("lost")
    assert [row["parameter"] for row in rows] == [JOINT, "known", "unknown"]
    assert all(list(row) == ["parameter", "all", *GROUP] for row in rows)
    assert gains.rows("alone", errors=True)[1]["charging"] == pytest.approx(gains.alone[1][1, 3], abs=1e-4)


def test_a_standard_error_is_that_of_the_mean():
    table = torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0)) * 3.0 + 1.0
    mean, error = mean_of(table)
    assert mean[0] == pytest.approx(1.0, abs=0.1)
    assert error[0] == pytest.approx(0.03, abs=0.001)


def test_the_prior_is_the_standard_normal():
    u = torch.tensor([[0.3, -1.2], [0.0, 2.0]])
    each = torch.distributions.Normal(0.0, 1.0).log_prob(u)
    torch.testing.assert_close(prior_table(u), torch.cat([each.sum(1, keepdim=True), each], dim=1))
