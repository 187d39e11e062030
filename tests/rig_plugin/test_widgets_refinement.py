"""A refined posterior stands beside the amortized one, dashed and in words, and never beside another trial's."""

import numpy as np
import pytest

from rig_plugin.refined import Refined
from rig_plugin.widgets.posterior import PosteriorPanel
from rig_plugin.widgets.qt import QtCore, Signal, pg
from rig_plugin.widgets.theme import DARK, LIGHT


@pytest.fixture
def panel(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    widget.resize(560, 420)
    return widget


@pytest.fixture
def refined(scripted):
    draws = scripted.posterior(6, np.random.default_rng(4)).draws
    return Refined(2, draws, gained=1.4, effective=512.0, of=1000, k=0.42, simulated=10_000)


def picture(panel):
    return pg.functions.ndarray_from_qimage(panel.grab().toImage()).copy()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_refined_is_drawn_beside_amortized_and_said_with_its_figures(panel, scripted, refined, theme):
    panel.wear(theme)
    panel.take(scripted.trial(2))
    before = picture(panel.rows["g_M"])
    panel.refine(refined)
    assert (picture(panel.rows["g_M"]) != before).any()
    assert "+1.4 nat; amortized worth 512 of 1000, Pareto k 0.4" in panel.refinement.words.text()
    assert "╌ refined" in panel._aside.text()
    assert "Refined: median" in panel.rows["g_M"].toolTip()


def test_a_newer_trial_takes_the_refined_one_away_and_an_older_one_s_does_not_come_back(panel, scripted, refined):
    panel.take(scripted.trial(2))
    panel.refine(refined)
    panel.take(scripted.trial(3))
    assert not panel.rows["C"].has_refined
    panel.refine(refined)
    assert not panel.rows["C"].has_refined
    assert "dashed" in panel.refinement.words.text()


def test_a_disagreement_is_told_in_the_panel_and_for_the_log(panel, scripted, refined, qtbot):
    panel.take(scripted.trial(2))
    loud = Refined(2, refined.draws, disagreement="Refined and amortized disagree: C lies higher.")
    with qtbot.waitSignal(panel.cautioned) as said:
        panel.refine(loud)
    assert said.args == [loud.disagreement]
    assert panel.refinement.words.text().startswith("▲ Refined and amortized disagree")
    assert panel.rows["C"].has_refined


def test_why_there_is_no_refined_one_is_a_sentence_and_the_posterior_stays(panel, scripted, qtbot):
    panel.take(scripted.trial(2))
    with qtbot.waitSignal(panel.cautioned):
        panel.refine(Refined(2, refusal="The holding current is not known."))
    assert panel.refinement.words.text() == "▲ The holding current is not known."
    assert panel.rows["C"].has_posterior
    assert panel.refinement.button.isEnabled()


def test_it_is_asked_for_where_there_is_a_posterior_and_once_at_a_time(panel, scripted, qtbot):
    assert panel.refinement.isHidden()
    panel.take(scripted.trial(0, withheld=True, reason="No cell."))
    assert panel.refinement.isHidden()
    panel.take(scripted.trial(1))
    assert not panel.refinement.isHidden()
    with qtbot.waitSignal(panel.refine_asked):
        panel.refinement.button.click()
    assert not panel.refinement.button.isEnabled()
    assert "refining" in panel.refinement.words.text()
    panel.clear()
    assert panel.refinement.isHidden()


def test_a_window_is_asked_to_refine_and_is_told_what_it_cautions_of(panel, scripted, refined, qtbot):
    asked, written = [], []

    class Bridge(QtCore.QObject):
        refined = Signal(object)

    bridge = Bridge()
    panel.wire(bridge.refined, lambda: asked.append("refine"), lambda *said: written.append(said))
    panel.take(scripted.trial(2))
    panel.refinement.button.click()
    assert asked == ["refine"]
    bridge.refined.emit(Refined(2, refined.draws))
    assert panel.rows["C"].has_refined
    bridge.refined.emit(Refined(2, refusal="No holding."))
    assert written == [("No holding.", "caution")]


def test_all_the_words_have_room_in_a_narrow_panel_and_give_it_back(panel, scripted, refined, qtbot):
    panel.resize(400, 380)
    panel.show()
    panel.take(scripted.trial(2))
    one = panel.refinement.height()
    panel.refine(Refined(2, refined.draws, disagreement=30 * "They disagree. "))
    words = panel.refinement.words
    qtbot.waitUntil(lambda: one < words.heightForWidth(words.width()) <= words.height())
    panel.refine(Refined(2, refined.draws))
    qtbot.waitUntil(lambda: panel.refinement.height() <= 2 * one)
