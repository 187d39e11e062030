"""What was recorded under a drug, against three predictions of it."""

from types import SimpleNamespace

import numpy as np
import pytest

from estimators.context import Context
from estimators.drug_forecast import DrugForecast, averaged
from estimators.drug_score import returned, score
from estimators.features import NAMES
from estimators.scaling import Scaling
from estimators.virtual_drug import DrugError, VirtualDrug, prescribe
from estimators.yardstick import Yardstick
from simulators.injected import Injected
from tests.estimators.conftest import make_sets, make_spec

import torch  # isort: skip

REST, RIN, COUNT, THRESHOLD = (NAMES.index(name) for name in ("rest", "input_resistance", "spike_count", "threshold"))
SWEEPS, DRAWS = 3, 200


def yardstick():
    sets, scaling = make_sets(200), Scaling()
    scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return Yardstick(scaling)


def rows(rest=-70.0, count=4.0, threshold=-45.0, resistance=150.0):
    table = np.full((SWEEPS, len(NAMES)), np.nan)
    table[:, REST], table[:, COUNT], table[:, THRESHOLD] = rest, count, threshold
    table[0, RIN] = resistance
    return table


class Scripted:
    """A forecast that expects the rest to rise by 6 mV and four spikes more."""

    def __init__(self, seed=0):
        self.yardstick, self.contexts = yardstick(), (SimpleNamespace(amplitude=50.0),) * SWEEPS
        self.drug = VirtualDrug("g_M", -0.8, 8.0, Injected((), -93.0, -6.4))
        self._rng = np.random.default_rng(seed)

    def _around(self, table, spread):
        return self.yardstick.along(table) + spread * self._rng.standard_normal((DRAWS, *table.shape))

    def under(self, control=None, prior=False):
        return self._around(rows(-64.0, 8.0, -47.0), 1.5 if prior else 0.1)

    def whole(self):
        return np.concatenate([self._around(rows(), 0.1), self._around(rows(-64.0, 8.0, -47.0), 0.1)], axis=1)

    def unchanged(self, before, after):
        return self._around(before, 0.1)


def judge(under, after=None):
    return score(Scripted(), rows(), under, rows() if after is None else after, np.random.default_rng(0))


def test_a_cell_that_does_what_was_predicted_confirms_it():
    told = judge(rows(-64.1, 8.0, -47.1))
    assert told.verdict == "confirmed"
    assert told.scores["posterior"] < 0.3 * min(told.scores["prior"], told.scores["no change"])
    assert told.p > 0.05
    assert {(sweep, name) for sweep, name, _ in told.inside} >= {(0, "rest"), (2, "threshold")}
    assert told.coverage > 0.7


def test_a_cell_that_does_something_else_contradicts_it_by_the_feature_that_is_farthest_off():
    told = judge(rows(-30.0, 8.0, -47.0))
    assert told.verdict == "contradicted"
    assert told.p == pytest.approx(1 / (DRAWS + 1))
    assert told.worst[0].startswith("rest is -30 mV at +50 pA where -6")
    assert told.worst[0] in told.sentence


def test_a_cell_whose_control_does_not_return_concludes_nothing():
    told = judge(rows(-64.0, 8.0, -47.0), rows(resistance=180.0))
    assert told.verdict == "cell changed"
    assert "input resistance was 150 and is 180 MOhm" in told.sentence


def test_an_effect_that_no_change_predicts_as_well_decides_nothing():
    forecast = Scripted()
    forecast.unchanged = lambda before, after: forecast.under()
    told = score(forecast, rows(), rows(-64.0, 8.0, -47.0), rows(), np.random.default_rng(0))
    assert told.verdict == "not decided"
    assert "no change predicts it about as well" in told.sentence


