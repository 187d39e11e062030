"""The panel of the virtual drug, alone: what was said before, what came, and the verdict in words."""

import math
from dataclasses import replace

import pytest

from hardware.decision import Decision
from rig_plugin.dosing import Dosing, Expected, Infusion, Span
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.widgets.drug import DrugPanel
from rig_plugin.widgets.theme import DARK, LIGHT
from simulators.parameter import Parameter

PARAMETERS = (Parameter("C", "pF", 15.0, 400.0, "log"), Parameter("g_leak", "mS/cm2", 0.005, 0.6, "log"))
INFUSION = Infusion(7.52, -6.02, -93.5, 0.1, 0.05, 2000.0, Span(0.7, 1.7, 3.0))
COUNT = Expected(150.0, "spike_count", "1", 5.0, Span(7, 16, 27), Span(5, 5, 6), Span(4, 5, 25))
MEAN = Expected(
    100.0, "mean_voltage", "mV", -56.48, Span(-57.1, -54.7, -52.4), Span(-56.57, -56.48, -56.39), Span(-58, -55, -44)
)
SAID = Dosing("g_M", -0.8, 3, (3, 1, 0), INFUSION, (COUNT, MEAN), 86)


@pytest.fixture
def panel(qtbot):
    made = DrugPanel(PARAMETERS)
    qtbot.addWidget(made)
    made.resize(625, 400)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_an_empty_panel_says_how_to_get_a_drug(panel):
    assert 'kind = "drug"' in panel.notice and "Run a script" in panel.notice
    assert panel.words() == "" and panel.rows == 0
    panel.tell(SAID)
    assert panel.notice == ""
    panel.clear()
    assert "Run a script" in panel.notice and panel.words() == ""


def test_before_the_first_control_is_over_nothing_is_known_of_what_is_injected(panel):
    panel.tell(Dosing("g_M", -0.8, 3, (1, 0, 0)))
    assert "80 % of g_M taken away" in panel.words() and "nS" not in panel.words()
    assert "▶ control before 1 of 3" in panel.words() and "○ drug 0 of 3" in panel.words()


def test_what_was_predicted_stands_beside_what_was_measured_with_the_digits_it_deserves(panel):
    panel.tell(SAID)
    for said in ("−6.02 nS injected", "own 7.52 nS", "0.1 ms late", "1.7 MOhm (0.7 to 3.0)", "−93.5 mV",
                 "● control before 3 of 3", "▶ drug 1 of 3", "○ control after 0 of 3"):  # fmt: skip
        assert said in panel.words()
    assert panel.cells(0) == ("spike count\nat +150 pA", "", "16\n7–27", "5\n5–6", "5\n4–25", "–")
    assert panel.cells(1)[0] == "mean voltage, mV\nat +100 pA"
    assert panel.cells(1)[2:5] == ("−54.7\n−57.1…−52.4", "−56.5\n−56.6…−56.4", "−55.0\n−58.0…−44.0")
    came = tuple(replace(row, measured=value, is_inside=inside) for row, value, inside in
                 ((COUNT, 12.0, True), (MEAN, -61.26, False)))  # fmt: skip
    panel.tell(replace(SAID, expected=came, done=(3, 3, 0)))
    # Whether it lies inside is told by a shape, too.
    assert (panel.cells(0)[5], panel.cells(1)[5]) == ("12 ●", "−61.3 ▼")
    panel.tell(replace(SAID, expected=(replace(COUNT, measured=40.0, is_inside=False),)))
    assert panel.rows == 1 and panel.cells(0)[5] == "40 ▲"


@pytest.mark.parametrize(("verdict", "is_strange", "said"), [
    ("confirmed", False, "● Confirmed. Why."),
    ("confirmed", True, "▲ Confirmed, and no cell of the model. Why."),
    ("contradicted", False, "■ Contradicted. Why."),
    ("not decided", False, "○ Not decided. Why."),
    ("cell changed", False, "▲ The cell has changed. Why."),
    ("withheld", False, "■ No verdict. Why."),
])  # fmt: skip
def test_the_verdict_is_a_sign_and_a_word_with_its_reason(panel, verdict, is_strange, said):
    panel.tell(replace(SAID, done=(3, 3, 3), verdict=verdict, sentence="Why.", is_strange=is_strange))
    assert panel.words().splitlines()[-1] == said
    # What has its verdict keeps it.
    panel.enter(False)
    assert panel.words().splitlines()[-1] == said


