"""What a sweep changed of a marginal is told where it is more than chance in a thousand draws, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from rig_plugin.change import change
from rig_plugin.trial import Posterior
from rig_plugin.widgets.posterior import PosteriorPanel


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform"])
def test_draws_of_the_same_posterior_hardly_ever_differ(draw):
    rng = np.random.default_rng(1)
    pairs = getattr(rng, draw)(size=(400, 2, 1000))
    told = [change(*pair) for pair in pairs]
    assert sum(each.moved is not None for each in told) <= 4
    assert sum(each.wider is not None for each in told) <= 4


@pytest.mark.parametrize(("shift", "scale"), [(0.35, 1.0), (-0.35, 1.0), (0.0, 0.75), (0.0, 1.35), (0.4, 0.7)])
def test_a_change_that_matters_is_told_in_widths_and_per_cent(shift, scale):
    rng = np.random.default_rng(2)
    told = [change(rng.normal(size=1000), shift + scale * rng.normal(size=1000)) for _ in range(40)]
    moved, wider = [each.moved for each in told], [each.wider for each in told]
    if shift:
        assert sum(each is not None for each in moved) >= 38
        assert np.mean([each for each in moved if each]) == pytest.approx(shift / 3.29, rel=0.1)
    if scale != 1.0:
        assert sum(each is not None for each in wider) >= 38
        assert np.mean([each for each in wider if each]) == pytest.approx(scale - 1.0, abs=0.03)


def test_few_draws_and_draws_without_a_width_tell_nothing():
    assert change(np.arange(50.0), np.arange(50.0) + 90.0).marks == ()
    assert change(np.zeros(1000), np.arange(1000.0)).sentence == ""


def test_a_row_says_what_the_newest_sweep_changed_in_signs_and_in_its_tip_as_a_sentence(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    widget.resize(620, 380)
    first = scripted.trial(2)
    u = first.posterior.unconstrained()
    rng = np.random.default_rng(5)
    again = u[rng.permutation(len(u))]
    again[:, 0] += 0.5 * np.ptp(np.quantile(u[:, 0], [0.05, 0.95]))
    again[:, 4] = np.median(u[:, 4]) + 0.6 * (u[:, 4] - np.median(u[:, 4]))
    p = scripted.parameters
    second = Posterior(p, np.column_stack([each.constrain(again[:, k]) for k, each in enumerate(p)]))
    widget.take(first)
    assert widget.changes == {}
    plain = widget.rows["C"].grab().toImage()
    widget.take(replace(first, index=3, posterior=second, sweeps_used=4))
    assert set(widget.changes) == {"C", "g_M"}
    moved, narrower = widget.rows["C"].changed, widget.rows["g_M"].changed
    assert moved.marks[0].startswith("→ 0.") and moved.wider is None
    assert narrower.moved is None and narrower.wider == pytest.approx(-0.4, abs=0.05)
    assert narrower.marks == (f"↔ −{100 * abs(narrower.wider):.0f} %",)
    assert f"With the newest sweep: {narrower.sentence}." in widget.rows["g_M"].toolTip()
    assert "narrower" in narrower.sentence and f"g_M: {narrower.sentence}" in widget._aside.toolTip()
    assert widget.rows["C"].grab().toImage() != plain
    widget.take(scripted.trial(3, withheld=True))
    assert widget.changes == {}
