"""Fresh cells are draws of the prior, and their sets are what a network will see."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy import stats

from estimators.cell import BESIDE, CELL
from estimators.context import CONTEXT
from estimators.designs import Designs
from estimators.features import NAMES
from estimators.generation import features_of, generate, simulate, walk
from estimators.measuring import LIMIT
from estimators.nuisances import OFF, Nuisances
from estimators.sets import Sets
from estimators.spec import spec_from
from simulators.batch import record
from simulators.electrode import KNOBS
from simulators.wide_cell import ACCESSORIES

SHIPPED = spec_from((files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8"), "the spec")
SPEC = replace(SHIPPED, parameters=SHIPPED.parameters[: len(CELL)])
SHORT = Designs(duration=(200.0, 250.0), baseline=(50.0, 60.0), tail=(20.0, 40.0), sweeps=(1, 6))


def drawn(cells, seed, chunk=20, **options):
    rng = np.random.default_rng(seed)
    return list(generate(SPEC.parameters, SHORT, Nuisances(), cells, rng, chunk=chunk, **options))


@pytest.fixture(scope="module")
def sets():
    return Sets.join(drawn(90, 0))


def context(**values):
    """Contexts of as many sweeps as the longest value has."""
    usual = {"amplitude": 50.0, "duration": 200.0, "baseline": 60.0, "tail": 40.0, "rate": 20.0, "holding_known": 1.0}
    given = usual | values
    rows = max(np.size(value) for value in given.values())
    return np.stack([np.broadcast_to(given.get(name, 0.0), rows) for name in CONTEXT], axis=1).astype(np.float64)


def quiet(theta):
    """Cells without noise, bridge error and offset."""
    theta = theta.copy()
    theta[:, 9:] = 0.0
    return theta


PLAIN = Nuisances(
    E_Na=(55.0, 55.0), E_K=(-93.0, -93.0), corner=(8.0, 8.0), white=(1e-9, 1e-9), hum=(0.0, 0.0), drift=0.0
)
CELLS = np.tile([100.0, 0.06, 50.0, 5.0, 0.07, 600.0, -58.0, -70.0, 1.0, 0.0, 0.0, 0.0], (6, 1))


def same(ours, theirs):
    for name in ("u", "features", "context", "first"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_the_same_seed_gives_the_same_numbers():
    one, again, other = (Sets.join(drawn(25, seed)) for seed in (1, 1, 2))
    same(one, again)
    assert not np.array_equal(one.u[:5], other.u[:5])


def test_chunks_have_the_cells_asked_for():
    chunks = drawn(23, 3, chunk=10)
    assert [len(chunk) for chunk in chunks] == [10, 10, 3]
    joined = Sets.join(chunks)
    assert len(joined) == 23
    assert joined.first[0] == 0
    assert joined.first[-1] == len(joined.u) == len(joined.features) == len(joined.context)
    lengths = np.concatenate([np.diff(chunk.first) for chunk in chunks])
    np.testing.assert_array_equal(np.diff(joined.first), lengths)
    assert ((lengths >= 1) & (lengths <= 6)).all()


def test_a_chunk_does_not_depend_on_how_many_follow():
    same(drawn(10, 4, chunk=10)[0], drawn(30, 4, chunk=10)[0])


def test_the_number_of_sweeps_can_be_asked_for():
    assert set(np.diff(drawn(6, 5, sweeps=3)[0].first)) == {3}


def test_a_sweep_without_features_is_excluded_and_no_other():
    # Of weakly leaking cells under strong currents many leave the range that is measured.
    designs = Designs((400.0, 500.0), (200.0, 250.0), (50.0, 60.0), (20.0, 40.0), sweeps=(1, 6))
    made = Sets.join(list(generate(SPEC.parameters, designs, Nuisances(), 60, np.random.default_rng(1))))
    excluded = made.context[:, CONTEXT.index("excluded")]
    np.testing.assert_array_equal(excluded == 1, np.isnan(made.features).all(axis=1))
    assert set(excluded) == {0.0, 1.0}
    assert 0.01 < excluded.mean() < 0.5


def test_features_are_finite_or_missing(sets):
    assert not np.isinf(sets.features).any()
    used = sets.context[:, CONTEXT.index("excluded")] == 0
    for name in ("spike_count", "mean_voltage", "voltage_sd"):
        assert np.isfinite(sets.features[used, NAMES.index(name)]).all()
    rest = sets.features[used, NAMES.index("rest")]
    assert np.nanmin(rest) > -LIMIT
    assert np.nanmax(rest) < 50.0


def test_an_unknown_holding_is_not_told(sets):
    known, holding = (sets.context[:, CONTEXT.index(name)] for name in ("holding_known", "holding"))
    assert (holding[known == 0] == 0).all()
    assert (holding[known == 1] != 0).any()


def test_an_unknown_holding_is_injected_all_the_same():
    rng = np.random.default_rng
    free, held = (
        simulate(CELLS[:1], context(holding=level, holding_known=0.0), PLAIN, rng(0)) for level in (0.0, -40.0)
    )
    rest = NAMES.index("rest")
    # 6 nS of leak and a little M conductance.
    assert held[0, rest] - free[0, rest] == pytest.approx(-40.0 / 6.0, abs=1.5)


@pytest.mark.parametrize("sweeps", [1, 5])
def test_theta_is_a_draw_of_the_prior_at_every_sweep(sweeps):
    rng = np.random.default_rng(10)
    nuisances = Nuisances(walk=(20.0, 20.0))
    start = np.arange(sweeps) * 10.0
    u = np.stack([walk(start, 4, nuisances, rng) for _ in range(3000)])
    for k in range(sweeps):
        assert stats.kstest(u[:, k].ravel(), "norm").pvalue > 1e-3
    if sweeps > 1:
        # It forgets itself in 20 s: what is 10 s apart correlates by exp(-1/2), 40 s by exp(-2).
        assert np.mean(u[:, 1:] * u[:, :-1]) == pytest.approx(np.exp(-0.5), abs=0.02)
        assert np.mean(u[:, 0] * u[:, -1]) == pytest.approx(np.exp(-2.0), abs=0.03)
        # And each parameter for itself.
        assert abs(np.mean(u[:, -1, 0] * u[:, -1, 1])) < 0.06


def test_thetawalks_by_what_the_spec_says():
    rng = np.random.default_rng(11)
    start = np.array([0.0, 5.0])
    steps = np.concatenate([np.diff(walk(start, 12, Nuisances(), rng), axis=0).ravel() for _ in range(500)])
    # Over 5 s, .018 of the prior's sd where it forgets itself in 3e4 s, and .0006 in 3e7 s.
    assert 0.002 < steps.std() < 0.012
    assert np.abs(steps).max() < 0.018 * 5


def test_rows_of_one_cell_share_its_nuisances():
    # The holding resistance of the electrode's filter and the reversal potentials move the spike of one cell alike.
    made = np.random.default_rng(0)
    of_cell = np.array([0, 0, 0, 1, 1, 1])
    nuisances = Nuisances(corner=(2.0, 10.0), white=(1e-9, 1e-9), hum=(0.0, 0.0), drift=0.0)
    peaks = simulate(CELLS, context(amplitude=np.full(6, 300.0)), nuisances, made, of_cell)[:, NAMES.index("peak")]
    assert np.ptp(peaks[:3]) == np.ptp(peaks[3:]) == 0
    assert abs(peaks[0] - peaks[3]) > 0.5
    alone = simulate(CELLS, context(amplitude=np.full(6, 300.0)), nuisances, np.random.default_rng(0))
    assert len(np.unique(alone[:, NAMES.index("peak")])) == 6


def test_a_prepulse_reaches_the_kept_part_of_a_sweep():
    after, without = (
        simulate(
            CELLS[:1],
            context(history_level=level, history_duration=300.0, history_gap=60.0),
            PLAIN,
            np.random.default_rng(0),
        )[0]
        for level in (-100.0, 0.0)
    )
    slope = NAMES.index("rest_slope")
    # It charges back with some 14 ms, which 60 ms of baseline still show.
    assert after[slope] - without[slope] > 20.0
    assert abs(without[slope]) < 1.0


def test_a_prepulse_is_a_step_from_the_holding():
    sweeps = context(holding=-60.0, history_level=0.0, history_duration=300.0, history_gap=60.0)
    (features,) = simulate(CELLS[:1], sweeps, PLAIN, np.random.default_rng(0))
    assert abs(features[NAMES.index("rest_slope")]) < 1.0


def test_a_prepulse_long_gone_is_forgotten():
    after, without = (
        simulate(
            CELLS[:1],
            context(history_level=level, history_duration=100.0, history_gap=8000.0),
            PLAIN,
            np.random.default_rng(0),
        )[0]
        for level in (-100.0, 0.0)
    )
    there = ~np.isnan(without)
    np.testing.assert_allclose(after[there], without[there], rtol=0.02, atol=0.02)


def test_rig_and_membrane_are_told_apart_by_the_onset():
    theta = CELLS[:2].copy()
    theta[1, 10] = 15.0
    plain, bridged = simulate(theta, context(amplitude=np.full(2, -100.0)), PLAIN, np.random.default_rng(0))
    jump, slope = NAMES.index("onset_jump"), NAMES.index("onset_slope")
    assert bridged[jump] - plain[jump] == pytest.approx(-1.5, abs=0.05)
    assert bridged[slope] == pytest.approx(plain[slope], abs=0.02)


@pytest.mark.parametrize(
    ("name", "feature", "low", "high"), [("white", "rest_noise_fast", 0.02, 0.5), ("drift", "rest_slope", 0.0, 3.0)]
)
def test_nuisances_show_in_the_features_they_should(name, feature, low, high):
    ranges = (
        {"white": {"white": (low, low)}, "drift": {"drift": low}}[name],
        {
            "white": {"white": (high, high)},
            "drift": {"drift": high},
        }[name],
    )
    rows = np.repeat(CELLS[:1], 40, axis=0)
    base = {field: getattr(PLAIN, field) for field in ("E_Na", "E_K", "corner", "white", "hum", "drift")}
    small, large = (
        simulate(rows, context(amplitude=np.zeros(40)), Nuisances(**(base | some)), np.random.default_rng(0))
        for some in ranges
    )
    spread = [f[:, NAMES.index(feature)].std() + abs(f[:, NAMES.index(feature)].mean()) for f in (small, large)]
    assert spread[1] > 5 * spread[0]


def test_rates_are_measured_alike():
    rates = np.array([10.0, 20.0, 25.0, 40.0, 50.0])
    rows = np.repeat(CELLS[:1], 5, axis=0)
    features = simulate(rows, context(amplitude=np.full(5, 250.0), rate=rates), PLAIN, np.random.default_rng(0))
    column = dict(zip(NAMES, features.T, strict=True))
    assert np.ptp(column["spike_count"]) == 0
    assert column["spike_count"][0] >= 3
    assert np.ptp(column["latency"]) < 0.05
    assert np.ptp(column["half_width"]) < 0.06
    assert np.ptp(column["rest"]) < 0.01
    assert np.ptp(column["peak"][1:]) < 1.0
    assert np.ptp(column["threshold"]) < 0.6


def test_features_of_a_batch_are_those_of_each_alone():
    rng = np.random.default_rng(3)
    samples = rng.normal(-70.0, 0.3, (5, 20_000)).astype(np.float32)
    counts = np.array([6000, 3000, 7500, 12_000, 15_000])
    column = {
        "rate": np.array([20.0, 10.0, 25.0, 40.0, 50.0]),
        "baseline": np.full(5, 60.0),
        "duration": np.full(5, 200.0),
        "tail": np.full(5, 40.0),
        "amplitude": np.full(5, 50.0),
    }
    together = features_of(samples, counts, column)
    for k in range(5):
        alone = features_of(samples[k : k + 1], counts[k : k + 1], {name: c[k : k + 1] for name, c in column.items()})
        np.testing.assert_array_equal(together[k : k + 1], alone)


def test_the_process_is_that_of_the_shipped_spec():
    assert tuple(parameter.name for parameter in SHIPPED.parameters) == (*CELL, "discrepancy")


MORE = {
    "capacitance": (4.0, 8.0),
    "flicker": (0.3, 0.3),
    "junction": (-10.0, 10.0),
    "adc_range": (50.0, 60.0),
    "adc_step": (0.3, 0.6),
}


def electrodes_of(nuisances, monkeypatch, cells=4, sweeps=3):
    """What `simulate` hands to the electrode, and the state that it leaves the generator in."""
    handed = []

    def watched(*arguments):
        handed.append(arguments[2])
        return record(*arguments)

    monkeypatch.setattr("simulators.batch.record", watched)
    rng = np.random.default_rng(5)
    rows = np.tile(CELLS[:1], (cells * sweeps, 1))
    simulate(rows, context(amplitude=np.full(len(rows), 100.0)), nuisances, rng, np.repeat(np.arange(cells), sweeps))
    return handed[0], rng.bit_generator.state["state"]


def test_nuisances_that_are_off_draw_no_random_number_and_leave_their_knobs_at_0(monkeypatch):
    electrodes, _ = electrodes_of(Nuisances(), monkeypatch)
    assert all(getattr(Nuisances(), name) == OFF for name in MORE)
    assert (electrodes[:, 8:] == 0.0).all()
    again, _ = electrodes_of(Nuisances(series=(1.0, 2.0)), monkeypatch)
    np.testing.assert_array_equal(again, electrodes)
    # Of six uniform numbers a cell, none was drawn: what is drawn next is what follows the last of before.
    drawn, _ = electrodes_of(Nuisances(**MORE), monkeypatch)
    np.testing.assert_array_equal(drawn[:, :8], electrodes[:, :8])


@pytest.mark.parametrize("name", MORE)
def test_each_nuisance_that_is_on_is_drawn_in_its_range_once_a_cell(name, monkeypatch):
    electrodes, state = electrodes_of(Nuisances(**{name: MORE[name]}), monkeypatch)
    _, without = electrodes_of(Nuisances(), monkeypatch)
    assert state != without
    on = {"series", "capacitance"} if name == "capacitance" else {name}
    for knob in KNOBS[8:]:
        column = electrodes[:, KNOBS.index(knob)].reshape(4, 3)
        assert (column == column[:, :1]).all()
        low, high = getattr(Nuisances(**{name: MORE[name]}), knob) if knob in on else OFF
        assert ((column >= low) & (column <= high)).all()
        assert len(np.unique(column)) == (4 if low < high else 1)


@pytest.mark.parametrize(
    ("name", "value", "feature", "low", "high"),
    [
        ("junction", 6.0, "rest", 5.9, 6.1),
        ("flicker", 1.0, "rest_noise_fast", 0.02, 1.0),
        ("adc_range", 60.0, "rest", 9.0, 11.0),
    ],
)
def test_more_of_the_electrode_shows_in_the_features_it_should(name, value, feature, low, high):
    rows = np.tile(CELLS[:1], (20, 1))
    plain, on = (
        simulate(rows, context(amplitude=np.full(20, 20.0)), replace(PLAIN, **more), np.random.default_rng(0))
        for more in ({}, {name: (value, value)})
    )
    moved = (on - plain)[:, NAMES.index(feature)].mean()
    assert low < moved < high


def handed(monkeypatch, theta, names):
    """What `simulate` hands to the kernels: cells, reversal potentials, and what the cells have."""
    told = []

    def watched(*arguments):
        told.extend([arguments[0], arguments[1], arguments[8]])
        return record(*arguments)

    monkeypatch.setattr("simulators.batch.record", watched)
    simulate(theta, context(amplitude=np.full(len(theta), 100.0)), PLAIN, np.random.default_rng(0), names=names)
    return told


def test_a_cell_of_twelve_parameters_is_left_to_the_plain_kernel(monkeypatch):
    cells, _, has = handed(monkeypatch, CELLS, CELL)
    assert has is None
    np.testing.assert_array_equal(cells[:, :10], CELLS[:, :10])


@pytest.mark.parametrize(
    ("names", "has"),
    [(("g_h",), 4), (("slow_share",), 16), (("g_Kv3",), 32), (("dendrite_ratio", "coupling"), 8), (BESIDE, 60)],
)
def test_what_is_beside_reaches_its_column_and_its_flag(monkeypatch, names, has):
    values = {"g_h": 0.02, "slow_share": 0.4, "g_Kv3": 3.0, "dendrite_ratio": 1.5, "coupling": 20.0, "discrepancy": 0.1}
    theta = np.column_stack([CELLS, *(np.full(len(CELLS), values[name]) for name in names)])
    cells, reversals, told = handed(monkeypatch, theta, (*CELL, *names))
    assert told == has
    columns = ("g_L", "g_T", "g_h", "dendrite_ratio", "coupling", "slow_share", "g_Kv3")
    np.testing.assert_array_equal(cells[0, 10:], [values.get(name, 0.0) * (name in names) for name in columns])
    np.testing.assert_array_equal(reversals[0], [55.0, -93.0, 0.0, -40.0])


def test_theta_of_other_parameters_than_were_named_is_refused():
    with pytest.raises(ValueError, match="Theta has 12 parameters; 13 were named"):
        simulate(CELLS, context(amplitude=np.full(6, 100.0)), PLAIN, np.random.default_rng(0), names=(*CELL, "g_h"))


@pytest.mark.parametrize(
    ("name", "value", "feature", "moved"),
    [("g_h", 0.1, "sag", 1), ("g_Kv3", 20.0, "half_width", -1), ("slow_share", 0.9, "later_peak", -1)],
)
def test_what_is_beside_shows_in_the_features_it_should(name, value, feature, moved):
    amplitude = -200.0 if name == "g_h" else 300.0
    without, there = (
        simulate(
            np.column_stack([CELLS, np.full(6, share)]),
            context(amplitude=np.full(6, amplitude)),
            PLAIN,
            np.random.default_rng(0),
            names=(*CELL, name),
        )[0, NAMES.index(feature)]
        for share in (0.0, value)
    )
    assert moved * (there - without) > 0.05 * abs(without) * (feature == "half_width")


def test_cells_with_more_in_them_are_drawn_from_their_prior():
    spec = SPEC.parameters + tuple(ACCESSORIES)
    made = Sets.join(list(generate(spec, SHORT, Nuisances(), 20, np.random.default_rng(2))))
    assert made.u.shape == (len(made.features), 17)
    assert np.isfinite(made.features[:, NAMES.index("mean_voltage")]).mean() > 0.5