def test_a_cell_whose_change_is_as_predicted_and_whose_control_is_not_is_strange_all_the_same():
    told, odd = judge(rows(-64.1, 8.0, -47.1)), Scripted()
    odd.whole = lambda: Scripted.whole(odd) + 2.0
    strange = score(odd, rows(), rows(-64.1, 8.0, -47.1), rows(), np.random.default_rng(0))
    assert not told.is_strange
    assert strange.is_strange
    assert (strange.verdict, told.verdict) == ("confirmed", "confirmed")


def test_nothing_to_compare_decides_nothing():
    told = judge(np.full((SWEEPS, len(NAMES)), np.nan))
    assert (told.verdict, told.inside) == ("not decided", ())


def test_intervals_of_what_is_as_predicted_hold_nine_times_in_ten():
    forecast, rng = Scripted(), np.random.default_rng(5)
    shares = []
    for _ in range(60):
        drawn = forecast.yardstick.along(rows(-64.0, 8.0, -47.0)) + 0.1 * rng.standard_normal((SWEEPS, len(NAMES)))
        # Counts are whole numbers then, of which many draws and the recording have the same.
        shares.append(score(forecast, rows(), forecast.yardstick.back(drawn), rows(), rng).coverage)
    assert np.mean(shares) == pytest.approx(0.9, abs=0.06)


@pytest.mark.parametrize(
    ("after", "back"),
    [
        ({"rest": -76.9}, (True, True, True)),
        ({"rest": -77.1}, (False, True, True)),
        ({"resistance": 164.0}, (True, True, True)),
        ({"resistance": 134.0}, (True, False, True)),
        ({"resistance": np.nan}, (True, False, True)),
        # Twelve spikes in all: a tenth is more than one.
        ({"count": np.array([4.0, 4.0, 5.0])}, (True, True, True)),
        ({"count": np.array([4.0, 5.0, 5.0])}, (True, True, False)),
    ],
)
def test_a_control_is_back_within_a_tenth_and_a_spike(after, back):
    assert tuple(one.is_back for one in returned(rows(), rows(**after))) == back


def test_an_average_takes_what_one_of_the_controls_has():
    np.testing.assert_array_equal(averaged(np.array([1.0, np.nan, 2.0]), np.array([3.0, 5.0, np.nan])), [2.0, 5.0, 2.0])


def cells(count=40, **values):
    """A posterior that is sure of one cell."""
    names = make_spec().names
    cell = dict(zip(names, (80.0, 0.06, 50.0, 5.0, 0.1, 300.0, -55.0, -72.0, 1.0, 0.01, 0.0, 0.0), strict=True))
    return np.tile(list((cell | values).values()), (count, 1))


STEPS = (Context(-40.0, 0.0, 1.0, 200.0, 250.0, 50.0, 20.0), Context(160.0, 0.0, 1.0, 200.0, 250.0, 50.0, 20.0))


@pytest.fixture
def forecast(checkpoint):
    def make(conductance="g_M", factor=-0.8, **values):
        drug = prescribe(checkpoint.spec, cells(**values), conductance, factor)
        return DrugForecast(checkpoint, cells(**values), drug, STEPS, count=24)

    return make


def test_taking_g_M_away_is_predicted_to_add_spikes_and_the_same_seed_gives_the_same_numbers(forecast):
    told = forecast()
    told.check()
    change = next(one for one in told.changes() if (one.sweep, one.feature) == (1, "spike_count"))
    assert change.low > 1.0
    assert change.low <= change.median <= change.high
    assert told.changes() == forecast().changes()
    # Put upon what was measured, a change is the same change.
    control = np.full((2, len(NAMES)), np.nan)
    control[:, REST] = -60.0
    shifted = told.under(told.yardstick.along(control))[:, :, REST] - told.yardstick.along(control)[:, REST]
    np.testing.assert_allclose(np.nanmedian(shifted), 0.0, atol=0.3)


def test_a_drug_under_which_the_cell_would_fire_at_rest_is_refused(forecast):
    with pytest.raises(DrugError, match="would not stay at rest"):
        forecast("g_leak", -1.0, E_leak=-62.0).check()
