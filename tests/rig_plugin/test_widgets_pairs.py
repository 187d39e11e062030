"""The pair plot: draws below the diagonal, slices above it, and never a posterior that is withheld."""

import dataclasses

import numpy as np
import pytest

from estimators.slices import slices
from rig_plugin.feed import Sliced
from rig_plugin.trial import Posterior
from rig_plugin.widgets import density
from rig_plugin.widgets.pairs import Pairs
from rig_plugin.widgets.qt import QtCore, QtGui
from rig_plugin.widgets.theme import DARK, LIGHT

FIRST = ("C", "g_leak", "g_Na", "g_K")
BELOW = {(row, column) for row in range(4) for column in range(row)}
ABOVE = {(row, column) for row in range(4) for column in range(row + 1, 4)}


@pytest.fixture
def panel(qtbot, scripted):
    widget = Pairs(scripted.parameters)
    qtbot.addWidget(widget)
    widget.resize(500, 300)
    return widget


@pytest.fixture
def known(scripted):
    """A trial, and what is sliced of it: a normal in which C and g_leak go against each other."""
    p = len(scripted.parameters)
    covariance = 0.04 * np.eye(p)
    covariance[0, 1] = covariance[1, 0] = -0.03
    mean = np.linspace(-0.6, 0.9, p)
    u = np.random.default_rng(7).multivariate_normal(mean, covariance, 1000)
    draws = np.stack([q.constrain(u[:, k]) for k, q in enumerate(scripted.parameters)], axis=1)
    trial = dataclasses.replace(scripted.trial(3), posterior=Posterior(scripted.parameters, draws))
    precision = np.linalg.inv(covariance)

    def sliced(index, *names):
        def log_density(v):
            return -0.5 * (((v - mean) @ precision) * (v - mean)).sum(1)

        return Sliced(index, slices(scripted.parameters, draws, log_density, names))

    return trial, sliced


def hover(qtbot, panel, row, column, across=0.5, up=0.5):
    """Move the mouse over a cell and read what stands there."""
    corner = panel.findChild(QtCore.QObject, "corner")
    cell = corner.cell(row, column)
    spot = QtCore.QPointF(cell.left() + across * cell.width(), cell.bottom() - up * cell.height())
    qtbot.mouseMove(corner, spot.toPoint())
    return corner.words


def middle(shown):
    """Where the strongest shade of a map lies, as places on both axes."""
    picture, ground = shown.image, QtGui.QColor(DARK.panel)
    spots = [(x, y) for x in range(picture.width()) for y in range(picture.height())]
    x, y = max(spots, key=lambda spot: picture.pixelColor(*spot).lightness() - ground.lightness())
    shares = (x + 0.5) / picture.width(), 1.0 - (y + 0.5) / picture.height()
    ends = shown.across, shown.up
    return [low + share * (high - low) for share, (low, high) in zip(shares, ends, strict=True)]


def test_before_the_first_sweep_there_is_the_prior_and_what_will_appear(panel):
    assert panel.names == FIRST
    assert "after the first sweep" in panel.notice
    assert {len(curves) for curves in panel.picture.curves.values()} == {1}
    assert panel.picture.spans == 4 * ((0.0, 1.0),)
    assert panel.picture.reference is None


def test_draws_stand_below_the_diagonal_where_they_are_and_above_it_is_said_when_slices_come(panel, known):
    trial, _ = known
    panel.take(trial)
    assert panel.notice == ""
    assert set(panel.picture.maps) == BELOW
    assert panel.picture.wanting == "Slices are computed after the next sweep."
    for row, column in BELOW:
        shown = panel.picture.maps[row, column]
        places = [density.position(panel.picture.parameters[k], trial.posterior.draws[:, k]) for k in (column, row)]
        for found, column_of in zip(middle(shown), places, strict=True):
            assert abs(found - np.median(column_of)) < column_of.std()
        assert len(shown.outlines) == 2
    assert [len(panel.picture.curves[k]) for k in range(4)] == [2, 2, 2, 2]


