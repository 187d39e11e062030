"""The Patch-seq simulator adds its bridge error and noise, and takes all cells of its prior but not any electrode."""

import math

import numpy as np
import pytest

from simulators.electrode import Electrode
from simulators.patchseq import PatchSeq
from simulators.patchseq_batch import baths, record
from simulators.stimulus import Dose, Epoch, Stimulus, step

# A cell without channels.
PASSIVE = (1.5, 200.0, 12.0, *6 * (0.0,), -72.0, 500.0, -60.0, 1.0)
QUIET = (1.0, 100.0, 20.0, 60.0, 20.0, 20.0, 0.3, 20.0, 0.1, -75.0, 500.0, -60.0, 1.0)
NAMES = tuple(parameter.name for parameter in PatchSeq.parameters)


def test_a_bridge_error_is_added_to_the_voltage():
    stimulus = step(40.0, holding=-15.0, onset=30.0, duration=50.0, tail=20.0)
    plain, bridged = (
        PatchSeq(Electrode(white=0.0, bridge=bridge), noise=0.0).simulate(
            np.array([PASSIVE]), stimulus, 40.0, np.random.default_rng(0)
        )[0]
        for bridge in (0.0, 20.0)
    )
    calm = np.r_[0:1190, 1240:3190, 3240:4000]
    np.testing.assert_allclose((bridged - plain)[calm], 0.02 * stimulus.command(40.0)[calm], rtol=0, atol=1e-3)


def test_the_simulator_adds_the_published_noise():
    stimulus = Stimulus("current", (Epoch(0.0, 50.0), Epoch(0.0, 450.0)))
    cell = PatchSeq(Electrode(white=0.0, corner=16.0))
    V = cell.simulate(np.tile(PASSIVE, (128, 1)), stimulus, 20.0, np.random.default_rng(0))
    # 10 pA a step of .04 ms have the variance of 2 pA ms^.5.
    assert V.std() == pytest.approx(10.0 * math.sqrt(0.04) * math.sqrt(12.0 / 2.0) / 60.0, rel=0.06)


@pytest.mark.parametrize("clamp", ["current", "voltage"])
def test_the_corners_of_the_prior_are_finite_in_both_clamps(clamp):
    lows, highs = (
        np.array([getattr(parameter, name) for parameter in PatchSeq.parameters]) for name in ("low", "high")
    )
    cells = np.where(np.random.default_rng(3).random((1024, 13)) < 0.5, lows, highs)
    levels = (-200.0, 870.0, 0.0) if clamp == "current" else (-120.0, 60.0, -38.0)
    stimulus = Stimulus(clamp, tuple(Epoch(level, 30.0) for level in levels))
    assert np.isfinite(PatchSeq(Electrode(series=1.0)).simulate(cells, stimulus, 20.0, np.random.default_rng(0))).all()


@pytest.mark.parametrize("name", PatchSeq.conductances)
@pytest.mark.parametrize("clamp", ["current", "voltage"])
def test_a_dose_all_along_is_another_cell(name, clamp):
    k = NAMES.index(name)
    other = np.array(QUIET)
    other[k] = 0.5 * other[k] + 0.25
    held, on = (0.0, 300.0) if clamp == "current" else (-70.0, -20.0)
    answers = [
        PatchSeq(Electrode(white=0.0), noise=0.0).simulate(
            np.array([cell]),
            Stimulus(clamp, tuple(Epoch(level, 40.0, doses) for level in (held, on))),
            20.0,
            np.random.default_rng(0),
        )
        for cell, doses in ((QUIET, (Dose(name, 0.5, 0.25),)), (other, ()), (QUIET, ()))
    ]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert np.abs(answers[0] - answers[2]).max() > 0.1


