"""Pretraining from the window, with a process that plays what `rig-plugin pretrain --json` says."""

import sys

import pytest

from estimators.pretrained import FIRST
from rig_plugin.pretraining_run import PretrainingRun, Progress, arguments
from rig_plugin.widgets.pretraining import PretrainingCard
from rig_plugin.widgets.theme import DARK

PLAYED = """
import json, pathlib, sys, time
spec, out = sys.argv[1:]
def tell(**what): print(json.dumps({"event": "progress", **what}), flush=True)
if "bad" in spec:
    print("bad.toml: [designs] is missing.", file=sys.stderr); sys.exit(2)
tell(stage="simulate", cells=50, of=200, seconds=2.0); tell(stage="simulate", cells=100, of=200, seconds=4.0)
while "endless" in spec: time.sleep(0.01)
for k in (5, 6): tell(stage="train", epoch=k, of=6, loss=1.0, held_out_log_prob=-10.0 + k, seconds_left=3.0)
print("no JSON"); tell(stage="calibrate", cells=5)
pathlib.Path(out).write_bytes(b""); print(json.dumps({"event": "summary"}))
"""

TRAINING = """
[training]
cells = 180
held_out = 20
checked = 60
epochs = 40
batch = 32
width = 16
transforms = 2
hidden = 16
bins = 4

[likelihood]
rows = 300
epochs = 2
batch = 64
width = 16
layers = 2
hidden = 8
components = 2
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
        ("simulate", 0.25), ("simulate", 0.5), ("train", 5 / 6), ("train", 1.0), ("calibrate", None),
    ]  # fmt: skip
    # What an earlier run had simulated was there within no time: only the 50 cells of 2 s tell how long 100 take.
    assert card.told[0].left is None and card.told[1].left == pytest.approx(4.0)
    (curve,) = card.chart.plot.listDataItems()
    assert curve.xData.tolist() == [5, 6] and curve.yData.tolist() == [-5.0, -4.0]
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


def test_what_was_begun_is_said_to_go_on_and_closing_says_what_it_ends(qtbot, card, tmp_path):
    assert card.start.text() == "Pretrain" and "cortical-steps-1.h5 will be made, in " in card.stage.text()
    card.browse.click()
    card._place("endless-1").parent.mkdir()
    (tmp_path / "networks" / "endless-1.h5.cells").write_bytes(b"")
    assert not card.closing.isVisible()
    card.start.click()
    assert card.closing.isVisible() and "goes on from there" in card.closing.text()
    qtbot.waitUntil(lambda: bool(card.told), timeout=20_000)
    with qtbot.waitSignal(card._run.ended, timeout=20_000):
        card.cancel.click()
    assert card.start.text() == "Resume" and not card.closing.isVisible()
    card.name.setText("another")
    assert card.start.text() == "Pretrain"


def test_each_stage_is_told_in_words(card):
    for stage in ("simulate", "train", "likelihood", "predictive", "reference", "judges", "calibrate"):
        card._tell(Progress(stage, None, None, None))
        assert card.stage.text() != stage and " " in card.stage.text()


@pytest.mark.long
def test_a_pretraining_that_is_ended_in_the_window_goes_on_where_it_was(qtbot, tmp_path):
    """Of real cells: the first run simulates and begins to learn, the second finds all that."""
    text = FIRST.with_suffix(".toml").read_text(encoding="utf-8").split("[training]")[0]
    spec, out = tmp_path / "tiny.toml", tmp_path / "tiny.h5"
    spec.write_text(text.replace("sweeps = [1, 40]", "sweeps = [1, 3]") + TRAINING, encoding="utf-8")
    run, told = PretrainingRun(), []
    run.progressed.connect(told.append)

    def begin_and_end():
        told.clear()
        run.start(spec, out, 2)
        qtbot.waitUntil(lambda: any(each.epoch for each in told), timeout=280_000)
        with qtbot.waitSignal(run.ended, timeout=20_000) as ended:
            run.cancel()
        assert "goes on from there" in ended.args[0] and not ended.args[1] and not out.exists()
        epochs = [each.epoch for each in told if each.epoch]
        assert epochs == list(range(epochs[0], epochs[-1] + 1))
        return epochs

    first, cells = begin_and_end(), out.with_name("tiny.h5.cells")
    kept = cells.read_bytes()
    assert first[0] == 1
    assert begin_and_end()[0] > first[-1]
    assert told[0].share == 1.0 and cells.read_bytes() == kept


@pytest.mark.long
def test_a_spec_that_cannot_be_used_is_the_real_commands_sentence(qtbot, tmp_path):
    (tmp_path / "bad.toml").write_text("name = 3", encoding="utf-8")
    run = PretrainingRun()
    with qtbot.waitSignal(run.ended, timeout=60_000) as ended:
        run.start(tmp_path / "bad.toml", tmp_path / "b.h5", 1)
    assert ended.args == [f"{tmp_path / 'bad.toml'}: name is 3, a word was wanted.", False]