def test_a_drug_that_was_broken_off_has_no_verdict_and_a_new_one_begins_anew(panel):
    panel.tell(SAID)
    panel.decide(Decision(2, "drug", "stopped", "Somebody ended the session."))
    assert "■ Broken off. There is no verdict" in panel.words() and "▶" not in panel.words()
    panel.decide(Decision(2, "drug", "began", "Stage 3 begins."))
    panel.tell(replace(SAID, done=(3, 0, 0)))
    assert "Broken off" not in panel.words()


def test_of_a_recording_the_sentences_are_shown_that_were_kept(panel):
    panel.decide(Decision(1, "family", "ended", "Not of a drug."))
    assert panel.notice
    panel.decide(Decision(2, "drug", "chose", "The clamp injects g_M."))
    panel.decide(Decision(2, "drug", "met", "Verdict: confirmed."))
    assert panel.words() == "The clamp injects g_M.\n\nVerdict: confirmed." and panel.notice == ""


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_row_shows_its_prediction_and_where_the_measurement_lies(panel, theme):
    panel.wear(theme)
    missing = replace(COUNT, unchanged=Span(), prior=Span(), measured=math.nan)
    panel.tell(replace(SAID, expected=(missing,)))
    before = panel.grab().toImage()
    assert panel.cells(0)[3:] == ("–", "–", "–")
    panel.tell(replace(SAID, expected=(replace(missing, measured=26.0, is_inside=True),)))
    assert panel.grab().toImage() != before


@pytest.fixture
def form(qtbot, panel):
    panel.form.allow(ProtocolSettings(amplitudes=(-50.0, 0.0, 50.0, 100.0)))
    panel.enter(True)
    return panel.form


def type_in(qtbot, box, text):
    box.clear()
    qtbot.keyClicks(box, text)


def test_a_drug_on_its_own_is_judged_as_it_is_typed(qtbot, form):
    assert form.words == "" and form.button.isEnabled()
    for text, said in (("-1.5", "-1 (all of it taken away) to 3"), ("0", "and not 0"), ("", "'' was given")):
        type_in(qtbot, form.factor, text)
        assert said in form.words and form.words.startswith("▲") and not form.button.isEnabled()
    type_in(qtbot, form.factor, "0.5")
    for text in ("0", "4", "1.5"):
        type_in(qtbot, form.sweeps, text)
        assert "1 to 3 was wanted" in form.words and not form.button.isEnabled()
    for text, heights in (("2", (-50.0, 100.0)), ("1", (100.0,)), ("3", (-50.0, 50.0, 100.0))):
        type_in(qtbot, form.sweeps, text)
        with qtbot.waitSignal(form.asked) as asked:
            form.button.click()
        (stage,) = asked.args
        assert (stage.conductance, stage.factor, stage.protocol.amplitudes) == ("g_leak", 0.5, heights)


def test_where_no_drug_can_be_given_the_reason_stands_there(form):
    form.enter(False)
    assert "Space starts one" in form.words and not form.button.isEnabled() and form.factor.isEnabled()
    form.allow(ProtocolSettings(), "A board has no dynamic clamp: use another rig.")
    assert form.words == "A board has no dynamic clamp: use another rig." and not form.factor.isEnabled()
    form.enter(True)
    assert not form.button.isEnabled()
    form.allow(ProtocolSettings())
    assert form.button.isEnabled()
    form.follow(ProtocolSettings(gap_free=1000.0))
    assert "apply a family" in form.words and not form.button.isEnabled()


def test_while_a_drug_is_given_no_other_can_be_asked_for(panel):
    panel.enter(True)
    assert not panel.form.isHidden()
    panel.tell(SAID)
    assert panel.form.isHidden()
    panel.tell(replace(SAID, verdict="withheld", sentence="Why."))
    assert not panel.form.isHidden()
    panel.enter(False)
    assert panel.form.isHidden()
    panel.clear()
    assert not panel.form.isHidden()
