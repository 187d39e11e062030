"""A recording is read otherwise from the window."""

import pytest

from rig_plugin.otherwise import FIELDS, described, read_so, typed
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.widgets.reading import ReadingCard
from rig_plugin.widgets.theme import DARK

SAID = ReplaySettings(
    "cell.abf", epoch=3, junction_potential=-11.5, bridge=0.012, channel="IN 0", window=(100.0, 900.0)
)


def test_what_was_typed_is_what_is_shown_again():
    texts = typed(SAID)
    assert texts["bridge"] == "12" and texts["window"] == "100 900" and texts["sweep"] == ""
    assert read_so(ReplaySettings("cell.abf"), texts) == (SAID, {})
    assert read_so(SAID, dict.fromkeys(FIELDS, " ")) == (ReplaySettings("cell.abf"), {})


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("epoch", "-1", "a whole number from 0"),
        ("sweep", "²", "a whole number from 0"),
        ("window", "900 100", "a later end"),
        ("window", "100", "a later end"),
        ("window", "0 inf", "a later end"),
        ("junction_potential", "nan", "-50 to 50 mV"),
        ("junction_potential", "14 mV", "-50 to 50 mV"),
        ("bridge", "300", "-200 to 200 MOhm"),
    ],
)
def test_what_is_not_understood_is_a_sentence_and_changes_nothing(name, text, wanted):
    settings, faults = read_so(SAID, {name: text})
    assert settings == SAID and list(faults) == [name] and wanted in faults[name] and f"'{text}'" in faults[name]


def test_a_true_minus_sign_is_a_minus():
    assert read_so(SAID, {"junction_potential": "−14"})[0].junction_potential == -14.0


def test_a_file_that_cannot_be_opened_is_described_by_its_sentence(tmp_path):
    assert "nothing.abf" in described(tmp_path / "nothing.abf")


def test_the_card_tells_what_the_file_holds_and_gives_what_was_typed(qtbot, tmp_path):
    card = ReadingCard(ReplaySettings(tmp_path / "cell.abf"), lambda: "channels\n  0  IN 0", DARK)
    qtbot.addWidget(card)
    card.show()
    qtbot.waitUntil(lambda: "IN 0" in card.content.toPlainText())
    qtbot.keyClicks(card.boxes["epoch"], "x")
    assert not card.use.isEnabled() and "epoch: 'x' was given" in card.words.text()
    card.boxes["epoch"].setText("4")
    card.fast.setChecked(True)
    with qtbot.waitSignal(card.chosen) as told:
        card.use.click()
    assert told.args == [ReplaySettings(tmp_path / "cell.abf", epoch=4, pace="max")] and not card.isVisible()
