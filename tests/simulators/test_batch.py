"""Batches: settled at their holding, and every lane for itself."""

import numba
import numpy as np
import pytest
from scipy import signal

from simulators.batch import record
from simulators.beside import DENDRITE, KV3, SAG, SLOW
from simulators.electrode import KNOBS
from simulators.lanes import LANES

COUNT = 3 * LANES + 7


def plain(count, *, bridge=0.0, white=0.0, corner=6.0):
    electrodes = np.zeros((count, 8))
    electrodes[:, 0], electrodes[:, 2], electrodes[:, 3], electrodes[:, 5] = bridge, corner, white, 50.0
    return electrodes


@pytest.fixture
def batch(draws):
    """Arguments of a varied batch."""
    rng = np.random.default_rng(4)
    baseline, duration, tail = rng.uniform(20, 60, COUNT), rng.uniform(50, 200, COUNT), rng.uniform(20, 50, COUNT)
    amplitude, holding = rng.uniform(-100, 300, COUNT), rng.uniform(-50, 50, COUNT)
    theta = draws(COUNT, 21)
    return {
        "cells": theta[:, :10],
        "reversals": np.stack([rng.uniform(45, 70, COUNT), rng.uniform(-107, -80, COUNT)], axis=1),
        "electrodes": np.stack(
            [
                theta[:, 10],
                theta[:, 11],
                rng.uniform(2, 10, COUNT),
                rng.uniform(0.02, 0.5, COUNT),
                rng.uniform(0, 0.2, COUNT),
                np.full(COUNT, 50.0),
                rng.uniform(0, 6, COUNT),
                rng.normal(0, 0.3, COUNT),
            ],
            axis=1,
        ),
        "ends": np.cumsum([baseline, duration, tail], axis=0).T,
        "levels": np.stack([holding, holding + amplitude, holding], axis=1),
        "skip": rng.uniform(0, 10, COUNT),
        "rates": rng.choice([10.0, 20.0, 25.0, 40.0, 50.0], COUNT),
    }


@pytest.fixture
def wide(batch):
    """The same of cells with everything besides: h-current, slow inactivation, Kv3, a dendrite."""
    rng = np.random.default_rng(11)
    more = [rng.uniform(low, high, COUNT) for low, high in ((0, 0.1), (0.3, 3), (5, 60), (0, 1), (0, 20))]
    cells = np.column_stack([batch["cells"], np.zeros((COUNT, 2)), *more])
    reversals = np.pad(batch["reversals"], ((0, 0), (0, 2)), constant_values=-40.0)
    return {**batch, "cells": cells, "reversals": reversals}


EVERYTHING = SAG + SLOW + KV3 + DENDRITE


def knobs(batch, which=slice(None), **values):
    """The batch with more knobs of its electrodes set, in some of its rows."""
    electrodes = np.pad(batch["electrodes"], ((0, 0), (0, len(KNOBS) - batch["electrodes"].shape[1])))
    for name, value in values.items():
        electrodes[which, KNOBS.index(name)] = value
    return {**batch, "electrodes": electrodes}


ALL = {
    "series": 12.0,
    "capacitance": 5.0,
    "flicker": 0.3,
    "junction": 9.0,
    "adc_range": 90.0,
    "adc_step": 0.05,
}


def recorded(batch, seed=1):
    return record(**batch, rng=np.random.default_rng(seed))


def rows(batch, which):
    return {name: value[which] for name, value in batch.items()}


def same(ours, theirs):
    (samples, counts), (others, other_counts) = ours, theirs
    np.testing.assert_array_equal(counts, other_counts)
    for one, other, count in zip(samples, others, counts, strict=True):
        np.testing.assert_array_equal(one[:count], other[:count])