def test_slices_stand_above_it_with_the_correlation_and_the_point_that_is_held(panel, known):
    trial, sliced = known
    panel.take(trial)
    cut = sliced(3, *FIRST)
    panel.slice(cut)
    assert set(panel.picture.maps) == BELOW | ABOVE
    assert panel.picture.wanting == ""
    assert panel.picture.maps[0, 1].note == f"r {cut.slices.correlations[0]:.2f}".replace("-", "−")
    assert cut.slices.correlations[0] < -0.6
    for k, parameter in enumerate(panel.picture.parameters):
        held = density.value(parameter, panel.picture.reference[k])
        assert held == pytest.approx(cut.slices.reference[k])
        dashed = panel.picture.curves[k][-1]
        assert not dashed.is_filled
        top = density.value(parameter, float(dashed.places[dashed.heights.argmax()]))
        assert top == pytest.approx(cut.slices.values[k][cut.slices.densities[k].argmax()])
    for row, column in ABOVE:
        found = middle(panel.picture.maps[row, column])
        for place, k in zip(found, (column, row), strict=True):
            assert abs(place - panel.picture.reference[k]) < 0.25


def test_a_pair_is_the_same_whichever_way_round_it_was_sliced(panel, known):
    trial, sliced = known
    panel.take(trial)
    panel.slice(sliced(3, *FIRST))
    one = panel.picture
    panel.slice(sliced(3, *FIRST[::-1]))
    other = panel.picture
    assert {spot: shown.note for spot, shown in one.maps.items()} == {s: m.note for s, m in other.maps.items()}
    for spot in ABOVE:
        assert middle(one.maps[spot]) == pytest.approx(middle(other.maps[spot]), abs=1e-6)
        assert one.maps[spot].across == pytest.approx(other.maps[spot].across)
    np.testing.assert_allclose(one.reference, other.reference)


def test_slices_of_an_earlier_sweep_are_grey_and_say_of_which(panel, known, scripted):
    trial, sliced = known
    panel.take(trial)
    panel.slice(sliced(3, *FIRST))
    fresh = panel.picture.maps[0, 1].image
    panel.take(dataclasses.replace(trial, index=4))
    old = panel.picture.maps[0, 1].image
    spots = [(x, y) for x in range(old.width()) for y in range(old.height())]
    assert max(fresh.pixelColor(*s).saturation() for s in spots) > 150
    assert max(old.pixelColor(*s).saturation() for s in spots) < 100
    assert panel._aside.text().endswith("others held at trial 3")
    panel.slice(sliced(4, *FIRST))
    assert panel.picture.maps[0, 1].image == fresh
    assert "trial" not in panel._aside.text()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_letters_and_colours_are_the_theme_s_before_it_was_shown_and_after_a_warning(qtbot, scripted, theme):
    # Made here: between a fixture and its test there are events, which would dress it.
    panel = Pairs(scripted.parameters)
    qtbot.addWidget(panel)
    panel.wear(dataclasses.replace(theme, scale=1.5))
    panel.show()
    for index, withheld in enumerate((False, True)):
        panel.take(scripted.trial(index, withheld=withheld, reason="No cell." if withheld else None))
        for choice in panel._choices[:4]:
            assert choice.font().pixelSize() == 18
            assert choice.palette().color(QtGui.QPalette.ColorRole.Button).name() == theme.panel
    assert panel._aside.font().pixelSize() == 18


def test_a_withheld_posterior_is_the_prior_alone_with_the_reason(qtbot, panel, known, scripted):
    trial, sliced = known
    panel.take(trial)
    panel.slice(sliced(3, *FIRST))
    bare = Pairs(scripted.parameters)
    qtbot.addWidget(bare)
    prior = bare.picture
    panel.take(scripted.trial(4, withheld=True, reason="The rest is −20 mV."))
    assert "Posterior withheld. The rest is −20 mV." in panel.notice
    assert panel.picture.reference is None
    for k in range(4):
        (curve,) = panel.picture.curves[k]
        np.testing.assert_array_equal(curve.heights, prior.curves[k][0].heights)
    assert {spot: m.image for spot, m in panel.picture.maps.items()} == {s: m.image for s, m in prior.maps.items()}
    panel.clear()
    panel.take(trial)
    assert set(panel.picture.maps) == BELOW


