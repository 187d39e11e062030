from dataclasses import replace
from pathlib import Path

import pytest

from estimators.pretrained import FIRST, SHIPPED, shipped
from estimators.title import read_title
from rig_plugin import networks
from rig_plugin.preparation import on_rig, recorded
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.settings import CellSettings, ProtocolSettings, Settings
from rig_plugin.widgets.networks import NetworksCard
from rig_plugin.widgets.qt import QtCore
from rig_plugin.widgets.theme import DARK

CELL = on_rig(Settings())
LONG = on_rig(Settings(protocol=ProtocolSettings(duration=5000.0)))


@pytest.fixture
def own(monkeypatch, tmp_path):
    monkeypatch.setattr(networks, "own", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def card(qtbot, own):
    (own / "broken.h5").write_bytes(b"none")
    made = NetworksCard(networks.there(CELL), FIRST, DARK, lambda take: take(Path("/x/other.h5")))
    qtbot.addWidget(made)
    made.show()
    return made


def test_those_that_ship_come_first_and_what_is_broken_says_so(own):
    (own / "broken.h5").write_bytes(b"none")
    found = networks.there(CELL, [shipped(SHIPPED[1]), own / "gone.h5"])
    assert [network.name for network in found] == [*SHIPPED, "broken.h5", "gone.h5"]
    assert [network.refusal is None for network in found] == [True, True, False, False]
    assert "is damaged or no checkpoint" in found[2].refusal and "is no file" in found[3].refusal


def test_a_network_that_was_not_trained_for_the_protocol_does_not_fit(own):
    assert all("5000 ms" in network.refusal for network in networks.there(LONG))
    assert all(network.refusal is None for network in networks.there(recorded(ReplaySettings(Path("cell.abf")))))
    # One sweep of which something can be inferred is enough: the others are played and told.
    some = replace(LONG, settings=Settings(protocol=ProtocolSettings(amplitudes=(100.0, 900.0))))
    assert all(network.refusal is None for network in networks.there(some))


def test_a_simulated_cell_is_read_by_a_network_of_its_kind(own):
    patchseq = on_rig(Settings(cell=CellSettings(model="patchseq")))
    refusals = {network.name: network.refusal for network in networks.there(patchseq)}
    assert "one of 'patchseq' and this network reads 'cortical'" in refusals["cortical-steps"]
    assert refusals["patchseq-13"] is None


def test_the_card_says_what_a_network_is_for_and_how_well_it_is_calibrated(card):
    assert card.list.currentItem().text() == "cortical-steps (in use)" and not card.use.isEnabled()
    words = card.words.text()
    assert "step −250 to 500 pA" in words and "g_Na" in words and "interval holds what they promise" not in words
    assert "Over all" in words and "fresh cells" in words
    assert card.plots.lines() == (13, 13) and card.plots.isVisible()


def test_what_does_not_fit_is_greyed_with_its_reason_and_cannot_be_used(card):
    card.list.setCurrentRow(2)
    assert card.list.currentItem().text() == "▲ broken.h5" and "damaged" in card.list.currentItem().toolTip()
    assert not card.use.isEnabled() and "damaged" in card.words.text() and not card.plots.isVisible()


def test_the_one_that_is_chosen_is_told(qtbot, card):
    card.list.setCurrentRow(1)
    with qtbot.waitSignal(card.chosen) as told:
        qtbot.mouseClick(card.use, QtCore.Qt.MouseButton.LeftButton)
    assert told.args == [shipped("patchseq-13")] and not card.isVisible()


def test_a_file_that_is_opened_is_told_to_be_listed(qtbot, card):
    with qtbot.waitSignal(card.opened) as told:
        qtbot.mouseClick(card.browse, QtCore.Qt.MouseButton.LeftButton)
    assert told.args == [Path("/x/other.h5")]


def test_another_protocol_is_judged_by_limits_pace_and_network():
    title = read_title(FIRST)
    for protocol, said in (
        (ProtocolSettings(step=0.0), "arrives in at most"),
        (ProtocolSettings(stop=5000.0, step=1000.0), "limits"),
        (ProtocolSettings(interval=500.0), "does not fit into 0.5 s"),
    ):
        wrong, _ = networks.judged(protocol, CELL, title)
        assert said in wrong
    assert networks.judged(ProtocolSettings(), CELL, title) == (None, None)
    wrong, worth = networks.judged(ProtocolSettings(duration=3000.0), CELL, title)
    assert wrong is None and "3000 ms" in worth
