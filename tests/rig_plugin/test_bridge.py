from rig_plugin.bridge import Bridge
from rig_plugin.feed import Feed
from rig_plugin.proposal import Proposed
from rig_plugin.refined import Refined


def test_silence_in_the_middle_of_a_sweep_is_told_and_taken_back(qtbot, scripted):
    now = [0.0]
    feed = Feed()
    bridge = Bridge(feed, clock=lambda: now[0])
    heard: list[float] = []
    bridge.stalled.connect(heard.append)
    sweep = scripted.play(feed, 0, 0.5)
    bridge.poll()
    now[0] = 2.5
    bridge.poll()
    assert heard == [2.5]
    feed.block(sweep.response[8000:8400], None)
    bridge.poll()
    assert heard == [2.5, 0.0]


def test_an_engine_that_does_not_answer_is_told_also_between_sweeps(qtbot):
    class Silent(Feed):
        silence = 2.5

    feed = Silent()
    bridge = Bridge(feed)
    with qtbot.waitSignal(bridge.stalled) as told:
        bridge.poll()
    assert told.args == [2.5]
    Silent.silence = 0.0
    with qtbot.waitSignal(bridge.stalled) as told:
        bridge.poll()
    assert told.args == [0.0]


def test_waiting_between_sweeps_is_no_silence(qtbot, scripted):
    now = [0.0]
    feed = Feed()
    bridge = Bridge(feed, clock=lambda: now[0])
    heard: list[float] = []
    bridge.stalled.connect(heard.append)
    scripted.play(feed, 0)
    bridge.poll()
    now[0] = 60.0
    bridge.poll()
    feed.finished(scripted.trial(0))
    bridge.poll()
    assert heard == []


def test_the_last_samples_of_a_sweep_wait_one_look_for_its_trial_and_no_longer(qtbot, scripted):
    feed = Feed()
    bridge = Bridge(feed)
    grown: list[int] = []
    bridge.grew.connect(lambda live: grown.append(live.count))
    sweep = scripted.play(feed, 0, 0.5)
    bridge.poll()
    assert grown == [len(sweep.response) // 2]
    feed.block(sweep.response[len(sweep.response) // 2 :], None)
    bridge.poll()
    assert len(grown) == 1
    bridge.poll()
    bridge.poll()
    assert grown == [len(sweep.response) // 2, len(sweep.response)]


def test_trials_found_together_travel_together(qtbot, scripted):
    feed = Feed()
    bridge = Bridge(feed)
    told: list[int] = []
    bridge.finished.connect(lambda trials: told.append(len(trials)))
    for index in range(3):
        feed.finished(scripted.trial(index))
    bridge.poll()
    assert told == [3]


def test_who_did_not_look_for_a_while_says_so_after_all_that_is_new(qtbot, scripted):
    now = [0.0]
    feed = Feed()
    bridge = Bridge(feed, clock=lambda: now[0])
    told: list[object] = []
    bridge.finished.connect(lambda trials: told.append(len(trials)))
    bridge.lagged.connect(told.append)
    now[0] = 0.9
    bridge.poll()
    feed.finished(scripted.trial(0))
    now[0] = 6.0
    bridge.poll()
    assert told == [1, 5.1]


def test_slices_travel_after_all_trials_and_only_the_latest(qtbot, scripted):
    feed = Feed()
    bridge = Bridge(feed)
    told: list[object] = []
    bridge.finished.connect(lambda trials: told.append(len(trials)))
    bridge.sliced.connect(lambda sliced: told.append((sliced.trial, sliced.slices)))
    for index in range(3):
        feed.finished(scripted.trial(index))
        feed.sliced(index, f"of {index}")
    bridge.poll()
    bridge.poll()
    assert told == [3, (2, "of 2")]


def test_of_proposals_found_together_the_latest_is_told_and_after_the_trials_before_it(qtbot, scripted):
    feed = Feed()
    bridge = Bridge(feed)
    told: list[object] = []
    bridge.finished.connect(lambda trials: told.append("finished"))
    bridge.proposed.connect(lambda proposed: told.append(proposed.place))
    feed.finished(scripted.trial(0))
    for place in (1, 2):
        feed.proposed(Proposed(scripted.stimulus(place), place=place))
    bridge.poll()
    assert told == ["finished", 2]


def test_a_refinement_is_told_after_the_trial_that_it_belongs_to(qtbot, scripted):
    feed, told = Feed(), []
    bridge = Bridge(feed)
    bridge.finished.connect(lambda trials: told.append(trials[-1].index))
    bridge.refined.connect(lambda refined: told.append(refined.refusal))
    feed.finished(scripted.trial(3))
    feed.refined(Refined(3, refusal="not known"))
    bridge.poll()
    assert told == [3, "not known"]