def test_slices_are_asked_for_while_the_panel_is_seen_and_along_what_is_chosen(panel, qtbot):
    asked = []
    panel.looked.connect(asked.append)
    panel.choose(["V_T", "C"])
    assert asked == []
    panel.show()
    qtbot.waitUntil(lambda: asked == [("V_T", "C")])
    panel._choices[1].activated.emit(6)
    assert asked[1:] == [("C", "V_T")], "Chosen again, the two change places."
    panel._choices[0].activated.emit(2)
    panel._count.setCurrentIndex(1)
    assert asked[2:] == [("g_Na", "V_T"), ("g_Na", "V_T", "C")]
    assert [choice.currentText() for choice in panel._choices if choice.isVisible()] == ["g_Na", "V_T", "C"]
    for nonsense in (["C"], ["C", "C"], ["C", "x"], ["g_Na", "V_T", "C"]):
        panel.choose(nonsense)
    panel.hide()
    assert asked[4:] == [()]


def test_what_came_while_nobody_saw_it_is_drawn_when_it_is_seen_again(qtbot, panel, known):
    trial, _ = known
    panel.show()
    panel.hide()
    panel.take(trial)
    assert panel.picture.spans == 4 * ((0.0, 1.0),), "Behind another tab nothing is drawn."
    panel.show()
    qtbot.waitUntil(lambda: set(panel.picture.maps) == BELOW)
    assert panel.notice == ""


def test_what_was_not_sliced_is_awaited_and_the_rest_stays(panel, known):
    trial, sliced = known
    panel.take(trial)
    panel.slice(sliced(3, "C", "g_leak"))
    assert set(panel.picture.maps) == BELOW | {(0, 1)}
    assert panel.picture.wanting
    assert np.isfinite(panel.picture.reference).tolist() == [True, True, False, False]
    assert not panel.grab().isNull()


def test_the_mouse_reads_values_with_units(qtbot, panel, known):
    trial, sliced = known
    panel.show()
    panel.take(trial)
    cut = sliced(3, *FIRST)
    panel.slice(cut)
    low, high = panel.picture.spans[0]
    assert hover(qtbot, panel, 0, 0).startswith("C ")
    assert hover(qtbot, panel, 0, 0).endswith(" pF")
    told = hover(qtbot, panel, 2, 0, 0.5, 0.25).split()
    assert float(told[1]) == pytest.approx(density.value(panel.picture.parameters[0], (low + high) / 2), rel=0.03)
    foot, top = panel.picture.spans[2]
    wanted = density.value(panel.picture.parameters[2], foot + 0.25 * (top - foot))
    assert float(told[4]) == pytest.approx(wanted, rel=0.03)
    assert told[::3] == ["C", "g_Na"]
    shares = [
        (place - low) / (high - low)
        for place, (low, high) in zip(
            panel.picture.reference[[1, 0]], (panel.picture.spans[k] for k in (1, 0)), strict=True
        )
    ]
    told = hover(qtbot, panel, 0, 1, *shares)
    assert "mS/cm2\nC " in told
    assert float(told.split("held: ")[1].split()[0]) > 0.3
    assert "held: 0.00" in hover(qtbot, panel, 0, 1, 0.02, 0.02)
    assert hover(qtbot, panel, 1, 0, -0.2) == "", "Beside the axes there is nothing to read."


def test_axes_stay_while_the_draws_fit_into_them(panel, known):
    trial, _ = known
    panel.take(trial)
    first = panel.picture.spans

    def scaled(factor):
        u = trial.posterior.unconstrained() * factor
        draws = np.column_stack([q.constrain(u[:, k]) for k, q in enumerate(trial.posterior.parameters)])
        return dataclasses.replace(trial, posterior=Posterior(trial.posterior.parameters, draws))

    panel.take(scaled(0.8))
    assert panel.picture.spans == first
    panel.take(scaled(0.2))
    assert all(b[1] - b[0] < 0.3 * (a[1] - a[0]) for a, b in zip(first, panel.picture.spans, strict=True))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_nothing_is_cut_at_its_smallest_and_both_themes_have_their_own_colours(panel, known, theme, qtbot):
    trial, sliced = known
    panel.wear(theme)
    panel.show()
    panel.take(trial)
    panel.slice(sliced(3, *FIRST))
    assert panel.minimumSizeHint().width() < 300
    shot = panel.grab().toImage()
    assert shot.pixelColor(shot.width() // 2, 3).name() == theme.panel
    drawn = panel.picture.maps[1, 0].image
    assert drawn.pixelColor(0, 0).name() == theme.panel
    assert panel.picture.curves[0][1].colour == theme.now
