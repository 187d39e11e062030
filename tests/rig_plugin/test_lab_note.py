"""What goes into the lab book: the same numbers as on the screen, and none where the posterior is withheld."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from rig_plugin.lab_note import lab_note
from rig_plugin.trial import Trust
from rig_plugin.widgets.number import interval

NOW = datetime(2026, 11, 22, 23, 41, 7, tzinfo=UTC)


@pytest.fixture
def undated(scripted):
    trial = scripted.trial(3)
    return replace(trial, sweep=replace(trial.sweep, start=None))


def test_every_parameter_has_a_line_with_its_median_interval_and_unit(scripted, undated):
    lines = lab_note(undated, "simulated cell", "cortical-steps", now=NOW).splitlines()
    assert lines[0] == "2026-11-22 23:41:07  simulated cell, trial 3"
    assert lines[1] == "Network cortical-steps, posterior given 4 sweeps: median, 90 % interval"
    for k, (parameter, line) in enumerate(zip(scripted.parameters, lines[2:-1], strict=True)):
        unit = [] if parameter.unit == "1" else [parameter.unit]
        median, ends = interval(undated.posterior.draws[:, k])
        assert line.split() == [parameter.name, median, *ends.split(), *unit]
    assert lines[-1].startswith("Trust: typical, score 0.")


def test_a_withheld_posterior_has_its_reason_and_no_number(scripted):
    trial = scripted.trial(1, withheld=True, reason="The seal is lost.")
    text = lab_note(trial, "cell.abf", "cortical-steps")
    assert "posterior withheld. The seal is lost." in text
    assert len(text.splitlines()) == 2


def test_what_is_to_be_known_beside_the_numbers_stands_under_them(undated):
    trust = Trust(True, 0.4, "The junction potential is unknown.")
    lines = lab_note(replace(undated, trust=trust), "cell.abf", "cortical-steps", now=NOW).splitlines()
    assert lines[-2:] == ["Trust: caution, score 0.40", "The junction potential is unknown."]


def test_the_moment_is_that_of_the_sweep_and_the_recording_is_named(undated):
    begun = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    trial = replace(undated, sweep=replace(undated.sweep, start=begun))
    first = lab_note(trial, "rig", "net", "cell.h5", NOW).splitlines()[0]
    assert first == "2025-01-02 03:04:05  rig, trial 3, kept in cell.h5"


def test_columns_stand_under_each_other(undated):
    table = lab_note(undated, "rig", "net", now=NOW).splitlines()[2:-1]
    assert len({line.index(line.split()[2], line.index(line.split()[1]) + len(line.split()[1])) for line in table}) == 1


def test_one_sweep_is_one_sweep(undated):
    draws = np.repeat(undated.posterior.draws[:1], 3, axis=0)
    trial = replace(undated, sweeps_used=1, posterior=replace(undated.posterior, draws=draws))
    assert "given 1 sweep:" in lab_note(trial, "rig", "net")
