import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.generation import generate
from estimators.redundancy import determined, fill_in, told_by
from estimators.sets import Sets

SEEN = ("spike_count", "input_resistance", "last_isi", "isi_cv", "adaptation", "threshold_change", "peak_change")


@pytest.fixture(scope="module")
def simulated(spec):
    """Sweeps of simulated cells, some of which fire twice or thrice."""
    rng = np.random.default_rng(5)
    sets = Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, 400, rng, sweeps=2)))
    return torch.from_numpy(sets.features).double(), torch.from_numpy(sets.context).double()


def test_what_is_determined_can_be_made_of_the_rest(simulated):
    features, context = simulated
    told = determined(features)
    emptied = torch.where(told, torch.nan, features)
    full = fill_in(emptied, context)
    for name in SEEN[1:]:
        k = NAMES.index(name)
        rows = told[:, k] & torch.isfinite(features[:, k])
        if name != "input_resistance":
            rows &= torch.isfinite(full[:, k])
        assert rows.sum() > 3, name
        assert full[rows, k].numpy() == pytest.approx(features[rows, k].numpy(), rel=1e-3, abs=1e-4)


def test_what_is_filled_in_is_missing_where_it_should_be(simulated):
    features, context = simulated
    emptied = torch.where(determined(features), torch.nan, features)
    full = fill_in(emptied, context)
    resistance = NAMES.index("input_resistance")
    assert torch.equal(torch.isnan(full[:, resistance]), torch.isnan(features[:, resistance]))


def test_of_many_spikes_only_the_resistance_is_determined():
    row = torch.rand(1, len(NAMES))
    row[0, NAMES.index("spike_count")] = 12.0
    assert [NAMES[k] for k in determined(row)[0].nonzero()[:, 0]] == ["input_resistance"]


def test_two_spikes_have_one_interval():
    row = torch.full((1, len(NAMES)), torch.nan)
    row[0, NAMES.index("spike_count")], row[0, NAMES.index("first_isi")] = 2.0, 17.0
    full = fill_in(row, torch.ones(1, len(CONTEXT)))
    assert float(full[0, NAMES.index("last_isi")]) == 17.0
    assert determined(row)[0, NAMES.index("last_isi")]


@pytest.mark.parametrize(("count", "told"), [(2, False), (3, True), (4, True), (5, False)])
def test_up_to_three_intervals_determine_their_variation(count, told):
    found = told_by(torch.tensor([float(count)]))[0]
    assert [bool(found[NAMES.index(name)]) for name in ("isi_cv", "adaptation")] == [told, told]
    assert bool(found[NAMES.index("last_isi")]) == (count in (2, 3))