def test_a_block_acts_in_its_epoch_only(crossings):
    drug = (Dose("g_Nat", 0.0), Dose("g_Na", 0.0))
    times = (Epoch(0.0, 50.0), Epoch(900.0, 300.0), Epoch(900.0, 300.0, drug), Epoch(900.0, 300.0))
    cell = PatchSeq(Electrode(white=0.0), noise=0.0)
    dosed, plain = (
        cell.simulate(np.array([QUIET]), Stimulus("current", epochs), 40.0, np.random.default_rng(0))[0]
        for epochs in (times, (*times[:2], times[3], times[3]))
    )
    np.testing.assert_array_equal(dosed[:14_000], plain[:14_000])
    counts = [len(crossings(part, 0.025, 0.0)) for part in np.split(dosed, [2000, 14_000, 26_000])]
    assert counts[0] == 0
    assert counts[1] >= 5
    assert counts[2] <= 1
    assert counts[3] >= 5


def test_what_is_skipped_was_simulated():
    """A cell whose first 30 ms are not recorded answers as one that was watched from the start."""
    courses = np.tile(QUIET, (20, 2, 1))
    bath = np.tile([69.0, -98.4, 127.2, 1.4, 0.4, 2.0, 0.0], (20, 1))
    ends, levels = np.tile([50.0, 120.0], (20, 1)), np.tile([0.0, 300.0], (20, 1))
    plain = Electrode(white=0.0).rows(False, 20, np.random.default_rng(0), 0.0, 0.0)
    whole, later = (
        record(courses, bath, plain, ends, levels, np.full(20, 20.0), np.random.default_rng(1), skip)
        for skip in (None, np.full(20, 30.0))
    )
    assert (whole[1] == 2400).all()
    assert (later[1] == 1800).all()
    np.testing.assert_allclose(later[0][:, 200:1800], whole[0][:, 800:2400], rtol=0, atol=0.02)


def played(lengths, baths, count=37):
    """Sweeps of one cell, each as long as it is told and in its own bath, with the same seeds each time."""
    courses, levels = np.tile(QUIET, (count, 2, 1)), np.tile([0.0, 300.0], (count, 1))
    ends = np.stack([np.full(count, 20.0), lengths], axis=1)
    plain = Electrode(white=0.0).rows(False, count, np.random.default_rng(0), 0.0, 0.0)
    return record(courses, baths, plain, ends, levels, np.full(count, 20.0), np.random.default_rng(1))


def test_sweeps_of_any_length_are_those_that_they_begin():
    lengths = np.random.default_rng(2).uniform(30.0, 90.0, 37).round()
    bath = np.tile([69.0, -98.4, 127.2, 1.4, 0.4, 2.0, 0.0], (37, 1))
    mixed, counts = played(lengths, bath)
    whole, _ = played(np.full(37, 90.0), bath)
    np.testing.assert_array_equal(counts, 20.0 * lengths)
    for k, count in enumerate(counts):
        np.testing.assert_array_equal(mixed[k, :count], whole[k, :count])
    assert len(np.unique(whole[:, 300])) == 37


def test_each_cell_has_its_own_bath_whoever_is_beside_it():
    one, other = [69.0, -98.4, 127.2, 1.4, 0.4, 2.0, 0.0], [60.0, -80.0, 110.0, 1.2, 0.35, 5.0, 0.0]
    uniform = [played(np.full(37, 60.0), np.tile(bath, (37, 1)))[0] for bath in (one, other)]
    second = np.random.default_rng(3).random(37) < 0.5
    mixed = played(np.full(37, 60.0), np.where(second[:, None], other, one))[0]
    np.testing.assert_array_equal(mixed, np.where(second[:, None], uniform[1], uniform[0]))
    assert (np.abs(uniform[0] - uniform[1]).max(axis=1) > 1.0).all()


def test_a_bath_is_warm_by_a_factor_of_2_3_in_ten_degrees():
    laid = baths(np.array([[69.0, -98.4, 127.2]] * 2), np.array([21.0, 36.0]), np.array([2.0, 1.0]), 4.0)
    np.testing.assert_allclose(
        laid, [[69.0, -98.4, 127.2, 1.0, 2.3**-1.5, 2.0, 4.0], [69.0, -98.4, 127.2, 2.3**1.5, 1.0, 1.0, 4.0]]
    )
