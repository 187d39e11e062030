"""The fit of one sweep without sbi: a stand-in that knows the truth, or does not, on a simulated cell."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from estimators.context import Context
from estimators.features import NAMES
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.elife import ELIFE
from rig_plugin.tasks.elife_sweep import featured, summarized
from rig_plugin.tasks.fit_ledger import FitLedger
from rig_plugin.tasks.fitted_sweep import FittedSweep, capacitance, chosen
from rig_plugin.tasks.half import held
from rig_plugin.tasks.single_fit import fit, foretold, reproduced, rheobases
from rig_plugin.tasks.trained import Trained
from simulators.refusal import Refusal

COUNT = NAMES.index("spike_count")
EVEN = np.arange(0, 10, 2)


def narrow(centre, asked=None):
    """A trainer whose posterior is a narrow cloud about a theta, whatever it is shown."""

    def train(theta, x, prior, seed):
        if asked is not None:
            asked.append((theta, x))
        rng = np.random.default_rng(seed)

        def draw(observed, n):
            return np.array(centre) * (1.0 + 0.03 * rng.normal(size=(n, len(centre))))

        return Trained(draw, draw, draw)

    return train


@pytest.fixture
def asked(elife_family):
    return chosen(elife_family.cell, EVEN, 0)


def made(family, asked, centre=None, draws=100):
    return fit(asked, 20, draws, 0, "1.0", narrow(family.theta if centre is None else centre))


def test_the_middle_sweep_of_those_that_fire_is_fitted(elife_family):
    family = elife_family.cell
    assert family.counts.tolist()[:4] == [0.0] * 4
    assert (family.counts[4:] > 0).all()
    # Of sweeps 4, 6 and 8 the middle one; of 4, 5, 6 and 7, in any order, the lower of two.
    assert chosen(family, EVEN, 0).sweep == 6
    assert chosen(family, np.array([7, 1, 5, 4, 6]), 1).sweep == 5


def test_the_fitted_sweep_is_summarized_as_it_was_recorded(elife_family, asked):
    again = summarized(elife_family.theta[None], 150.0, asked.context, np.random.default_rng(3))[0]
    assert asked.observed[0] == elife_family.cell.counts[6]
    np.testing.assert_allclose(asked.observed[[1, 3, 4, 5, 6]], again[[1, 3, 4, 5, 6]], rtol=0.01)


def test_the_capacitance_of_a_passive_cell_is_what_it_is():
    contexts = tuple(Context(pA, 0.0, 1.0, 300.0, 150.0, 200.0, 20.0) for pA in (-60.0, -20.0, 40.0))
    still = np.array([[0.0, 0.0, 0.06, 0.0, 600.0, -60.0, 0.0, -70.0]])
    rows = np.concatenate([featured(still, 120.0, each, np.random.default_rng(0)) for each in contexts])
    # A time constant of 16.7 ms is read off samples of 0.05 ms.
    assert capacitance(Cell("passive", rows, contexts), np.arange(3)) == pytest.approx(120.0, rel=0.01)


def test_hyperpolarizing_steps_tell_the_capacitance_where_there_are_any(elife_family):
    family = elife_family.cell
    each = 1e3 * family.rows[:, NAMES.index("charging_time")] / family.rows[:, NAMES.index("input_resistance")]
    assert capacitance(family, EVEN) == each[0]
    assert capacitance(family, np.array([0, 1, 3])) == np.mean(each[:2])
    assert capacitance(family, np.array([2, 3, 5])) == each[3]


def test_a_half_that_does_not_fire_or_charge_is_refused(elife_family):
    with pytest.raises(Refusal, match=r"None of the 3 sweeps of a half of elife\.abf fires"):
        chosen(elife_family.cell, np.array([0, 1, 2]), 0)
    with pytest.raises(Refusal, match="its area is unknown"):
        chosen(elife_family.cell, np.array([2, 4, 5]), 0)


def test_who_trains_is_given_the_prior_s_draws_under_the_sweep_s_own_protocol(elife_family, asked):
    given = []
    found = fit(asked, 40, 5, 3, "1.0", narrow(elife_family.theta, given))
    theta, x = given[0]
    assert (found.simulations, found.used, found.theta.shape) == (40, len(theta), (5, 8))
    assert ELIFE.prior.contains(torch.from_numpy(theta)).all()
    again = summarized(theta, asked.capacitance, asked.context, np.random.default_rng(3))
    if len(theta) == 40:
        np.testing.assert_array_equal(x, again)
    assert np.isfinite(x).all()
    assert len(np.unique(x[:, 0])) > 3


def test_cells_that_blow_up_are_not_learned_from(elife_family, asked, monkeypatch):
    def broken(theta, *rest):
        x = summarized(theta, *rest)
        x[::4, 5] = np.nan
        return x

    monkeypatch.setattr("rig_plugin.tasks.single_fit.summarized", broken)
    given = []
    found = fit(asked, 40, 5, 0, "1.0", narrow(elife_family.theta, given))
    assert found.used == len(given[0][0]) <= 30
    assert np.isfinite(given[0][1]).all()


def test_a_posterior_at_the_truth_foretells_the_other_sweeps_and_one_beside_it_does_not(elife_family, asked):
    family = elife_family.cell
    right = made(elife_family, asked)
    told = foretold(right, family)
    inside = [value for sweep in range(10) for value in held(told[sweep], family.rows[sweep]).values()]
    assert np.mean(inside) >= 0.9
    assert reproduced(right).mean() >= 6 / 7
    beside = made(elife_family, asked, elife_family.theta * [1, 1, 1, 1, 1, 1.1, 1, 1.15])
    told = foretold(beside, family)
    outside = [value for sweep in range(10) for value in held(told[sweep], family.rows[sweep]).values()]
    assert np.mean(outside) < 0.5
    # Of a leak that reverses 10 mV lower the mean and the rest are lower.
    assert not reproduced(beside)[[1, 3]].any()


def test_the_same_draws_foretell_the_same_numbers(elife_family, asked):
    fitted = made(elife_family, asked, draws=20)
    for first, second in zip(foretold(fitted, elife_family.cell), foretold(fitted, elife_family.cell), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_draw_s_rheobase_is_the_lowest_current_at_which_it_fires(elife_family):
    told = [np.zeros((3, len(NAMES))) for _ in range(4)]
    told[1][0, COUNT] = told[3][0, COUNT] = told[2][1, COUNT] = 2.0
    told[0][2, COUNT] = np.nan
    # The sweeps come in no order.
    found = rheobases(told, np.array([0.0, 60.0, 20.0, 40.0]))
    assert found.tolist() == [40.0, 20.0, np.inf]


def test_the_fit_ledger_gives_back_what_it_was_given_and_nothing_else(elife_family, asked, tmp_path):
    path = tmp_path / "fits.jsonl"
    kept = made(elife_family, asked, draws=7)
    FitLedger(path).add(kept)
    known = FitLedger(path)
    found = known.find(asked, 20, 7, 0, "1.0")
    np.testing.assert_array_equal(found.theta, kept.theta)
    np.testing.assert_array_equal(found.asked.observed, asked.observed)
    assert (found.used, found.train_cpu_s, found.asked.context) == (kept.used, kept.train_cpu_s, asked.context)
    np.testing.assert_array_equal(known.find(asked, 20, 3, 0, "1.0").theta, kept.theta[:3])
    others = [(20, 8, 0, "1.0"), (21, 7, 0, "1.0"), (20, 7, 1, "1.0"), (20, 7, 0, "1.1")]
    assert [known.find(asked, *other) for other in others] == [None] * 4
    changes = (
        {"name": "other.abf"},
        {"half": 1},
        {"sweep": 4},
        {"context": replace(asked.context, amplitude=1.0)},
        {"capacitance": 1.001 * asked.capacitance},
        {"observed": asked.observed * np.array([1, 1, 1, 1.001, 1, 1, 1])},
    )
    assert [known.find(replace(asked, **change), 20, 7, 0, "1.0") for change in changes] == [None] * 6


def test_a_line_that_is_no_fit_is_refused_and_one_that_was_cut_is_dropped(elife_family, asked, tmp_path):
    path = tmp_path / "fits.jsonl"
    FitLedger(path).add(made(elife_family, asked, draws=3))
    whole = path.read_text()
    path.write_text(whole + whole[:50])
    assert FitLedger(path).find(asked, 20, 3, 0, "1.0") is not None
    assert path.read_text() == whole
    path.write_text('{"name": "elife.abf"}\n')
    with pytest.raises(Refusal, match=r"Line 1 of .*fits\.jsonl is no fit .*--out"):
        FitLedger(path)


def test_a_question_is_of_one_recording(elife_family):
    family = elife_family.cell
    other = Cell("other.abf", family.rows, family.contexts, family.traces)
    question = chosen(other, EVEN, 1)
    assert isinstance(question, FittedSweep)
    assert (question.name, question.half, question.context) == ("other.abf", 1, family.contexts[6])
