import pytest

from rig_plugin.settings import ProtocolSettings
from rig_plugin.widgets.protocol import ProtocolPanel

FAMILY = ProtocolSettings(start=-100.0, stop=100.0, step=50.0)


def judge(protocol):
    wrong = "500 pA is beyond the limits: choose less." if protocol.stop > 400.0 else None
    return wrong, "800 ms is longer than the network knows." if protocol.duration > 700.0 else None


@pytest.fixture
def panel(qtbot):
    made = ProtocolPanel(FAMILY, judge)
    qtbot.addWidget(made)
    made.resize(700, 220)
    made.show()
    return made


def test_the_form_is_what_is_played_until_it_is_changed(panel):
    assert panel.asked == FAMILY and panel.fields["interval"].value() == 5.0
    assert "5 sweeps of 1.00 s, 00:00:25 in all" in panel.words.text() and not panel.apply.isEnabled()
    assert len(panel.preview.plot.listDataItems()) == 5


def test_what_was_applied_is_told_once(qtbot, panel):
    panel.fields["step"].setValue(100.0)
    assert "3 sweeps" in panel.words.text() and "next session" in panel.words.text()
    with qtbot.waitSignal(panel.applied) as told:
        panel.apply.click()
    assert told.args[0].stimuli()[1].amplitude == 0.0 and told.args[0].onset == FAMILY.onset
    assert not panel.apply.isEnabled() and "This is what is played" in panel.words.text()


def test_what_cannot_be_played_is_a_sentence_and_cannot_be_applied(panel):
    panel.fields["stop"].setValue(500.0)
    assert "beyond the limits: choose less" in panel.words.text()
    assert not panel.apply.isEnabled() and "beyond the limits" in panel.apply.toolTip()
    assert panel.preview.plot.listDataItems() == []
    panel.fields["stop"].setValue(150.0)
    panel.fields["duration"].setValue(800.0)
    # What is only worth knowing keeps nobody from playing it.
    assert "longer than the network knows" in panel.words.text() and panel.apply.isEnabled()


def test_changes_are_undone_and_made_again_and_given_up(panel):
    panel.fields["start"].setValue(-50.0)
    panel.fields["holding"].setValue(-20.0)
    panel.undo()
    assert panel.fields["holding"].value() == 0.0 and panel.asked.start == -50.0
    panel.undo()
    assert panel.asked == FAMILY and not panel.undo_button.isEnabled()
    panel.redo()
    assert panel.fields["start"].value() == -50.0
    panel.back.click()
    assert panel.asked == FAMILY and panel.undo_button.isEnabled()


def test_steps_that_were_listed_give_way_to_a_range(qtbot):
    panel = ProtocolPanel(ProtocolSettings(amplitudes=(10.0, 200.0)))
    qtbot.addWidget(panel)
    assert "2 sweeps" in panel.words.text()
    panel.fields["step"].setValue(150.0)
    assert panel.asked.amplitudes == () and "4 sweeps" in panel.words.text()


def test_a_recording_has_no_form(qtbot):
    panel = ProtocolPanel(None)
    qtbot.addWidget(panel)
    panel.show()
    assert "as it was recorded" in panel.notice and not panel.fields["start"].isVisible()
