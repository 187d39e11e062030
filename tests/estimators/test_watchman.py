import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.faults import FAULTS
from estimators.features import NAMES
from estimators.scaling import Scaling
from estimators.strangers import STRANGERS
from estimators.watchman import TAUGHT, Watchman, lessons

REST, KNOWN = NAMES.index("rest"), CONTEXT.index("holding_known")


@pytest.fixture(scope="module")
def drawn(spec):
    return lessons(spec, 150, np.random.default_rng(3))


def test_each_fault_is_planted_in_the_same_sweeps(drawn):
    assert set(drawn) == {"none", *FAULTS, *STRANGERS}
    sound, context = drawn["none"]
    assert len(sound) == 150
    for name in ("none", *FAULTS):
        features, told = drawn[name]
        assert features.shape == (len(told), len(NAMES))
        smallest = FAULTS[name].smallest if name != "none" else 0.0
        assert len(told) == int((np.abs(context[:, 0]) >= smallest).sum())


def test_a_holding_that_is_not_known_is_not_told(drawn):
    context = drawn["none"][1]
    hidden = context[:, KNOWN] == 0
    assert hidden.any()
    assert (context[hidden, CONTEXT.index("holding")] == 0).all()
    assert (context[~hidden, CONTEXT.index("holding")] != 0).any()


def test_faults_act_on_the_trace(drawn):
    sound = drawn["none"][0]
    there = np.isfinite(sound[:, REST]) & np.isfinite(drawn["offset_14_mV"][0][:, REST])
    # Around spikes the rest is not read, and a thousandth of a spike is none.
    there &= sound[:, NAMES.index("spikes_before")] == 0
    assert drawn["offset_14_mV"][0][there, REST] == pytest.approx(sound[there, REST] + 14.0, abs=1e-3)
    assert drawn["gain_thousandth"][0][there, REST] == pytest.approx(1e-3 * sound[there, REST], abs=1e-4)
    assert np.isnan(drawn["gain_1000"][0]).all()
    jump = NAMES.index("onset_jump")
    amplitude = drawn["none"][1][:, 0]
    both = np.isfinite(drawn["bridge_20_MOhm"][0][:, jump]) & np.isfinite(sound[:, jump])
    assert np.median((drawn["bridge_20_MOhm"][0] - sound)[both, jump] / amplitude[both]) == pytest.approx(
        0.02, abs=1e-3
    )
    noise = NAMES.index("rest_noise")
    there = np.isfinite(sound[:, noise]) & np.isfinite(drawn["hum_half_mV"][0][:, noise])
    assert np.median(drawn["hum_half_mV"][0][there, noise]) > np.median(sound[there, noise])
    assert np.nanmedian(np.abs(drawn["no_cell_noise"][0][:, REST])) < 1.0


def test_a_dying_cell_loses_of_every_voltage_the_more_the_later():
    v = np.full(1000, -70.0)
    died = FAULTS["dying"].spoil(v, {}, np.random.default_rng(0))
    assert (died[0], died[-1]) == pytest.approx((-70.0, -49.0))
    assert (np.diff(died) > 0).all()


def test_strangers_are_met_under_designs_of_their_own_that_many_cells_see(drawn):
    for name in STRANGERS:
        features, told = drawn[name]
        assert features.shape == (160, len(NAMES))
        # Sixteen cells see each of ten designs.
        assert len(np.unique(told[:, 0])) == 10
        assert np.isfinite(features).any(axis=1).mean() > 0.5
    clamped, context = drawn["voltage_clamp"]
    read_as_pA = np.repeat(np.arange(10) % 2 == 1, 16)
    # At -70 mV some pA flow and no -70 mV are read, whatever is read of them.
    assert np.nanmedian(np.abs(clamped[~read_as_pA, REST])) < 20.0
    assert context.shape[1] == len(CONTEXT)


@pytest.mark.long
def test_it_learns_what_a_fault_looks_like_of_a_handful_of_sweeps(spec, drawn):
    scaling = Scaling()
    scaling.fit(*(torch.from_numpy(table).float() for table in drawn["none"]))
    watchman = Watchman(TAUGHT)
    watchman.learn(drawn, scaling, np.random.default_rng(0))
    fresh = lessons(spec, 120, np.random.default_rng(8))
    suspect = {
        name: watchman(*(torch.from_numpy(table).float() for table in fresh[name])).logsumexp(dim=1).numpy()
        for name in ("none", "gain_thousandth", "no_cell_noise")
    }
    bar = np.quantile(suspect["none"], 0.9)
    assert (suspect["gain_thousandth"] > bar).mean() > 0.8
    assert (suspect["no_cell_noise"] > bar).mean() > 0.4
    assert not watchman.training


def test_the_same_seed_learns_the_same(drawn):
    weights = []
    for _ in range(2):
        watchman = Watchman(TAUGHT)
        watchman.learn({name: (f[:10], c[:10]) for name, (f, c) in drawn.items()}, Scaling(), np.random.default_rng(5))
        weights.append(torch.cat([p.flatten() for p in watchman.parameters()]))
    assert torch.equal(*weights)
