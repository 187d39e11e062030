from dataclasses import replace

import numpy as np
import pytest

from hardware.membrane import membrane
from hardware.pulse import CURRENT, VOLTAGE
from hardware.stage import stage_of
from rig_plugin.membrane_tests import membrane_tests
from rig_plugin.patch_course import PatchCourse
from rig_plugin.patch_settings import FAULTS, PatchSettings
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rigs import model_cell
from rig_plugin.settings import CellSettings, ElectrodeSettings, ProtocolSettings, RigSettings, Settings
from rig_plugin.simulated_cell import CELLS

SECOND = 1000.0
APPROACH = PatchSettings(bath=3 * SECOND, sealing=4 * SECOND, seal=2 * SECOND, lasts=6 * SECOND)


def rig_of(patch, model="cortical", **rig):
    return model_cell(
        Settings(
            rig=RigSettings(seed=1, pace="max", **rig),
            cell=CellSettings(model=model),
            patch=patch,
            electrode=ElectrodeSettings(white=0.01, white_current=0.5),
            protocol=ProtocolSettings(interval=SECOND),
        )
    )


def played(patch, count, model="cortical"):
    with rig_of(patch, model) as rig:
        return list(membrane_tests(rig, VOLTAGE, count, QualitySettings(), corner=6.0))


def test_a_patch_comes_about_is_lost_and_comes_about_again():
    stages = [tested.stage for tested in played(APPROACH, 20)]
    assert stages[:3] == ["bath"] * 3
    assert stages[3:7][-1] == "sealing" and set(stages[3:7]) <= {"bath", "sealing"}
    assert stages[7:9] == ["seal"] * 2
    assert stages[9:15] == ["whole cell"] * 6
    assert stages[15:18] == ["bath"] * 3


def test_the_seal_forms_from_the_pipette_to_what_was_asked_for():
    resistances = [tested.membrane.resistance for tested in played(APPROACH, 9)]
    assert resistances[0] == pytest.approx(5.0, rel=0.02)
    assert (np.diff(resistances[3:8]) > 0).all()
    assert resistances[8] == pytest.approx(3000.0, rel=0.1)


def course(fault="none", seed=1, model="cortical", **settings):
    cell = CELLS[model]
    electrode = ElectrodeSettings(white=0.01, white_current=0.5).electrode()
    return PatchCourse(cell, dict(cell.typical), electrode, PatchSettings(fault=fault, **settings), seed=seed)


def read(course, elapsed, pulse=VOLTAGE):
    response = course.simulate(elapsed, pulse.stimulus(), 20.0, np.random.default_rng(0))
    return membrane(pulse, response, 20.0, corner=6.0)


def test_the_next_cell_is_another_and_the_same_for_the_same_seed():
    moments = [k * 10 * SECOND + 1.0 for k in range(4)]
    found = [read(course(lasts=10 * SECOND), moment).capacitance for moment in moments]
    assert found[0] == pytest.approx(90.0, rel=0.02)
    assert len({round(one) for one in found}) == 4
    assert found == [read(course(lasts=10 * SECOND), moment).capacitance for moment in moments]
    assert found[1:] != [read(course(lasts=10 * SECOND, seed=2), moment).capacitance for moment in moments[1:]]
    assert all(30.0 < one < 300.0 for one in found)


@pytest.mark.parametrize("model", list(CELLS))
def test_each_fault_is_seen_where_it_is_and_none_where_there_is_none(model):
    good, minutes = read(course(model=model), 0.0), 4 * 60 * SECOND
    same = read(course(model=model), minutes)
    assert same.access == good.access and same.holding == good.holding
    dead = read(course("dead", model=model), 0.0)
    assert dead.holding < good.holding - 200.0
    early, late = (read(course("dying", model=model), moment) for moment in (0.0, minutes))
    assert early.resistance == pytest.approx(good.resistance, rel=0.02)
    assert late.resistance < 0.6 * good.resistance and late.holding < good.holding - 50.0
    leaky = read(course("leaky", model=model), 0.0)
    assert 1e3 / leaky.resistance == pytest.approx(1e3 / good.resistance + 2.0, rel=0.05)
    assert leaky.holding == pytest.approx(good.holding - 140.0, abs=15.0)
    clogged = read(course("clogging", model=model), SECOND * 60)
    assert clogged.access == pytest.approx(2.0 * good.access, rel=0.05)
    free, before = (read(course("clogging", model=model), moment, CURRENT) for moment in (SECOND * 60, 0.0))
    # The same noise in both: a twentieth of a millivolt of the membrane's is 2.5 MOhm.
    assert free.access - before.access == pytest.approx(10.0, abs=1.0)


@pytest.mark.parametrize("model", list(CELLS))
def test_a_silent_cell_rests_and_does_not_fire(model):
    from simulators.stimulus import step

    stimulus = step(150.0, onset=100.0, duration=300.0, tail=50.0)
    loud, silent = (
        course(fault, model=model).simulate(0.0, stimulus, 20.0, np.random.default_rng(0))
        for fault in ("none", "silent")
    )
    assert loud.max() > 20.0 > silent.max()
    assert silent[1000] == pytest.approx(loud[1000], abs=3.0)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("model", list(CELLS))
def test_however_long_it_lasts_no_fault_leaves_the_simulators_bounds(fault, model):
    late = course(fault, model=model)
    response = replace(late, rest_drift=10.0).simulate(
        24 * 3600 * SECOND, VOLTAGE.stimulus(), 20.0, np.random.default_rng(0)
    )
    assert np.isfinite(response).all()


def test_a_cell_that_is_dead_is_withheld_by_the_session():
    from hardware.model_cell import ModelCell
    from rig_plugin.opening import attach, network

    settings = Settings(
        rig=RigSettings(seed=1, pace="max"),
        patch=PatchSettings(fault="dead"),
        protocol=ProtocolSettings(amplitudes=(50.0,), interval=0.0),
    )
    (trial,) = attach(settings, network()).trials()
    assert trial.posterior is None
    assert "there is no cell, or a dead one" in trial.trust.reason
    assert isinstance(rig_of(PatchSettings()), ModelCell)


def test_in_current_clamp_a_pipette_in_the_bath_and_a_seal_are_told_too():
    approach = course(bath=SECOND, seal=SECOND)
    assert stage_of(read(approach, 0.0, CURRENT)) == "bath"
    assert stage_of(read(approach, 1.5 * SECOND, CURRENT)) == "seal"
    assert stage_of(read(approach, 2.5 * SECOND, CURRENT)) == "whole cell"
