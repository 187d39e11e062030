import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from estimators.pretrained import FIRST, SHIPPED, shipped
from estimators.title import read_title
from rig_plugin import networks
from rig_plugin.networks import Network
from rig_plugin.preparation import on_rig, recorded
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.scorecard import scores
from rig_plugin.settings import CellSettings, ProtocolSettings, Settings
from rig_plugin.widgets.networks import NetworksCard
from rig_plugin.widgets.qt import QtCore
from rig_plugin.widgets.theme import DARK

CELL = on_rig(Settings())
LONG = on_rig(Settings(protocol=ProtocolSettings(duration=5000.0)))


def drawn(chart):
    """Points of all others, and of the parameter that is marked."""
    items = chart.plot.listDataItems()
    return [0 if item.yData is None else int(np.isfinite(item.yData).sum()) for item in items]


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
    assert [network.refusal is None for network in found] == [*(True for _ in SHIPPED), False, False]
    assert "is damaged or no checkpoint" in found[-2].refusal and "is no file" in found[-1].refusal


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
    assert "step −250 to 500 pA" in words and "interval holds what they promise" not in words
    assert "Over all" in words and "fresh cells" in words and "1 to 40 sweeps" in words
    assert card.plots.lines() == (13, 13, 13) and card.plots.isVisible()


def test_what_does_not_fit_is_greyed_with_its_reason_and_cannot_be_used(card):
    card.list.setCurrentRow(len(SHIPPED))
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


def test_two_networks_of_one_spec_are_told_apart(qtbot, own):
    shutil.copy(FIRST, own / "cortical-steps-2.h5")
    found = networks.there(CELL)
    assert [network.label for network in found] == [*SHIPPED, "cortical-steps-2 (cortical-steps)"]
    card = NetworksCard(found, FIRST, DARK, lambda take: None)
    qtbot.addWidget(card)
    assert card.list.item(len(SHIPPED)).text() == found[-1].label


def test_a_file_that_may_not_be_opened_is_listed_with_its_reason(monkeypatch, own):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(networks, "read_title", refuse)
    assert all("(Permission denied): mend its rights" in network.refusal for network in networks.there(CELL))


def test_membrane_tests_ask_no_network_whatever_the_protocol(own):
    assert all(network.refusal is None for network in networks.there(replace(LONG, clamp="voltage")))


def test_networks_are_read_beside_the_window_and_the_last_search_counts(qtbot):
    card = NetworksCard((), FIRST, DARK, lambda take: None)
    qtbot.addWidget(card)
    card.show()
    told, late = threading.Event(), threading.Event()
    threads = []

    def look(name, wait):
        threads.append(threading.current_thread())
        assert wait.wait(10)
        return [Network(Path(f"{name}.h5"), None, f"{name} is broken.")]

    card.search(lambda: look("early", late))
    card.search(lambda: look("last", told))
    assert "Reading" in card.words.text() and card.list.count() == 0
    told.set()
    qtbot.waitUntil(lambda: card.list.count() == 1)
    release = threading.Timer(0.05, late.set)
    release.start()
    card.close()
    assert not any(thread.is_alive() for thread in threads) and threading.main_thread() not in threads
    release.join()
    # What the earlier search has to tell is in the queue now, and is not shown.
    qtbot.wait(1)
    assert card.list.item(0).text() == "▲ last.h5"


def test_a_parameter_that_is_clicked_is_drawn_before_the_others(card):
    score = scores(read_title(FIRST).calibration)[7]
    assert card.table.cells(7)[:2] == ("E_leak", "−100 to −45 mV")
    assert card.table.cells(7)[4] == f"{score.coverage[90.0]:.1f}" and "±" in card.table.cells(7)[-1]
    card.table.cellClicked.emit(7, 0)
    others, chosen = card.plots.coverage.plot.listDataItems()
    assert np.isfinite(others.yData).sum() == 12 * 4 and chosen.opts["pen"].width() == 2
    assert chosen.yData[:4] == pytest.approx([score.coverage[level] - level for level in score.coverage])
    assert drawn(card.plots.spread) == [12, 1]
    assert card.plots.coverage.reader(90.0, 100.0).endswith("% at 90 %")
    assert card.plots.spread.reader(score.contraction, score.z_sd).startswith("E_leak")
    card.table.cellClicked.emit(7, 0)
    assert drawn(card.plots.ranks) == [1300, 0]


def test_what_misses_its_aim_is_marked_by_a_shape_and_what_was_not_checked_is_a_dash(card):
    title = read_title(FIRST)
    shares = {"50": 0.479, "80": 0.82, "90": 0.9, "95": 0.95}
    card.table.fill(title.spec.parameters, scores({"coverage": {"C": shares}, "sbc_deviation": {"g_leak": 0.031}}))
    assert card.table.cells(0) == ("▲ C", "15 to 400 pF", "▲ 47.9", "82.0", "90.0", "95.0", "–", "–", "–")
    assert card.table.cells(1)[0] == "▲ g_leak" and card.table.cells(1)[6] == "3.1"
    assert card.table.cells(2)[0] == "g_Na" and set(card.table.cells(2)[2:]) == {"–"}


def test_a_network_that_was_never_checked_shows_no_empty_charts(card):
    title = replace(read_title(FIRST), calibration={}, record={})
    card.fill([Network(FIRST, title)])
    assert not card.plots.isVisible() and card.table.isVisible() and "was not checked" in card.words.text()


_ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["C", "50", "90"]), inner, max_size=3),
    max_leaves=8,
)
_KEYS = ("coverage", "rank_counts", "sbc_deviation", "contraction", "z_mean", "z_sd")


@example({"rank_counts": {"C": [float("inf"), 1.0]}})
@example({"contraction": {"C": 10**400}})
@settings(max_examples=50)
@given(_ANY | st.dictionaries(st.sampled_from(_KEYS), _ANY, max_size=6))
def test_whatever_stands_in_a_file_as_its_calibration_can_be_read(found):
    for score in scores(found):
        assert score.misses in (True, False) and all(map(np.isfinite, (*score.coverage.values(), *score.ranks)))
