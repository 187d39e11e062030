from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.features import NAMES
from estimators.process import CORTICAL, PATCHSEQ
from estimators.spec import spec_from
from estimators.strangers import STRANGERS, encounter, strange_to

REST = NAMES.index("rest")


def designs(spec, count):
    table = np.concatenate([draw_set(spec.designs, np.random.default_rng(k), 1) for k in range(count)])
    table[:, CONTEXT.index("history_duration")] = 0.0
    return table


def test_a_process_is_no_stranger_to_itself():
    assert strange_to(CORTICAL) == tuple(STRANGERS)
    assert strange_to(PATCHSEQ) == ("voltage_clamp", "adex", "stg")


@pytest.mark.parametrize("name", STRANGERS)
def test_the_same_seed_meets_the_same_strangers(name, spec):
    one, same, other = (encounter(name, spec, designs(spec, 2), 3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (6, len(NAMES))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other, equal_nan=True)


def test_every_design_has_an_electrode_of_its_own(spec, monkeypatch):
    seen = []

    def adex(electrode):
        seen.append(electrode)
        return STRANGERS["adex"].model(electrode)

    monkeypatch.setattr("estimators.strangers.STRANGERS", {"adex": replace(STRANGERS["adex"], model=adex)})
    encounter("adex", spec, designs(spec, 40), 1, np.random.default_rng(0))
    low, high = spec.nuisances.corner
    assert all(low <= electrode.corner <= high for electrode in seen)
    assert np.std([electrode.bridge for electrode in seen]) == pytest.approx(5.0, rel=0.4)
    assert len({electrode.white for electrode in seen}) == 40


@pytest.mark.parametrize("model", ["cortical-steps", "patchseq-13"])
def test_the_cells_of_every_process_can_be_taken_for_a_voltage(model):
    spec = spec_from((files("estimators.pretrained") / f"{model}.toml").read_text(encoding="utf-8"), "the spec")
    found = encounter("voltage_clamp", spec, designs(spec, 1), 6, np.random.default_rng(1))
    # The first design is read at 0.05 mV/pA, as no membrane rests.
    assert np.nanmedian(np.abs(found[:, REST])) < 30.0


def test_a_current_that_was_taken_for_a_voltage_follows_the_command_and_not_the_cell(spec):
    rows = designs(spec, 2)
    rows[:, CONTEXT.index("amplitude")] = 100.0
    features = encounter("voltage_clamp", spec, rows, 40, np.random.default_rng(3))
    measured = features[np.isfinite(features[:, REST])]
    # Of those whose pA are read as mV, many are beyond what a membrane has.
    assert 30 < len(measured) < 80
    assert np.median(measured[:, REST]) > -40.0
