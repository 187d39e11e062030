"""What has changed goes to the file, to the window's process and into the log, and each change is news once."""

import json
from dataclasses import replace

from estimators.shift import Shift
from rig_plugin.engine.letter import open_letter, seal, told_trial, trial_of
from rig_plugin.tidings import Tidings
from rig_plugin.trial import Latency, Trial, Trust
from rig_plugin.widgets.status_line import StatusLine


def a_shift(parameter="g_Na", since=8, percent=(-60.0, -50.0, -35.0)):
    return Shift(
        parameter, "mS/cm2", since, (55.0, 60.0, 65.0), (26.0, 30.0, 34.0), (-37.0, -30.0, -24.0), percent, 1.7
    )


def a_trial(shifts, index=0):
    return Trial(index, None, None, {}, None, 0, Trust(True, 0.5), Latency(1.0, None, 1.0), shifts=shifts)


def test_only_a_network_that_tracks_adds_a_key_to_the_trial():
    assert "changes" not in a_trial(None).to_json()
    assert a_trial(()).to_json()["changes"] == []
    told = json.loads(json.dumps(a_trial((a_shift(),)).to_json(), allow_nan=False))
    assert told.keys() - a_trial(None).to_json().keys() == {"changes"}
    (change,) = told["changes"]
    assert (change["parameter"], change["since"], change["percent"]["median"]) == ("g_Na", 8, -50.0)


def test_what_has_changed_reaches_the_window_as_it_was():
    for shifts in (None, (), (a_shift(), a_shift("E_leak", 3, None))):
        letter = open_letter(seal("finished", trial=told_trial(a_trial(shifts))))
        assert trial_of(letter["trial"], (), None, None).shifts == shifts


def test_each_change_is_news_once_and_again_for_another_cell():
    tidings, na, leak = Tidings(), a_shift(), a_shift("g_leak")
    assert tidings.of(a_trial(None)) == ()
    assert tidings.of(a_trial(())) == ()
    assert tidings.of(a_trial((na,))) == (na.sentence,)
    assert tidings.of(a_trial((leak, a_shift(since=9)))) == (leak.sentence,)
    assert tidings.of(a_trial((leak, na))) == ()
    tidings.clear()
    assert tidings.of(a_trial((na,))) == (na.sentence,)


def test_what_has_changed_is_written_once_and_in_the_colour_of_caution(qtbot, scripted):
    line, written = StatusLine("simulated cell", "cortical-tracking"), []
    qtbot.addWidget(line)
    line.wrote.connect(lambda text, tone: written.append((text, tone)))
    line.take(replace(scripted.trial(0), shifts=(a_shift(),)))
    assert written[-1] == (a_shift().sentence, "caution")
    line.take(replace(scripted.trial(1), shifts=(a_shift(),)))
    assert [text for text, tone in written if tone == "caution"] == [a_shift().sentence]
