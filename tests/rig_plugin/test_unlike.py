"""Cells that are unlike the model are asked as others are, and what is foretold of them is scored."""

from dataclasses import replace

import numpy as np
import pytest

from estimators.checkpoint import load
from estimators.context import Context
from estimators.features import NAMES
from estimators.generation import simulate
from estimators.pretrained import FIRST
from rig_plugin.tasks import reasking, unlike
from rig_plugin.tasks.asking import cycled, first
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.cohort import Record
from rig_plugin.tasks.foreign import KINDS, Foreign
from rig_plugin.tasks.foretelling import foretell
from rig_plugin.tasks.half import ASKED
from rig_plugin.tasks.reasking import REASKED, RecordedStep, adaptively, begun, picked

COUNT, DEFLECTION = NAMES.index("spike_count"), NAMES.index("steady_deflection")


@pytest.fixture(scope="module")
def checkpoint():
    return load(FIRST)


def family(currents, rheobase=60.0):
    """A recorded cell of 100 MOhm that fires from its rheobase on."""
    rows = np.full((len(currents), len(NAMES)), np.nan)
    rows[:, COUNT] = np.where(np.array(currents) >= rheobase, 5.0, 0.0)
    rows[:, DEFLECTION] = 0.1 * np.array(currents)
    contexts = tuple(Context(a, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0, start=4.0 * k) for k, a in enumerate(currents))
    return Cell("cell", rows, contexts)


STEPS = [-100.0, -50.0, 0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 200.0]


@pytest.mark.parametrize("kind", KINDS)
def test_cells_of_another_model_answer_as_a_cohort_does(checkpoint, kind):
    one, other = Record(), Record()
    for record in (one, other):
        cohort = Foreign(kind, checkpoint, 3, 4, 0)
        cohort.ask(record, first(cohort))
        cohort.ask(record, cycled([4.0])(cohort, record, np.random.default_rng(0)))
    assert all((a == b)[np.isfinite(a)].all() for a, b in zip(one.features, other.features, strict=True))
    # What moves a cell by 10 mV through its leak moves it by about that.
    moved = one.features[0][:, DEFLECTION]
    assert np.isfinite(moved).any() and (np.abs(moved[np.isfinite(moved)]) < 25.0).all()


def test_what_is_foretold_of_a_cell_is_nearer_to_that_cell_than_to_another(checkpoint):
    rng, spec = np.random.default_rng(5), checkpoint.spec
    u = np.zeros((2, len(spec.parameters)))
    u[1, [spec.names.index("C"), spec.names.index("g_leak"), spec.names.index("V_T")]] = 1.0, 0.7, -0.8
    steps = enumerate((-50.0, 150.0, 100.0, 200.0))
    made = [Context(step, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0, start=5.0 * k) for k, step in steps]
    table = np.stack([context.row() for context in made])
    mine, others = (
        simulate(np.repeat(theta[None], 4, axis=0), table, spec.nuisances, rng, np.zeros(4, dtype=np.int64), spec.names)
        for theta in checkpoint.network.constrain(u)
    )
    right, wrong = (
        foretell(checkpoint, mine[:2], made[:2], made[2:], rows[2:], np.random.default_rng(1), 48)
        for rows in (mine, others)
    )
    assert right.shape == (2, len(ASKED))
    assert np.isnan(right[:, ASKED.index("rest")]).tolist() == np.isnan(mine[2:, NAMES.index("rest")]).tolist()
    assert np.nanmean(right) < 0.5 * np.nanmean(wrong)


def test_a_search_among_recorded_steps_closes_in_on_the_rheobase():
    cell = family(STEPS)
    asked = picked(cell, REASKED["well_ordered"], 6, np.random.default_rng(0))
    currents = [cell.currents[k] for k in asked.sweeps]
    assert currents[0] == -50.0 and {40.0, 60.0} <= set(currents[:6])
    assert len(set(asked.sweeps)) == 6
    assert [context.start for context in asked.contexts] == [0.0, 4.0, 8.0, 12.0, 16.0, 20.0]


@pytest.mark.parametrize("way", sorted(REASKED))
def test_no_recorded_sweep_is_asked_twice_and_all_can_be(way):
    cell = family(STEPS)
    asked = picked(cell, REASKED[way], 99, np.random.default_rng(0))
    assert sorted(asked.sweeps) == list(range(len(STEPS)))


def test_a_family_without_a_step_down_begins_with_its_smallest():
    assert begun(family([30.0, 10.0, 20.0])) == 1


def test_the_posterior_chooses_among_the_recorded_sweeps_that_are_left(monkeypatch, checkpoint):
    offered = []

    class Chosen:
        def __init__(self, candidate):
            self.candidate = candidate

    def choose(network, rows, contexts, setting, candidates, **rest):
        offered.append((len(rows), setting.start, [c.amplitude for c in candidates]))
        return Chosen(candidates[-1] if len(rows) < 3 else None)

    monkeypatch.setattr(reasking, "choose", choose)
    cell = family(STEPS)
    asked = picked(cell, adaptively(checkpoint, 32), 4, np.random.default_rng(0))
    assert asked.sweeps == (1, 9, 8, 4)
    assert offered[0] == (1, 4.0, [a for a in STEPS if a != -50.0])
    assert offered[2][1] == 12.0 and 200.0 not in offered[2][2]


def test_a_recorded_step_keeps_what_came_before_it(checkpoint):
    made = Context(40.0, 5.0, 1.0, 500.0, 200.0, 300.0, 20.0, -100.0, 300.0, 500.0)
    offered = RecordedStep(made)
    setting = reasking.Setting(start=12.0, interval=4.0)
    assert offered.context(setting) == replace(made, start=12.0)
    assert offered.stimulus(setting).amplitude == 40.0 and offered.seconds(setting) == 4.0


@pytest.mark.long
def test_ways_are_compared_on_what_is_unlike_the_model(checkpoint, data):
    askers = {name: lambda cohort: _ten(cohort) for name in ("adaptive", "random")}
    figures = {f.name: f for f in unlike.foreign(askers, checkpoint, checkpoint, 2, 0)}
    assert figures["crps_5/adex/adaptive"].value == figures["crps_5/adex/random"].value > 0.0
    assert figures["crps_ahead_5/adex/random"].value == 0.0
    told = {f.name: f for f in unlike.recorded(data, checkpoint, checkpoint, 32, 0)}
    assert {name.split("/")[-1] for name in told} >= {"random", "ascending", "well_ordered"}
    assert all(np.isfinite(figure.value) for figure in told.values())


def _ten(cohort):
    record = Record()
    cohort.ask(record, first(cohort))
    while len(record.features) < 10:
        cohort.ask(record, cycled([3.0, 5.0])(cohort, record, np.random.default_rng(0)))
    return record
