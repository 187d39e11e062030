"""Pretraining from the window, with a process that plays what `rig-plugin pretrain --json` says."""

import sys

import pytest

from estimators.pretrained import FIRST
from rig_plugin.pretraining_run import PretrainingRun, arguments
from rig_plugin.widgets.pretraining import PretrainingCard
from rig_plugin.widgets.theme import DARK

PLAYED = """
import json, pathlib, sys, time
spec, out = sys.argv[1:]
def tell(**what): print(json.dumps({"event": "progress", **what}), flush=True)
if "bad" in spec:
    print("bad.toml: [designs] is missing.", file=sys.stderr); sys.exit(2)
tell(stage="simulate", cells=50, of=200, seconds=2.0)
while "endless" in spec: time.sleep(0.01)
for k in (1, 2): tell(stage="train", epoch=k, of=2, loss=1.0, held_out_log_prob=-10.0 + k, seconds_left=3.0)
print("no JSON"); tell(stage="calibrate", cells=5)
pathlib.Path(out).write_bytes(b""); print(json.dumps({"event": "summary"}))
"""


@pytest.fixture
def card(qtbot, tmp_path):
    run = PretrainingRun([sys.executable, "-c", PLAYED])
    made = PretrainingCard(
        [FIRST.with_suffix(".toml")], tmp_path / "networks", run, lambda take: take(tmp_path / "endless.toml"), DARK
    )
    run.setParent(made)
    qtbot.addWidget(made)
    made.show()
    made.told = []
    run.progressed.connect(made.told.append)
    return made


def test_a_network_is_made_and_used(qtbot, card, tmp_path):
    assert card.name.text() == "cortical-steps-1" and not card.use.isEnabled() and not card.cancel.isEnabled()
    with qtbot.waitSignal(card._run.ended, timeout=20_000):
        card.start.click()
        assert card.cancel.isEnabled() and not card.start.isEnabled()
    assert [(told.stage, told.share) for told in card.told] == [
        ("simulate", 0.25), ("train", 0.5), ("train", 1.0), ("calibrate", None),
    ]  # fmt: skip
    assert card.told[0].left == pytest.approx(6.0) and card._curve == [-9.0, -8.0]
    assert card.stage.text() == "cortical-steps-1.h5 is made."
    with qtbot.waitSignal(card.made) as made:
        card.use.click()
    assert made.args == [tmp_path / "networks" / "cortical-steps-1.h5"]


def test_what_is_cancelled_says_how_to_go_on(qtbot, card):
    card.browse.click()
    assert card.name.text() == "endless-1"
    card.start.click()
    qtbot.waitUntil(lambda: bool(card.told), timeout=20_000)
    with qtbot.waitSignal(card._run.ended, timeout=20_000):
        card.cancel.click()
    assert "goes on from there" in card.stage.text() and card.start.isEnabled() and not card.use.isEnabled()


def test_a_card_that_is_closed_leaves_no_process(qtbot, card):
    card.browse.click()
    card.start.click()
    qtbot.waitUntil(lambda: bool(card.told), timeout=20_000)
    card.close()
    assert not card._run.is_running


def test_an_error_is_the_commands_own_sentence(qtbot, card, tmp_path):
    card._add(tmp_path / "bad.toml")
    with qtbot.waitSignal(card._run.ended, timeout=20_000):
        card.start.click()
    assert card.stage.text() == "▲ bad.toml: [designs] is missing."


@pytest.mark.parametrize(("name", "said"), [("", "name is that of a file"), ("a/b", "name is that of a file")])
def test_a_name_that_is_none_is_refused(card, name, said):
    card.name.setText(name)
    card.start.click()
    assert said in card.stage.text() and not card._run.is_running


def test_nothing_is_overwritten(card, tmp_path):
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "mine.h5").write_bytes(b"")
    card.name.setText("mine")
    card.start.click()
    assert "never overwritten" in card.stage.text() and not card._run.is_running


def test_what_is_run_is_what_would_be_typed(tmp_path):
    words = arguments(tmp_path / "a.toml", tmp_path / "b.h5", 3)
    assert words[:3] == ["-m", "rig_plugin", "pretrain"] and words[-3:] == ["--workers", "3", "--json"]


def test_a_process_that_cannot_be_started_is_a_sentence(qtbot, tmp_path):
    run = PretrainingRun([str(tmp_path / "nothing")])
    with qtbot.waitSignal(run.ended, timeout=20_000) as ended:
        run.start(tmp_path / "a.toml", tmp_path / "b.h5", 1)
    assert "could not be started" in ended.args[0] and not run.is_running