def test_every_sweep_has_the_samples_between_its_skip_and_its_end(batch):
    samples, counts = record(**batch, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(counts, np.rint((batch["ends"][:, -1] - batch["skip"]) * batch["rates"]))
    assert samples.shape == (COUNT, counts.max())
    assert samples.dtype == np.float32
    assert all(np.isfinite(row[:count]).all() for row, count in zip(samples, counts, strict=True))


def test_results_do_not_depend_on_the_number_of_threads(batch):
    most = numba.get_num_threads()
    if most < 2:
        pytest.skip("This machine runs one thread only.")
    try:
        numba.set_num_threads(1)
        alone = record(**batch, rng=np.random.default_rng(1))
        numba.set_num_threads(2)
        shared = record(**batch, rng=np.random.default_rng(1))
    finally:
        numba.set_num_threads(most)
    same(alone, shared)


@pytest.mark.parametrize("white", [0.0, 0.1])
def test_a_lane_does_not_depend_on_the_rest_of_its_batch(batch, white):
    # Seeds are drawn row by row, so the first rows of a batch draw the same ones as a batch of these rows.
    batch["electrodes"][:, 3] = white
    samples, counts = record(**batch, rng=np.random.default_rng(1))
    for some in (1, 5, LANES + 1):
        same((samples[:some], counts[:some]), record(**rows(batch, slice(some)), rng=np.random.default_rng(1)))


def test_a_lane_does_not_depend_on_the_order_of_the_others(batch):
    samples, counts = record(**batch, rng=np.random.default_rng(1))
    others = np.arange(COUNT)
    others[1::2] = others[1::2][::-1]
    shuffled, shuffled_counts = record(**rows(batch, others), rng=np.random.default_rng(1))
    same((samples[::2], counts[::2]), (shuffled[::2], shuffled_counts[::2]))


def test_one_voltage_is_read_at_every_rate(draws):
    cells = np.repeat(draws(40, 5)[:, :10], 3, axis=0)
    cells[:, 9] = 0.0
    count = len(cells)
    rates = np.tile([10.0, 20.0, 40.0], 40)
    samples, _ = record(
        cells,
        np.tile([55.0, -93.0], (count, 1)),
        plain(count),
        np.tile([30.0, 80.0, 100.0], (count, 1)),
        np.tile([0.0, 120.0, 0.0], (count, 1)),
        np.zeros(count),
        rates,
        np.random.default_rng(0),
    )
    np.testing.assert_array_equal(samples[0::3, :1000], samples[2::3, :4000:4])
    np.testing.assert_array_equal(samples[1::3, :2000], samples[2::3, :4000:2])


def test_what_is_skipped_was_simulated(draws):
    cells = draws(30, 6)[:, :10]
    cells[:, 9] = 0.0
    ends, levels = np.tile([60.0, 160.0, 200.0], (30, 1)), np.tile([0.0, 150.0, 0.0], (30, 1))
    reversals = np.tile([55.0, -93.0], (30, 1))
    whole, part = (
        record(
            cells, reversals, plain(30), ends, levels, np.full(30, skip), np.full(30, 20.0), np.random.default_rng(0)
        )[0]
        for skip in (0.0, 45.0)
    )
    np.testing.assert_array_equal(part[:, :3100], whole[:, 900:4000])


def test_the_rest_is_within_a_tenth_of_a_millivolt_of_that_after_five_seconds(draws):
    count = 480
    rng = np.random.default_rng(7)
    cells = draws(count, 31)[:, :10]
    # With the least noise, for it moves a rest by itself.
    cells[:, 9] = 0.002
    holding = np.where(rng.random(count) < 0.5, 0.0, rng.uniform(-0.5, 0.5, count) * rng.uniform(20, 500, count))
    reversals = np.stack([rng.uniform(45, 70, count), rng.uniform(-107, -80, count)], axis=1)
    samples, _ = record(
        cells,
        reversals,
        plain(count),
        np.tile([100.0, 5100.0], (count, 1)),
        np.stack([holding, holding], axis=1),
        np.zeros(count),
        np.full(count, 10.0),
        rng,
    )
    silent = np.ptp(samples, axis=1) < 20.0
    assert silent.sum() > 250
    change = np.abs(samples[:, -500:].mean(axis=1) - samples[:, :500].mean(axis=1))[silent]
    assert np.mean(change < 0.1) >= 0.99


def test_cells_that_fire_at_rest_have_been_firing_for_a_second(membrane):
    # A cell that fires at its holding: what is recorded is not the first spike after a start from its fixed point.
    cell = np.tile([100.0, 0.05, 56.0, 6.0, 0.075, 600.0, -56.2, -40.0, 1.0, 0.0], (LANES, 1))
    samples, _ = record(
        cell,
        np.tile([55.0, -93.0], (LANES, 1)),
        plain(LANES),
        np.tile([10.0, 400.0], (LANES, 1)),
        np.tile([60.0, 60.0], (LANES, 1)),
        np.zeros(LANES),
        np.full(LANES, 40.0),
        np.random.default_rng(0),
    )
    # 200 ms and a second before.
    late = membrane(cell[:1], (1200.0, 400.0), [60.0, 60.0])[0, 48_000:]
    spikes, late_spikes = (np.flatnonzero((v[:-1] < -20) & (v[1:] >= -20)) / 40.0 for v in (samples[0], late))
    assert len(spikes) >= 3
    np.testing.assert_allclose(spikes, late_spikes, rtol=0, atol=0.15)


def test_knobs_that_are_left_out_are_off(batch):
    same(recorded(batch), recorded(knobs(batch)))


def test_knobs_draw_nothing_from_the_source_of_seeds(batch):
    left, on = np.random.default_rng(3), np.random.default_rng(3)
    record(**batch, rng=left)
    record(**knobs(batch, **ALL), rng=on)
    assert left.bit_generator.state == on.bit_generator.state


def test_a_sweep_whose_knobs_are_off_is_bit_by_bit_the_same_beside_others_that_have_them_on(batch):
    samples, counts = recorded(batch)
    mixed, mixed_counts = recorded(knobs(batch, slice(1, None, 2), **ALL))
    same((samples[::2], counts[::2]), (mixed[::2], mixed_counts[::2]))
    for one, other, count in zip(samples[1::2], mixed[1::2], counts[1::2], strict=True):
        assert not np.array_equal(one[:count], other[:count])


def test_with_every_knob_on_a_lane_does_not_depend_on_its_batch_or_its_place(batch):
    on = knobs(batch, **ALL)
    samples, counts = recorded(on)
    same((samples[:5], counts[:5]), recorded(rows(on, slice(5))))
    most = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        same((samples, counts), recorded(on))
    finally:
        numba.set_num_threads(most)


def test_a_junction_potential_is_what_has_to_be_subtracted(batch):
    (plain_samples, counts), (shifted, _) = recorded(batch), recorded(knobs(batch, junction=-11.5))
    for one, other, count in zip(plain_samples, shifted, counts, strict=True):
        np.testing.assert_allclose(other[:count] + 11.5, one[:count], rtol=0, atol=1e-4)


def test_a_digitizer_clips_and_rounds_what_would_have_been_recorded(batch):
    (samples, counts), (coded, _) = recorded(batch), recorded(knobs(batch, adc_range=60.0, adc_step=0.25))
    clipped = 0
    for one, other, count in zip(samples, coded, counts, strict=True):
        nearest = np.clip(np.rint(one[:count].astype(np.float64) / 0.25) * 0.25, -60.0, 60.0)
        np.testing.assert_array_equal(other[:count], nearest)
        clipped += np.sum(np.abs(other[:count]) == 60.0)
    assert clipped > 1000


def test_flicker_adds_its_rms_and_starts_in_its_steady_state():
    count = 8 * LANES
    cells = np.tile([100.0, 0.1, 0.0, 0.0, 0.0, 600.0, -60.0, -70.0, 1.0, 0.0], (count, 1))
    batch = {
        "cells": cells,
        "reversals": np.tile([55.0, -93.0], (count, 1)),
        "electrodes": plain(count),
        "ends": np.tile([1000.0], (count, 1)),
        "levels": np.zeros((count, 1)),
        "skip": np.zeros(count),
        "rates": np.full(count, 10.0),
    }
    samples, _ = recorded(knobs(batch, flicker=0.2))
    frequency, power = signal.welch(samples.astype(np.float64), 1e4, nperseg=10_000)
    band = (frequency >= 10.0) & (frequency <= 500.0)
    shape = power.mean(axis=0)[band] * frequency[band] * np.log(1000.0)
    assert np.sqrt(shape.mean()) == pytest.approx(0.2, rel=0.03)
    deviation = samples.astype(np.float64) + 70.0
    assert deviation[:, 0].std() == pytest.approx(deviation[:, -1].std(), rel=0.2)
    # No jump from the first sample to the second that the others have not.
    jumps = np.diff(deviation, axis=1).std(axis=0)
    assert jumps[0] < 1.3 * jumps[1000:].mean()


def test_a_pipette_leaves_the_area_that_its_charge_must_have(draws):
    cells = draws(LANES, 9)[:, :10]
    cells[:, 2:5] = 0.0
    cells[:, 9] = 0.0
    series, capacitance = np.linspace(5.0, 20.0, LANES), np.linspace(2.0, 8.0, LANES)
    batch = {
        "cells": cells,
        "reversals": np.tile([55.0, -93.0], (LANES, 1)),
        "electrodes": plain(LANES, corner=10.0),
        "ends": np.tile([5.0, 15.0], (LANES, 1)),
        "levels": np.tile([0.0, -100.0], (LANES, 1)),
        "skip": np.zeros(LANES),
        "rates": np.full(LANES, 40.0),
    }
    without, _ = recorded(batch)
    lagging, _ = recorded(knobs(batch, series=series, capacitance=capacitance))
    tau = 1e-3 * series * capacitance
    # A transient of R_s I exp(-t / tau) and a voltage that lags by tau: summed over the steps, both have a closed form,
    # and a low-pass keeps an area.
    keep = np.exp(-0.025 / tau)
    decayed = 0.025 * keep / (1.0 - keep)
    moved = (without[:, -1] - without[:, 0]).astype(np.float64)
    slope = (without[:, -1] - without[:, -2]) * 40.0
    area = (lagging - without).astype(np.float64).sum(axis=1) * 0.025
    np.testing.assert_allclose(area, 0.1 * series * decayed - tau * (moved - slope * decayed), rtol=0, atol=2e-3)


def everything(batch, seed=1):
    return record(**batch, rng=np.random.default_rng(seed), has=EVERYTHING)


@pytest.mark.long
def test_with_everything_in_its_cells_a_lane_depends_on_no_other_and_not_on_the_number_of_threads(wide):
    samples, counts = everything(wide)
    for some in (1, LANES + 1):
        same((samples[:some], counts[:some]), everything(rows(wide, slice(some))))
    most = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        same((samples, counts), everything(wide))
    finally:
        numba.set_num_threads(most)
    assert all(np.isfinite(row[:count]).all() for row, count in zip(samples, counts, strict=True))


def test_columns_of_what_cells_do_not_have_change_no_number_of_the_plain_kernel(batch, wide):
    same(recorded(batch), recorded(wide))


@pytest.mark.long
def test_cells_with_everything_in_them_rest_at_their_holding(wide):
    wide["cells"][:, 9] = 0.0
    for name, value in (("electrodes", plain(COUNT)), ("levels", np.repeat(wide["levels"][:, :1], 3, axis=1))):
        wide[name] = value
    samples, counts = everything(wide)
    moved = np.array([np.ptp(row[:count]) for row, count in zip(samples, counts, strict=True)])
    silent = moved < 20.0
    assert silent.mean() > 0.5
    assert np.mean(moved[silent] < 0.1) >= 0.98
